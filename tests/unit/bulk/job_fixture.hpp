// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <set>
#include <thread>

#include "lhsmtool_mpi/bulk/ask_files.hpp"
#include "lhsmtool_mpi/bulk/job_watcher.hpp"
#include "lhsmtool_mpi/bulk/rank_job.hpp"
#include "lhsmtool_mpi/comm/loopback.hpp"
#include "unit/run/whole_run.hpp"

namespace lhsm::bulk {

using namespace std::chrono_literals;
using store::ItemAction;
using store::ItemResult;
using test::Call;

constexpr std::uint32_t k_archived = abi::HS_EXISTS | abi::HS_ARCHIVED;
constexpr std::uint32_t k_released = k_archived | abi::HS_RELEASED;

/// A job over a whole run in one process.
class JobTest : public run::WholeRunTest {
 protected:
  JobTest() {
    m_run_options.manifest = m_job_dir / "job.h5";
    m_run_options.user = "tester";
    m_run_options.command_line = "test";
    m_run_options.job.first_delay = 10ms;
    m_run_options.asker.threads = 2;
    m_run_options.asker.look_after = 50ms;
  }
  ~JobTest() override { m_run.reset(); }

  run::Observer& observer() override { return *m_watcher; }
  run::AskHandler ask_handler() override {
    return [this](const comm::AskFiles& files) { return ask_for_files(m_lustre, files); };
  }

  Fid new_file(const std::string& content = "x", std::uint32_t states = 0, int mdt = 0) {
    const Fid fid = m_lustre.make_file(content, mdt);
    m_lustre.set_hsm_state(fid, states);
    return fid;
  }
  /// A released file with its object in the archive.
  Fid new_released(const std::string& content) {
    const Fid fid = m_lustre.make_released(content.size());
    m_lustre.set_hsm_state(fid, k_released);
    make_object(fid, content);
    return fid;
  }
  void make_manifest(const std::vector<Fid>& fids, const std::function<std::uint64_t(const Fid&)>& size_of = {},
                     const std::string& directory = "dir") {
    auto writer = store::ManifestWriter::create(m_run_options.manifest, {"test", "fake", "/mnt", "", 0},
                                                store::ManifestIdentity::make(), store::ManifestWriter::Replace::no);
    ASSERT_TRUE(writer) << writer.error().describe();
    for (const Fid& fid : fids) {
      store::Item item;
      item.fid = fid;
      if (size_of) item.size = size_of(fid);
      item.path = directory + "/" + fid.str();
      item.archive_id = 1;
      item.mdt_index = static_cast<std::uint32_t>(fid.seq & 0xffU);
      ASSERT_TRUE(writer->append(item));
    }
    ASSERT_TRUE(writer->finish());
  }
  void open(ItemAction action) {
    m_run_options.action = action;
    m_is_fulfilled = false;
    auto opened = JobRun::open(m_run_options, m_lustre, m_clock, [this] { fulfilled(); });
    ASSERT_TRUE(opened) << opened.error().describe();
    m_run = std::move(*opened);
    m_dispatcher_options.adopted = m_run->take_adopted();
    m_dispatcher_options.is_bulk = [this](const ActionItem& item) { return m_run->job().has(item); };
    m_dispatcher_options.unfinished = &m_run->job();
    m_dispatcher_options.errands = m_run_options.ranks_ask ? &m_run->errands() : nullptr;
    m_watcher = std::make_unique<JobWatcher>(m_observer, *m_run);
  }
  /// Begin a job with a copytool of so many workers; 0: without one.
  void begin(ItemAction action, int workers = 2) {
    m_run_options.ranks_ask = workers > 0;
    open(action);
    if (HasFatalFailure()) return;
    if (workers > 0) start(workers);
    m_run->start("host", static_cast<std::uint32_t>(workers));
  }
  /// A run that dies when its only action was taken in: nobody ends it.
  void die_with(ItemAction action) {
    open(action);
    m_run->start("host", 1);
    ASSERT_TRUE(m_lustre.wait_for([](const auto& records) { return records.size() == 1; }));
    m_run->job().taken_in(m_lustre.records().begin()->second.item);
    m_run->job().stop("dies");
    m_run.reset();
    m_lustre.discard_deliveries();
  }
  [[nodiscard]] bool wait_for_fulfilment() {
    std::unique_lock lock(m_mutex);
    return m_changed.wait_for(lock, 120s, [this] { return m_is_fulfilled; });
  }
  /// Stop the copytool and close the job.
  JobReport end() {
    if (m_dispatcher_thread.joinable()) stop();
    auto report = m_run->close([](const JobReport&) { return 0; });
    EXPECT_TRUE(report) << report.error().describe();
    m_run.reset();
    m_stop.count = 0;
    return report ? *report : JobReport{};
  }
  void be_releasing_rank(comm::Channel& channel, const comm::Likeness& likeness, const std::string& host, unsigned threads) {
    run_rank_job_worker(channel, likeness, host, m_lustre.fsname(), threads,
                        [this](const comm::FileToDo& file, const std::string&) { return release_file(m_lustre, file.fid); });
  }
  /// Carry a release job out on so many ranks, or until `tick` stops it.
  JobReport release(int ranks, const std::function<void()>& tick = [] {}) {
    comm::LoopbackHub hub(ranks);
    std::vector<std::jthread> workers;
    for (int i = 0; i < ranks; ++i)
      workers.emplace_back([this, &hub, i] { be_releasing_rank(hub.worker(i), "build", "host" + std::to_string(i), 3); });
    RankJobDispatcher dispatcher(hub, ranks, "build");
    EXPECT_TRUE(dispatcher.greet(std::atomic<bool>(false)));
    m_hosts = dispatcher.hosts();
    m_run_options.job.least_inflight = k_files_of_a_rank * static_cast<std::size_t>(ranks);
    open(ItemAction::release);
    m_run->start("hosts", static_cast<std::uint32_t>(ranks));
    dispatcher.run(m_run->job(), {}, tick);
    EXPECT_TRUE(dispatcher.dismiss(&m_run->job()));
    m_run_options.job.least_inflight = JobOptions{}.least_inflight;
    return end();
  }
  /// Carry out a whole job.
  JobReport do_job(ItemAction action, int workers = 2) {
    if (action == ItemAction::release) return release(workers);
    begin(action, workers);
    EXPECT_TRUE(wait_for_fulfilment());
    return end();
  }
  [[nodiscard]] std::vector<store::Item> items() {
    auto seen = store::look_at_job(m_run_options.manifest);
    EXPECT_TRUE(seen) << seen.error().describe();
    store::ItemSlice slice;
    EXPECT_TRUE(seen->manifest.read(0, seen->manifest.item_count(), store::Columns::all(), slice));
    EXPECT_TRUE(seen->state.overlay(0, slice));
    std::vector<store::Item> found;
    for (std::size_t i = 0; i < slice.result.size(); ++i) found.push_back(slice.item(i));
    return found;
  }
  [[nodiscard]] int copies() const { return m_lustre.calls(Call::copy_start); }

  test::TempDir m_job_dir;
  JobRunOptions m_run_options;
  std::unique_ptr<JobRun> m_run;
  std::unique_ptr<JobWatcher> m_watcher;
  std::set<std::string> m_hosts;  // of the last release

 private:
  void fulfilled() {
    const std::lock_guard lock(m_mutex);
    m_is_fulfilled = true;
    m_changed.notify_all();
  }
  std::mutex m_mutex;
  std::condition_variable m_changed;
  bool m_is_fulfilled = false;
};

}  // namespace lhsm::bulk
