// SPDX-License-Identifier: LGPL-2.1-or-later
// A job that the ranks carry out themselves.
#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "job_command.hpp"
#include "job_options.hpp"
#include "job_report.hpp"
#include "job_state_files.hpp"
#include "lhsmtool_mpi/archive/posix_tree.hpp"
#include "lhsmtool_mpi/base/say.hpp"
#include "lhsmtool_mpi/bulk/import.hpp"
#include "lhsmtool_mpi/bulk/rank_job.hpp"
#include "lhsmtool_mpi/cli/build_id.hpp"
#include "lhsmtool_mpi/cli/commands.hpp"
#include "lhsmtool_mpi/run/worker.hpp"
#include "process.hpp"

namespace lhsm::cli {

namespace {

/// What a rank needs to carry files out, and what it does to each.
struct Workshop {
  std::unique_ptr<lustre::Client> client;
  std::optional<archive::PosixTree> from;
  std::optional<archive::PosixTree> to;
  std::optional<bulk::Importer> importer;

  comm::FileDone carry_out(const comm::FileToDo& file, const std::string& source) const {
    return importer ? importer->import(file, source) : bulk::release_file(*client, file.fid);
  }
};

archive::PosixOptions old_archive(const JobCommandOptions& options) {
  archive::PosixOptions from = options.serve.archive;
  if (!options.from_root.empty()) from.root = options.from_root;
  from.format = options.from_format.value_or(from.format);
  return from;
}

/// Rank 0's archives are those of all ranks.
class SameArchives {
 public:
  /// Of rank 0, if it has opened them: what the others are to find. It lives as long as they may look.
  static Outcome<SameArchives> open(const JobCommandOptions& options) {
    SameArchives archives;
    for (const auto& one : {old_archive(options), options.serve.archive}) {
      LHSM_TRY_ASSIGN(auto backend, archive::open_posix_backend(one));
      LHSM_TRY_ASSIGN(const archive::Access access, backend->check());
      // Names are made in the one, and the other is on the same file system.
      if (access == archive::Access::read_only) return errno_error("write to the archive", one.root, EROFS);
      archives.m_backends.push_back(std::move(backend));
      archives.m_roots.push_back(one.root);
    }
    return archives;
  }
  /// Return a line for each, or nothing where rank 0 has none.
  [[nodiscard]] Outcome<std::string> marks() const {
    std::string lines;
    for (const auto& backend : m_backends) {
      LHSM_TRY_ASSIGN(const std::string mark, backend->mark());
      lines += mark + '\n';
    }
    return lines;
  }
  [[nodiscard]] Status know(std::string_view marks) const {
    for (std::size_t i = 0; i < m_backends.size() && !marks.empty(); ++i) {
      const auto end = marks.find('\n');
      LHSM_TRY_ASSIGN(const bool is_same, m_backends[i]->knows(std::string(marks.substr(0, end))));
      if (!is_same) return errno_error("find what rank 0 has in the archive", m_roots[i], ENOENT);
      marks.remove_prefix(end + 1);
    }
    return {};
  }

 private:
  std::vector<std::unique_ptr<archive::Backend>> m_backends;
  std::vector<std::string> m_roots;
};

Outcome<Workshop> open_workshop(const JobCommandOptions& options) {
  Workshop shop;
  LHSM_TRY_ASSIGN(shop.client, lustre::open_client(options.serve.mount_point));
  if (options.run.action != store::ItemAction::import) return shop;
  const archive::PosixOptions from = old_archive(options);
  LHSM_TRY_ASSIGN(shop.from, archive::PosixTree::open(from.root, from.format));
  LHSM_TRY_ASSIGN(shop.to, archive::PosixTree::open(options.serve.archive.root, options.serve.archive.format));
  LHSM_TRY(shop.to->check_adoption(*shop.from));
  return shop;
}

/// What a rank has opened. Its trees do not move any more, as the importer knows where they are.
struct Doors {
  SameArchives archives;
  Outcome<Workshop> shop;

  /// On all ranks at once.
  Doors(const JobCommandOptions& options, Process& process) : shop(open(options, process)) {
    if (!shop || !shop->to) return;
    auto importer = bulk::Importer::open(*shop->client, *shop->from, *shop->to, options.serve.archive_ids.front());
    if (importer)
      shop->importer.emplace(std::move(*importer));
    else
      shop = Failure(importer.error());
  }
  Doors(const Doors&) = delete;
  Doors& operator=(const Doors&) = delete;
  ~Doors() = default;

