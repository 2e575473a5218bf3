// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/comm/mpi_session.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "mpi_check.hpp"

namespace lhsm::comm {

namespace {

constexpr std::chrono::milliseconds k_poll{2};

}  // namespace

void check_mpi(int rc, const char* function) {
  if (rc == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  if (MPI_Error_string(rc, text.data(), &length) != MPI_SUCCESS) length = 0;
  throw Fatal(fmt::format("{}: {}", function, std::string_view(text.data(), static_cast<std::size_t>(length))));
}

bool started_by_launcher() {
  // What Open MPI's mpirun, PMIx (srun --mpi=pmix) and PMI-1/2 launchers set for each rank.
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_RANK"})
    if (std::getenv(name) != nullptr) return true;
  // Under srun without PMIx each task would take itself for the only one, and register.
  if (const char* tasks = std::getenv("SLURM_STEP_NUM_TASKS"); tasks != nullptr && std::atoi(tasks) > 1)
    throw Fatal("srun started several tasks that do not know of each other: use srun --mpi=pmix");
  return false;
}

std::string mpi_library_version() {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  check_mpi(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
  std::string line(text.data(), static_cast<std::size_t>(length));
  return line.substr(0, line.find(','));
}

struct MpiSession::State {
  MPI_Comm communicator = MPI_COMM_NULL;
  int rank = 0;
  int size = 1;
  bool finalized = false;
};

MpiSession::MpiSession() : m_state(std::make_unique<State>()) {
  int provided = MPI_THREAD_SINGLE;
  check_mpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
  if (provided < MPI_THREAD_FUNNELED) throw Fatal("MPI_Init_thread: this MPI cannot be used beside threads");
  check_mpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check_mpi(MPI_Comm_dup(MPI_COMM_WORLD, &m_state->communicator), "MPI_Comm_dup");
  check_mpi(MPI_Comm_set_errhandler(m_state->communicator, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check_mpi(MPI_Comm_rank(m_state->communicator, &m_state->rank), "MPI_Comm_rank");
  check_mpi(MPI_Comm_size(m_state->communicator, &m_state->size), "MPI_Comm_size");
}

MpiSession::~MpiSession() {
  if (!m_state->finalized) abort(1);
}

int MpiSession::rank() const { return m_state->rank; }
int MpiSession::size() const { return m_state->size; }

std::unique_ptr<Channel> MpiSession::worker_channel() { return make_mpi_worker_channel(m_state->communicator); }

MpiSession::DispatcherChannel MpiSession::dispatcher_channel() {
  DispatcherChannel made{};
  made.channel = make_mpi_dispatcher_channel(m_state->communicator, made.local_worker);
  return made;
}

std::string MpiSession::share(std::string text) {
  // MPI's own waits spin, and rank 0 may have much to do before it comes here.
  const auto broadcast = [this](void* data, std::size_t bytes) {
    MPI_Request request = MPI_REQUEST_NULL;
    check_mpi(MPI_Ibcast(data, static_cast<int>(bytes), MPI_BYTE, 0, m_state->communicator, &request), "MPI_Ibcast");
    for (int done = 0;;) {
      check_mpi(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
      if (done != 0) return;
      std::this_thread::sleep_for(k_poll);
    }
  };
  std::uint64_t bytes = text.size();
  broadcast(&bytes, sizeof bytes);
  text.resize(static_cast<std::size_t>(bytes));
  broadcast(text.data(), text.size());
  return text;
}

std::vector<MpiSession::Link> MpiSession::measure_links() { return measure_mpi_links(m_state->communicator, m_state->rank, m_state->size); }

void MpiSession::finalize() {
  check_mpi(MPI_Comm_free(&m_state->communicator), "MPI_Comm_free");
  m_state->finalized = true;
  check_mpi(MPI_Finalize(), "MPI_Finalize");
}

void MpiSession::abort(int exit_code) {
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::_Exit(exit_code);  // MPI_Abort does not return, but is not declared so
}

void end_waiting_ranks(int exit_code) {
  try {
    int initialized = 0;
    check_mpi(MPI_Initialized(&initialized), "MPI_Initialized");
    if (initialized != 0 || !started_by_launcher()) return;
    // All ranks leave MPI's initialisation together, so what they had to say was said.
    MpiSession session;
    session.abort(exit_code);
  } catch (const Fatal&) {
    return;  // the caller ends as it would without
  }
}

}  // namespace lhsm::comm
