// SPDX-License-Identifier: LGPL-2.1-or-later
// Jobs beside others, and jobs that go on where an earlier run ended.
#include "job_fixture.hpp"

namespace lhsm::bulk {
namespace {

TEST_F(JobTest, a_stopped_job_goes_on_with_the_rest) {
  std::vector<Fid> fids;
  for (int i = 0; i < 300; ++i) fids.push_back(new_file("content " + std::to_string(i)));
  make_manifest(fids);
  std::atomic<int> begun = 0;
  m_lustre.before(Call::copy_start, [&](const Fid&) { return ++begun > 100 ? m_gate.pass() : 0; });
  begin(ItemAction::archive);
  ASSERT_TRUE(m_gate.wait_for_arrivals(1));
  request_stop();
  m_gate.open();
  join();
  m_run->job().stop("test");
  const JobReport first = end();
  EXPECT_GT(first.census.with(ItemResult::done), 0U);
  EXPECT_GT(first.census.left(), 0U);
  EXPECT_EQ(first.census.with(ItemResult::failed), 0U) << "what was put back is left, not failed";
  const int before = copies();
  const JobReport second = do_job(ItemAction::archive);
  EXPECT_EQ(second.census.with(ItemResult::done) + second.census.with(ItemResult::already), 300U);
  EXPECT_LE(copies() - before, static_cast<int>(first.census.left()));
}

TEST_F(JobTest, other_copytools_results_are_seen) {
  std::vector<Fid> fids;
  for (int i = 0; i < 30; ++i) fids.push_back(new_file());
  make_manifest(fids);
  begin(ItemAction::archive, 0);
  ASSERT_TRUE(m_lustre.wait_for([](const auto& records) { return records.size() == 30; }));
  for (const Fid& fid : fids) m_lustre.set_hsm_state(fid, k_archived);
  EXPECT_TRUE(wait_for_fulfilment());
  EXPECT_EQ(end().census.with(ItemResult::done), 30U);
}

TEST_F(JobTest, a_request_that_the_coordinator_lost_is_asked_for_again) {
  const Fid fid = new_file();
  make_manifest({fid});
  m_lustre.hold_requests(true);
  begin(ItemAction::archive);
  ASSERT_TRUE(m_lustre.wait_for([](const auto& records) { return records.size() == 1; }));
  m_lustre.forget_requests();
  m_lustre.hold_requests(false);
  EXPECT_TRUE(wait_for_fulfilment());
  EXPECT_EQ(end().census.with(ItemResult::done), 1U);
}

/// As with --submit-only, where all that is heard of copytools that fail is that the requests are over.
TEST_F(JobTest, stops_when_all_requests_run_into_the_timeout) {
  std::vector<Fid> fids;
  for (int i = 0; i < 300; ++i) fids.push_back(new_file());
  make_manifest(fids);
  open(ItemAction::archive);
  Job& job = m_run->job();
  const Error over{ErrorKind::timeout, ETIMEDOUT, "wait for the request for", "file"};
  std::size_t failures = 0;
  for (auto rows = job.next_batch(); !rows.empty(); rows = job.next_batch()) {
    job.asked(rows);
    for (const Row& row : rows) job.failed(row, over);
    failures += rows.size();
  }
  EXPECT_NE(job.progress().stopped_because.find("ETIMEDOUT"), std::string::npos) << job.progress().stopped_because;
  EXPECT_LT(failures, 160U);
}

TEST_F(JobTest, requests_of_a_dead_run_that_run_into_the_timeout_do_not_stop_it) {
  std::vector<Fid> fids;
  for (int i = 0; i < 400; ++i) fids.push_back(new_file());
  make_manifest(fids);
  m_run_options.job.maybe_asked_before = 200;  // as the next run of a job that died has it
  m_run_options.job.first_delay = 1h;
  open(ItemAction::archive);
  Job& job = m_run->job();
  const Error over{ErrorKind::timeout, ETIMEDOUT, "wait for the request for", "file"};
  for (std::uint64_t i = 200; i < 400; ++i) {
    const Row row{i, fids[i], 0, 0, 0, 1, k_no_group};
    job.adopt(row, false);
    job.failed(row, over);
  }
  for (auto rows = job.batch_now(); !rows.empty(); rows = job.batch_now())
    for (const Row& row : rows) job.failed(row, over);
  EXPECT_EQ(job.progress().retrying, 400U);
  EXPECT_EQ(job.progress().stopped_because, "");
}

TEST_F(JobTest, others_requests_are_served_ahead_of_the_bulk) {
  m_options.stripe_threshold = k_GiB;
  std::vector<Fid> fids;
  for (int i = 0; i < 50; ++i) fids.push_back(new_file("bulk"));
  make_manifest(fids);
  // One slot is left free of two, and a bulk copy stands in the other one.
  m_lustre.before(Call::copy_start, [&](const Fid& fid) { return std::count(fids.begin(), fids.end(), fid) > 0 ? m_gate.pass() : 0; });
  begin(ItemAction::archive, 1);
  ASSERT_TRUE(m_gate.wait_for_arrivals(1));
  const auto user = m_lustre.send(ActionKind::archive, {m_lustre.make_file("user")});
  EXPECT_TRUE(m_lustre.wait_for_end_of(user));
  EXPECT_EQ(result(user.front()), 0);
  m_gate.open();
  EXPECT_TRUE(wait_for_fulfilment());
  EXPECT_EQ(end().census.with(ItemResult::done), 50U) << "the user's file is no item";
}

TEST_F(JobTest, ends_when_its_lock_is_taken_away) {
  make_manifest({new_file()});
  m_run_options.lock_heartbeat = 10ms;
  m_run_options.asker.look_after = 1h;
  m_lustre.hold_requests(true);
  begin(ItemAction::archive, 0);
  ASSERT_TRUE(m_lustre.wait_for([](const auto& records) { return records.size() == 1; }));
  std::filesystem::remove(m_run_options.manifest + ".lock");
  EXPECT_TRUE(wait_for_fulfilment());
  ASSERT_TRUE(m_run->job().progress().broken);
  EXPECT_EQ(m_run->job().progress().broken->sys_errno, ESTALE);
  const ActionItem item = m_lustre.records().begin()->second.item;
  m_run->job().taken_in(item);  // its copytool goes on until it is told to stop
  m_run->job().ended(item, {});
  const auto report = m_run->close([](const JobReport&) { return 0; });
  ASSERT_FALSE(report) << "the manifest is not touched";
  EXPECT_EQ(report.error().sys_errno, ESTALE);
  m_run.reset();
  EXPECT_EQ(items()[0].outcome.result, ItemResult::pending) << "it is somebody else's journal";
}

TEST_F(JobTest, a_job_that_is_folded_while_it_runs_ends_as_any_other) {
  m_options.stripe_threshold = 2 * k_MiB;
  const auto generation = [this] { return store::ManifestReader::open(m_run_options.manifest)->identity().generation; };
  std::vector<std::vector<store::Item>> ends;
  for (const bool is_folded : {false, true}) {
    std::vector<Fid> fids;
    for (int i = 0; i < 60; ++i) fids.push_back(new_file("content " + std::to_string(i)));
    fids.push_back(new_file(test::pattern(6 * k_MiB)));
    fids.push_back(m_lustre.make_file("x"));
    m_lustre.unlink(fids.back());
    m_run_options.manifest = m_job_dir / (is_folded ? "folded.h5" : "job.h5");
    make_manifest(fids);
    std::atomic<int> begun = 0;
    if (is_folded) {
      m_run_options.fold = {.at_bytes = 1024, .at_part = 0};
      m_lustre.before(Call::copy_start, [&](const Fid&) { return ++begun > 20 ? m_gate.pass() : 0; });
    }
    begin(ItemAction::archive);
    if (is_folded) {
      ASSERT_TRUE(m_gate.wait_for_arrivals(1));
      while (generation() < 3) std::this_thread::yield();  // the first one was folded when it became an archive
      EXPECT_EQ(items().size(), 62U) << "can be looked at";
      m_gate.open();
    }
    EXPECT_TRUE(wait_for_fulfilment());
    EXPECT_EQ(end().census.with(ItemResult::done), 61U);
    if (is_folded) m_lustre.before(Call::copy_start, [](const Fid&) { return 0; });
    ends.push_back(items());
    EXPECT_FALSE(std::filesystem::exists(m_run_options.manifest + ".journal.old"));
    EXPECT_EQ(store::ManifestReader::open(m_run_options.manifest)->runs().size(), 1U);
  }
  for (std::size_t i = 0; i < ends[0].size(); ++i) {
    const store::ItemOutcome& one = ends[0][i].outcome;
    const store::ItemOutcome& other = ends[1][i].outcome;
    EXPECT_EQ(one.result, other.result) << i;
    EXPECT_EQ(one.sys_errno, other.sys_errno);
    EXPECT_EQ(one.attempts, other.attempts);
    EXPECT_EQ(one.bytes_copied, other.bytes_copied);
    EXPECT_EQ(one.digest, other.digest);
  }
}

TEST_F(JobTest, what_a_dead_run_asked_for_last_is_not_asked_for_twice) {
  const Fid fid = new_file("content");
  make_manifest({fid});
  open(ItemAction::archive);
  m_lustre.hold_requests(true);
  // It dies when the coordinator has the request, and the journal does not know.
  ASSERT_TRUE(m_lustre.request(abi::HUA_ARCHIVE, 1, std::span(&fid, 1)));
  m_run_options.asker.threads = 0;
  m_run.reset();
  open(ItemAction::archive);
  m_run->start("host", 1);  // this one has a record
  m_run->job().stop("dies");
  m_run.reset();
  m_run_options.asker.threads = 2;
  begin(ItemAction::archive);
  int left = 120'000;
  while (left-- > 0 && m_run->job().unanswered(0ms, 1).empty()) ASSERT_TRUE(m_run->job().goes_on_after(1ms));
  EXPECT_GT(left, 0) << "it was not found";
  m_lustre.hold_requests(false);
  EXPECT_TRUE(wait_for_fulfilment());
  EXPECT_EQ(end().census.with(ItemResult::done), 1U);
  EXPECT_EQ(m_lustre.records().size(), 1U);
  EXPECT_EQ(copies(), 1);
}

TEST_F(JobTest, a_stopped_retry_leaves_work) {
  std::vector<Fid> fids;
  for (int i = 0; i < 5; ++i) fids.push_back(new_released("object"));
  for (const Fid& fid : fids) std::filesystem::remove(object(fid));
  make_manifest(fids);
  EXPECT_EQ(do_job(ItemAction::restore).census.with(ItemResult::failed), 5U);
  m_run_options.takes_up_failed = true;
  open(ItemAction::restore);
  m_run->job().stop("before it has begun");
  const JobReport stopped = end();
  EXPECT_EQ(stopped.census.left(), 5U);
  EXPECT_EQ(stopped.census.unsuccessful(), 0U);
  m_run_options.takes_up_failed = false;
  const JobReport rest = do_job(ItemAction::restore);
  EXPECT_EQ(rest.census.with(ItemResult::failed), 5U) << "which a plain run goes on with";
  EXPECT_EQ(rest.census.left(), 0U);
}

TEST_F(JobTest, a_name_that_is_a_link_is_the_same_job) {
  make_manifest({new_file()});
  const std::string real = m_run_options.manifest;
  std::filesystem::create_symlink("job.h5", m_job_dir / "latest.h5");
  open(ItemAction::archive);
  JobRunOptions other = m_run_options;
  other.manifest = m_job_dir / "latest.h5";
  const auto second = JobRun::open(other, m_lustre, m_clock, [] {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::busy);
  end();
  m_run_options.manifest = other.manifest;
  EXPECT_EQ(do_job(ItemAction::archive).census.with(ItemResult::done), 1U);
  EXPECT_TRUE(std::filesystem::is_symlink(other.manifest));
  m_run_options.manifest = real;
  EXPECT_EQ(items()[0].outcome.result, ItemResult::done);
}

TEST_F(JobTest, a_job_of_another_file_system_is_refused) {
  auto writer = store::ManifestWriter::create(m_run_options.manifest, {"test", "elsewhere", "/mnt", "", 0},
                                              store::ManifestIdentity::make(), store::ManifestWriter::Replace::no);
  ASSERT_TRUE(writer && writer->finish());
  m_run_options.action = ItemAction::archive;
  const auto run = JobRun::open(m_run_options, m_lustre, m_clock, [] {});
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().sys_errno, EXDEV);
}

TEST_F(JobTest, restores_are_recorded_where_users_do_not_wait_for_them) {
  const Fid fid = new_released("object");
  make_manifest({fid});
  std::atomic<int> requests = 0;
  m_lustre.before(Call::request, [&requests](const Fid&) { return ++requests, ENODATA; });
  m_run_options.asker.look_after = 1h;
  begin(ItemAction::restore);
  int left = 120'000;
  while (left-- > 0 && m_run->job().unanswered(0ms, 1).empty()) ASSERT_TRUE(m_run->job().goes_on_after(1ms));
  EXPECT_GT(left, 0) << "it does not count as asked for";
  EXPECT_EQ(requests, 1);
  EXPECT_EQ(m_run->job().progress().retrying, 0U);
  m_run->job().stop("test");
  request_stop();
  end();
}

TEST_F(JobTest, a_coordinator_that_does_not_run_is_waited_for) {
  const Fid fid = new_file();
  make_manifest({fid});
  std::atomic<int> tries = 0;
  m_lustre.before(Call::request, [&tries](const Fid&) { return ++tries < 2 ? EAGAIN : 0; });
  EXPECT_EQ(do_job(ItemAction::archive).census.with(ItemResult::done), 1U);
}

TEST_F(JobTest, the_window_bounds_what_is_at_the_coordinator) {
  std::vector<Fid> fids;
  for (int i = 0; i < 400; ++i) fids.push_back(new_file());
  make_manifest(fids);
  m_run_options.job.max_inflight = 60;
  m_lustre.hold_requests(true);
  begin(ItemAction::archive);
  ASSERT_TRUE(m_lustre.wait_for([](const auto& records) { return records.size() == 60; }));
  m_lustre.hold_requests(false);
  m_lustre.before(Call::request, [this](const Fid&) {
    std::size_t open = 0;
    for (const auto& [key, record] : m_lustre.records()) open += record.ends.empty() ? 1U : 0U;
    EXPECT_LE(open, 60U);
    return 0;
  });
  EXPECT_TRUE(wait_for_fulfilment());
  EXPECT_EQ(end().census.with(ItemResult::done), 400U);
}

}  // namespace
}  // namespace lhsm::bulk
