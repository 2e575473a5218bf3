// SPDX-License-Identifier: LGPL-2.1-or-later
#include "process.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <exception>

#include "lhsmtool_mpi/base/process_identity.hpp"
#include "lhsmtool_mpi/base/say.hpp"
#include "lhsmtool_mpi/cli/commands.hpp"
#include "lhsmtool_mpi/comm/loopback.hpp"
#include "surroundings.hpp"

namespace lhsm::cli {

namespace {

log::Setup setup_of(log::Level level) {
  log::Setup setup;
  setup.level = level;
  return setup;
}

Process* g_process = nullptr;

/// An exception that no thread caught: the run's failure still is one line and an exit code, on all ranks.
[[noreturn]] void end_by_exception() {
  std::string why = "ended by the C++ library";
  if (const auto thrown = std::current_exception()) {
    try {
      std::rethrow_exception(thrown);
    } catch (const std::exception& error) {
      why = error.what();
    } catch (...) {
      why = "ended by an unknown exception";
    }
  }
  g_process->fail(why);
}

}  // namespace

Process::Process(log::Level level) : Process(setup_of(level)) {}

Process::Process(log::Setup setup) : m_host(host_name()) {
  g_process = this;
  m_former_terminate = std::set_terminate(end_by_exception);
  if (comm::started_by_launcher()) m_session.emplace();
  setup.host = m_host;
  setup.rank = rank();
  setup.ranks = ranks();
  const Status opened = log::set_up(setup);
  if (opened) return;
  if (!m_session) throw Fatal(opened.error());
  // The others may have theirs, and would wait for this rank.
  fail(opened.error().describe());
}

Process::~Process() {
  std::set_terminate(m_former_terminate);
  g_process = nullptr;
}

comm::MpiSession::DispatcherChannel Process::dispatcher_channel() {
  if (m_session) return m_session->dispatcher_channel();
  auto hub = std::make_unique<comm::LoopbackHub>(1);
  comm::Channel& local_worker = hub->worker(0);
  return {std::move(hub), &local_worker};
}

std::vector<comm::MpiSession::Link> Process::measure_links() {
  return m_session ? m_session->measure_links() : std::vector<comm::MpiSession::Link>();
}

void Process::abort(int exit_code) {
  log::close();
  if (m_session) m_session->abort(exit_code);
  std::_Exit(exit_code);
}

void Process::fail(const std::string& why) {
  say(stderr, "lhsmtool_mpi: rank {} on {}: {}\n", rank(), m_host, why);
  abort(k_run_failed);
}

void Process::send_home(const std::function<bool()>& dismiss, std::string failed) {
  try {
    if (dismiss()) return;
  } catch (const std::exception& error) {
    if (failed.empty()) failed = error.what();
  }
  fail(failed.empty() ? "a rank does not answer" : failed);
}

int Process::run(const std::function<int()>& main) {
  int code = 0;
  std::exception_ptr failed;
  try {
    code = main();
  } catch (const Fatal&) {
    failed = std::current_exception();
  } catch (const UsageError&) {
    failed = std::current_exception();
  } catch (const std::exception& error) {
    // Memory or threads ran out, at any place: the other ranks may wait for this one.
    if (m_session) fail(error.what());
    failed = std::current_exception();
  }
  log::close();
  if (m_session) m_session->finalize();
  if (failed) std::rethrow_exception(failed);
  return code;
}

}  // namespace lhsm::cli
