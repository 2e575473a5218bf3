// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/cli/scan.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <memory>
#include <thread>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/base/signals.hpp"
#include "lhsmtool_mpi/base/size.hpp"
#include "lhsmtool_mpi/bulk/failed_list.hpp"
#include "lhsmtool_mpi/cli/build_id.hpp"
#include "lhsmtool_mpi/cli/commands.hpp"
#include "lhsmtool_mpi/lustre/mount_point.hpp"
#include "lhsmtool_mpi/scan/dispatcher.hpp"
#include "lhsmtool_mpi/scan/failed_names.hpp"
#include "lhsmtool_mpi/scan/manifest_sink.hpp"
#include "lhsmtool_mpi/scan/worker.hpp"
#include "process.hpp"
#include "scan_progress.hpp"
#include "surroundings.hpp"

namespace lhsm::cli {

namespace {

Outcome<std::unique_ptr<lustre::Client>> open_file_system(const ScanCommand& command) {
  LHSM_TRY_ASSIGN(const std::string mount, lustre::mount_point_of(command.paths.empty() ? "." : command.paths.front()));
  return lustre::open_client(mount);
}

std::string working_directory() {
  std::error_code ec;
  const auto path = std::filesystem::current_path(ec);
  if (ec) throw Fatal("the working directory cannot be told: " + ec.message());
  return path.string();
}

/// Return the PATHs as work, each of them once, by its real name. A link that is named itself is followed, as those below
/// are not. Throws Fatal when one is not there, or on another file system.
std::vector<comm::ScanTask> first_tasks(const std::vector<std::string>& paths, const std::string& mount) {
  std::vector<std::string> found;
  const std::string top = mount == "/" ? std::string() : mount;
  for (const std::string& path : paths) {
    char resolved[PATH_MAX];
    if (::realpath(path.c_str(), resolved) == nullptr) throw Fatal(errno_error("find", path).value());
    const std::string real = resolved;
    if (real != mount && !real.starts_with(top + '/'))
      throw Fatal(failure(ErrorKind::invalid, EXDEV, "not below " + mount + ':', path).value());
    found.push_back(real.size() <= top.size() ? std::string() : real.substr(top.size() + 1));
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
  std::vector<comm::ScanTask> tasks;
  std::vector<std::string> taken;
  for (const std::string& path : found) {
    const bool is_covered = std::any_of(taken.begin(), taken.end(), [&path](const std::string& above) {
      return above.empty() || path == above || path.starts_with(above + '/');
    });
    if (is_covered) continue;
    taken.push_back(path);
    comm::ScanTask task;
    struct stat status {};
    if (::lstat((top + '/' + path).c_str(), &status) != 0) throw Fatal(errno_error("stat", path).value());
    task.kind = S_ISDIR(status.st_mode) ? comm::ScanTaskKind::directories : comm::ScanTaskKind::files;
    const auto slash = path.rfind('/');
    if (slash != std::string::npos) task.directory = path.substr(0, slash);
    task.names = path.substr(slash == std::string::npos ? 0 : slash + 1) + '\0';
    task.count = 1;
    tasks.push_back(std::move(task));
  }
  return tasks;
}

Fd open_list(const std::string& path) {
  Fd fd(path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) throw Fatal(errno_error("open list", path).value());
  return fd;
}

/// Be a rank; a failure ends all of them.
void work(comm::Channel& channel, const scan::RankIdentity& identity, const Outcome<std::unique_ptr<lustre::Client>>& client,
          const ScanCommand& command, Process& process) {
  try {
    if (client)
      scan::run_worker(channel, identity, **client, command.options);
    else
      scan::run_unable_worker(channel, identity, client.error());
  } catch (const std::exception& error) {
    process.fail(error.what());
  }
}

/// What goes through the dispatcher on rank 0 once all are there; return whether it came to its end.
bool go_through(const ScanCommand& command, const lustre::Client& client, comm::Channel& channel,
                scan::Dispatcher& dispatcher) {
  if (command.list.empty()) return dispatcher.run(first_tasks(command.paths, client.mount_point()), nullptr);
  scan::ListFeeder list(open_list(command.list), command.nul_separated ? '\0' : '\n', working_directory(),
                        [&channel] { channel.wake(); });
  const bool is_complete = dispatcher.run({}, &list);
  const scan::ScanTotals& totals = dispatcher.totals();
  if (is_complete && totals.files + totals.filtered + totals.failed() == 0) log::warning("the list {} names nothing", command.list);
  return is_complete;
}

int exit_code(bool is_complete, int stop_signal, const scan::ScanTotals& totals) {
  if (!is_complete) return stop_signal == SIGINT ? k_interrupted : k_work_left;
  return totals.failed() > 0 ? k_some_failed : k_all_done;
}

/// The list of what failed first: who finds the manifest may go by it.
Status finish(scan::ManifestSink& sink, scan::FailedNames& failed, int code) {
  LHSM_TRY(failed.finish());
  return sink.finish(code);
}

/// Rank 0: the dispatcher here, its own worker in a thread.
ScanResult dispatch(const ScanCommand& command, const scan::RankIdentity& identity, Process& process) {
  const auto [channel, local_worker] = process.dispatcher_channel();
  const int ranks = process.ranks();
  const auto client = open_file_system(command);
  const std::jthread worker([&, local = local_worker] { work(*local, identity, client, command, process); });
  const TimePoint started = std::chrono::steady_clock::now();
  scan::FailedNames failed_names(command.nul_separated ? '\0' : '\n');
  ScanProgress progress(stdout, progress_style(), command.progress, failed_names);
  scan::ManifestSink sink;
  comm::Likeness likeness = identity.likeness;
  if (client) likeness.file_system = (*client)->fsname();
  scan::Dispatcher dispatcher(*channel, ranks, likeness, sink, progress);
  std::atomic<int> stop_signal = 0;
  process.signals().deliver_to([&](int number) {
    // A call that hangs in the file system cannot be ended in good order.
    if (stop_signal.exchange(number) != 0) process.abort(number == SIGINT ? k_interrupted : k_work_left);
    dispatcher.stop();
  });
  std::string failed;
  bool is_complete = false;
  try {
    dispatcher.greet();
    if (stop_signal == 0) {
      if (!command.failed_list.empty()) {
        if (const Status tried = bulk::try_failed_list(command.failed_list, command.output); !tried) throw Fatal(tried.error());
        if (const Status opened = failed_names.open(command.failed_list); !opened) throw Fatal(opened.error());
      }
      const scan::ManifestHead head{version_text().substr(0, version_text().find('\n')), (*client)->fsname(),
                                    (*client)->mount_point(), command.command_line, identity.host,
                                    static_cast<std::uint32_t>(ranks)};
      if (const Status opened = sink.open(command.output, head, command.replace); !opened) throw Fatal(opened.error());
      is_complete = go_through(command, **client, *channel, dispatcher);
    }
  } catch (const std::exception& error) {
    failed = error.what();
  }
  bool all_left = false;
  try {
    all_left = dispatcher.dismiss();
  } catch (const std::exception& error) {
    if (failed.empty()) failed = error.what();
  }
  if (!all_left) {
    sink.discard();
    process.fail(failed.empty() ? "a rank does not answer" : failed);
  }
  const int code = exit_code(is_complete, stop_signal, dispatcher.totals());
  Status finished;
  if (failed.empty() && is_complete) finished = finish(sink, failed_names, code);
  process.signals().hold();  // there may be more to do than a scan
  if (!failed.empty()) throw Fatal(failed);
  progress.close(dispatcher.totals(), ranks, is_complete && finished ? command.output : std::string(),
                 std::chrono::steady_clock::now() - started);
  if (!finished) throw Fatal(finished.error());
  return {code, is_complete, stop_signal};
}

}  // namespace

ScanResult run_scan(const ScanCommand& command, Process& process) {
  const scan::RankIdentity identity{{build_identity(), command.agreed}, process.host()};
  if (process.is_first()) return dispatch(command, identity, process);
  // Rank 0 decides when to stop; the signals that a launcher sends to every rank stay blocked here.
  const auto channel = process.worker_channel();
  work(*channel, identity, open_file_system(command), command, process);
  return {};
}

int run_scan(const ScanCommand& command) {
  Process process(command.log);
  return process.run([&] { return run_scan(command, process).code; });
}

}  // namespace lhsm::cli
