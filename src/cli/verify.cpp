// SPDX-License-Identifier: LGPL-2.1-or-later
#include "verify.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "lhsmtool_mpi/base/signals.hpp"
#include "lhsmtool_mpi/bulk/failed_list.hpp"
#include "lhsmtool_mpi/bulk/judge.hpp"
#include "lhsmtool_mpi/cli/build_id.hpp"
#include "lhsmtool_mpi/cli/commands.hpp"
#include "lhsmtool_mpi/store/job_files.hpp"
#include "lhsmtool_mpi/verify/worker.hpp"
#include "process.hpp"
#include "standard_output.hpp"
#include "surroundings.hpp"
#include "verify_progress.hpp"
#include "verify_summary.hpp"

namespace lhsm::cli {

namespace {

using store::Column;
using Backend = Outcome<std::unique_ptr<archive::Backend>>;

/// The items of a manifest whose files are archived, as far as it tells.
class ArchivedItems {
 public:
  explicit ArchivedItems(store::SeenJob& job) : m_job(job) {}

  [[nodiscard]] Outcome<std::optional<verify::Candidate>> next() {
    for (;;) {
      for (; m_at < m_slice.size.size(); ++m_at) {
        const std::uint32_t states =
            bulk::states_after(m_slice.action[m_at], m_slice.result[m_at], m_slice.hsm_state[m_at]);
        if ((states & abi::HS_ARCHIVED) == 0) {
          ++m_skipped;
          continue;
        }
        const verify::Candidate candidate{m_first + m_at,
                                          {m_slice.fid_seq[m_at], m_slice.fid_oid[m_at], m_slice.fid_ver[m_at]},
                                          m_slice.size[m_at],
                                          (states & abi::HS_DIRTY) == 0};
        ++m_at;
        return std::optional(candidate);
      }
      m_first += m_slice.size.size();
      if (m_first == m_job.manifest.item_count()) return std::optional<verify::Candidate>();
      constexpr store::Columns k_columns{Column::fid_seq,   Column::fid_oid, Column::fid_ver, Column::size,
                                         Column::hsm_state, Column::action,  Column::result};
      const auto count = std::min<std::uint64_t>(m_job.manifest.item_count() - m_first, store::k_slice_rows);
      LHSM_TRY(m_job.manifest.read(m_first, static_cast<std::size_t>(count), k_columns, m_slice));
      LHSM_TRY(m_job.state.overlay(m_first, m_slice));
      m_at = 0;
    }
  }
  [[nodiscard]] std::uint64_t skipped() const { return m_skipped; }