 private:
  Outcome<Workshop> open(const JobCommandOptions& options, Process& process) {
    if (options.run.action != store::ItemAction::import) return open_workshop(options);
    Status status;
    const auto open_archives = [&] {
      auto opened = SameArchives::open(options);
      if (opened)
        archives = std::move(*opened);
      else
        status = Failure(opened.error());
    };
    if (process.is_first()) open_archives();
    const std::string marks = process.share(process.is_first() ? archives.marks().value_or("") : "");
    // Not before: a network file system may know only what it has seen when it was opened.
    if (!process.is_first()) open_archives();
    if (status) status = archives.know(marks);
    if (!status) return Failure(status.error());
    return open_workshop(options);
  }
};

/// Be a rank; a failure ends all of them.
void work(comm::Channel& channel, const JobCommandOptions& options, const Doors& doors, Process& process) {
  try {
    const comm::Likeness likeness{build_identity(), options.serve.agreed};
    if (!doors.shop) {
      run::run_unable_worker(channel, {likeness, process.host(), 0}, doors.shop.error());
      return;
    }
    bulk::run_rank_job_worker(channel, likeness, process.host(), doors.shop->client->fsname(), options.run.asker.threads,
                              [&shop = *doors.shop](const comm::FileToDo& file, const std::string& source) {
                                return shop.carry_out(file, source);
                              });
  } catch (const std::exception& error) {
    process.fail(error.what());
  }
}

std::string joined(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

/// What is there while it runs.
struct Running {
  const JobCommandOptions& options;
  Process& process;
  comm::Channel& channel;
  bulk::RankJobDispatcher dispatcher;
  std::atomic<int> stop_signal = 0;
  std::atomic<bool> is_stopped = false;
  std::unique_ptr<lustre::Client> client;
  RealClock clock;
  std::unique_ptr<bulk::JobRun> run;

  /// Open the job, and have it done. Where a stop comes first there is no `run` then.
  void go() {
    auto opened = lustre::open_client(options.serve.mount_point);
    if (!opened) throw Fatal(opened.error());
    client = std::move(*opened);
    if (!dispatcher.greet(is_stopped, client->fsname())) return;
    bulk::JobRunOptions run_options = options.run;
    run_options.order.is_stopped = [this] { return is_stopped.load(); };
    run_options.job.least_inflight = bulk::k_files_of_a_rank * static_cast<std::size_t>(process.ranks());
    auto made = bulk::JobRun::open(run_options, *client, clock, [this] { channel.wake(); });
    if (!made) throw Fatal(made.error());
    run = std::move(*made);
    const auto control = watch_control_file(options.serve.control_file, [this](const Controls& controls) {
      run->job().set_limits(limits_of(controls, options.run.job.limits));
    });
    JobStateFiles files(options.serve, std::string(bulk::to_string(run->action())), *run, static_cast<std::uint64_t>(process.ranks()));
    run->start(joined(dispatcher.hosts()), static_cast<std::uint32_t>(process.ranks()));
    TimePoint next = clock.now() + options.serve.progress;
    dispatcher.run(run->job(), run->file_system(), [&] {
      if (is_stopped) run->job().stop("the run was told to stop");
      files.update();
      if (options.serve.progress == std::chrono::seconds(0) || clock.now() < next) return;
      next = clock.now() + options.serve.progress;
      print_progress(*run);
    });
    files.close();
  }
};

int dispatch(const JobCommandOptions& options, const Doors& doors, Process& process) {
  auto [channel, local_worker] = process.dispatcher_channel();
  Running running{options, process, *channel, {*channel, process.ranks(), {build_identity(), options.serve.agreed}}, 0, false, {}, {}, {}};
  const std::jthread worker([&, local = local_worker] { work(*local, options, doors, process); });
  process.signals().deliver_to([&running](int number) {
    // A call that hangs in the file system cannot be ended in good order.
    if (running.stop_signal.exchange(number) != 0) running.process.abort(number == SIGINT ? k_interrupted : k_work_left);
    running.is_stopped = true;
    running.channel.wake();
  });
  std::string failed;
  try {
    running.go();
  } catch (const std::exception& error) {
    failed = error.what();
  }
  const auto dismiss = [&running] { return running.dispatcher.dismiss(running.run != nullptr ? &running.run->job() : nullptr); };
  process.send_home(dismiss, failed);
  process.signals().hold();
  if (!failed.empty()) throw Fatal(failed);
  const int stop_signal = running.stop_signal;
  if (running.run == nullptr) return stop_signal == SIGINT ? k_interrupted : k_work_left;
  const auto report =
      running.run->close([&](const bulk::JobReport& so_far) { return exit_code_of(so_far, stop_signal); });
  if (!report) throw Fatal(report.error());
  say(stdout, "{}", summary(*report, running.run->action(), options.run.manifest));
  return exit_code_of(*report, stop_signal);
}

}  // namespace

int run_rank_job(const JobCommandOptions& options, Process& process) {
  const Doors doors(options, process);
  if (process.is_first()) return dispatch(options, doors, process);
  const auto channel = process.worker_channel();
  work(*channel, options, doors, process);
  return k_all_done;
}

}  // namespace lhsm::cli
