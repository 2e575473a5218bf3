// SPDX-License-Identifier: LGPL-2.1-or-later
#include "run_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <thread>
#include <tuple>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/cli/build_id.hpp"

namespace lhsm::cli {

namespace {

using namespace std::chrono_literals;

// Nothing tells that a lock is free but F_SETLKW, which a request to stop could not end.
constexpr auto k_poll = 50ms;
/// A process that was just told to end has not said yet that it does.
constexpr auto k_to_hear_a_signal = 2s;

// All of the file is locked, as lhsmtool_posix does. Who is ending unlocks all behind its first byte.
constexpr off_t k_whole = 0;
constexpr off_t k_behind_first_byte = 1;

struct flock lock_from(off_t start, short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = start;
  return lock;
}

/// Whether nobody holds what a process that goes on holds.
bool is_let_go(const Fd& fd) {
  struct flock lock = lock_from(k_behind_first_byte, F_WRLCK);
  return ::fcntl(*fd, F_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;
}

Status take_lock(const Fd& fd, const std::string& path, const PidFileWait& wait) {
  const TimePoint begun = std::chrono::steady_clock::now();
  bool is_ending = false;
  for (;;) {
    struct flock all = lock_from(k_whole, F_WRLCK);
    if (::fcntl(*fd, F_SETLK, &all) == 0) return {};
    const int error = errno;
    if (error != EAGAIN || wait.longest <= 0s) return errno_error(k_lock_pid_file, path, error);
    if (wait.is_over()) return errno_error("wait for pid file", path, ECANCELED);
    const Duration waited = std::chrono::steady_clock::now() - begun;
    if (!is_ending && is_let_go(fd)) {
      is_ending = true;
      log::info("{} is locked by a process that is ending: waiting for it for {} s at most", path, wait.longest.count());
    }
    if (!is_ending && waited >= k_to_hear_a_signal) return errno_error(k_lock_pid_file, path, error);
    if (waited >= wait.longest)
      return failure(ErrorKind::timeout, EAGAIN, "wait for pid file", path);
    std::this_thread::sleep_for(k_poll);
  }
}

}  // namespace

Outcome<Fd> lock_pid_file(const std::string& path, const PidFileWait& wait) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return errno_error("open pid file", path);
  LHSM_TRY(take_lock(fd, path, wait));
  const std::string text = fmt::format("{}\n", ::getpid());
  if (::ftruncate(*fd, 0) != 0) return errno_error("truncate pid file", path);
  const auto written = ::write(*fd, text.data(), text.size());
  if (written < 0) return errno_error("write pid file", path);
  if (static_cast<std::size_t>(written) != text.size()) return errno_error("write pid file", path, ENOSPC);
  return fd;
}

report::StateFiles::Options state_files_of(const ServeOptions& options) {
  return {options.status_file, options.metrics_file, options.command, options.mount_point, build_identity()};
}

Status RunFiles::open(const ServeOptions& options, const run::StopRequest& stop) {
  if (!options.pid_file.empty()) {
    const PidFileWait wait{options.pid_file_patience, [&stop] { return stop.count > 0; }};
    LHSM_TRY_ASSIGN(m_pid_file, lock_pid_file(options.pid_file, wait));
  }
  if (!options.event_fifo.empty()) {
    LHSM_TRY_ASSIGN(m_fifo, report::EventFifo::open(options.event_fifo));
  }
  return {};
}

void RunFiles::close() {
  if (m_fifo != nullptr && m_fifo->lost() > 0) log::info("{} events had no reader, or a slow one", m_fifo->lost());
  m_fifo.reset();
}

void RunFiles::write(const comm::Event& event) {
  if (m_fifo != nullptr) m_fifo->write(report::event_line(event, std::time(nullptr)));
}

void RunFiles::write(const report::WatchedRegistration::Change& change, lustre::Client& client) {
  if (m_pid_file) {
    struct flock rest = lock_from(k_behind_first_byte, change.registered ? F_WRLCK : F_UNLCK);
    std::ignore = ::fcntl(*m_pid_file, F_SETLK, &rest);  // the first byte is what keeps others out
  }
  if (m_fifo == nullptr) return;
  const std::string uuid = client.agent_uuid().value_or(std::string());
  m_fifo->write(report::registration_line(change.registered, change.archives, client.mount_point(), uuid, std::time(nullptr)));
}

}  // namespace lhsm::cli