 private:
  store::SeenJob& m_job;
  store::ItemSlice m_slice;
  std::uint64_t m_first = 0;
  std::size_t m_at = 0;
  std::uint64_t m_skipped = 0;
};

Status write_list(const std::string& path, store::SeenJob& job, const std::vector<VerifyProgress::Failed>& failed) {
  LHSM_TRY_ASSIGN(bulk::FailedList list, bulk::FailedList::create(path));
  store::ItemSlice slice;
  std::uint64_t first = 0;
  for (const auto& item : failed) {  // in the order of rows: each slice is read once
    if (slice.path_end.empty() || item.row >= first + slice.path_end.size()) {
      first = item.row / store::k_slice_rows * store::k_slice_rows;
      const auto count = std::min<std::uint64_t>(job.manifest.item_count() - first, store::k_slice_rows);
      LHSM_TRY(job.manifest.read(first, static_cast<std::size_t>(count),
                                 {Column::fid_seq, Column::fid_oid, Column::fid_ver, Column::path}, slice));
    }
    const auto i = static_cast<std::size_t>(item.row - first);
    const std::string_view below = slice.path(i);
    LHSM_TRY(list.add({{slice.fid_seq[i], slice.fid_oid[i], slice.fid_ver[i]},
                       below.empty() ? std::string() : job.manifest.attributes().mount_point + "/" + std::string(below),
                       std::string(to_string(item.verdict)),
                       item.sys_errno,
                       1}));
  }
  LHSM_TRY(list.finish());
  return {};
}

/// Of a limit of all ranks together, each rank's; 0: none.
std::uint64_t share_of(std::uint64_t limit, int ranks) {
  return limit == 0 ? 0 : std::max<std::uint64_t>(limit / static_cast<std::uint64_t>(ranks), 1);
}

/// Be a rank; a failure ends all of them.
void work(comm::Channel& channel, const verify::WorkerOptions& options, const Backend& backend, Process& process) {
  try {
    if (backend)
      verify::run_worker(channel, **backend, options);
    else
      verify::run_unable_worker(channel, options, backend.error());
  } catch (const std::exception& error) {
    process.fail(error.what());
  }
}

int exit_code(bool is_complete, int stop_signal, const verify::Totals& totals) {
  if (!is_complete) return stop_signal == SIGINT ? k_interrupted : k_work_left;
  return totals.failed() > 0 ? k_some_failed : k_all_done;
}

/// Rank 0: the dispatcher here, its own worker in a thread.
int dispatch(const VerifyOptions& options, const verify::WorkerOptions& worker_options, Process& process) {
  auto [channel, local_worker] = process.dispatcher_channel();
  const Backend backend = archive::open_posix_backend(options.archive);
  const std::jthread worker([&, local = local_worker] { work(*local, worker_options, backend, process); });
  const TimePoint started = std::chrono::steady_clock::now();
  auto job = store::look_at_job(options.manifest);
  // What is to be read by a program has stdout for itself.
  VerifyProgress progress(options.json ? stderr : stdout, options.json ? report::Style::lines : progress_style(),
                          options.progress, job ? job->manifest.item_count() : 0);
  verify::Dispatcher dispatcher(*channel, process.ranks(), worker_options.likeness, {}, progress);
  std::atomic<int> stop_signal = 0;
  const HeardSignals heard(process.signals(), [&](int number) {
    // A call that hangs in the archive cannot be ended in good order.
    if (stop_signal.exchange(number) != 0) process.abort(number == SIGINT ? k_interrupted : k_work_left);
    dispatcher.stop();
  });
  std::string failed;
  bool is_complete = false;
  std::optional<ArchivedItems> items;
  try {
    dispatcher.greet();
    if (!job) throw Fatal(job.error());
    if (!options.failed_list.empty())
      if (const Status tried = bulk::try_failed_list(options.failed_list, options.manifest); !tried) throw Fatal(tried.error());
    items.emplace(*job);
    is_complete = dispatcher.run([&items] { return items->next(); });
  } catch (const std::exception& error) {
    failed = error.what();
  }
  process.send_home([&dispatcher] { return dispatcher.dismiss(); }, failed);
  if (!failed.empty()) throw Fatal(failed);
  const verify::Totals& totals = dispatcher.totals();
  const std::uint64_t left = is_complete ? 0 : job->manifest.item_count() - items->skipped() - totals.checked();
  progress.close();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  const VerifySummary summary{totals, process.ranks(), items->skipped(), left, is_complete, took.count()};
  print_answer(options.json ? verify_json(summary) : verify_text(summary));
  if (!options.failed_list.empty())
    if (const Status written = write_list(options.failed_list, *job, progress.failed()); !written)
      throw Fatal(written.error());
  return exit_code(is_complete, stop_signal, totals);
}

}  // namespace

int run_verify(const VerifyOptions& options) {
  Process process(options.log);
  return process.run([&]() -> int {
    verify::WorkerOptions worker_options{{build_identity(), options.agreed}, process.host(), options.threads};
    worker_options.bytes_per_second = share_of(options.bandwidth, process.ranks());
    if (process.is_first()) return dispatch(options, worker_options, process);
    // Rank 0 decides when to stop; the signals that a launcher sends to every rank stay blocked here.
    const auto channel = process.worker_channel();
    work(*channel, worker_options, archive::open_posix_backend(options.archive), process);
    return k_all_done;
  });
}

}  // namespace lhsm::cli
