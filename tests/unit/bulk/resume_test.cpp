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

TEST_F(JobTest, requests_of_a_dead_run_are_taken_over) {
  std::vector<Fid> fids;
  for (int i = 0; i < 40; ++i) fids.push_back(new_file("content " + std::to_string(i)));
  make_manifest(fids);
  // A run that dies when its actions were taken in: nobody ends them.
  open(ItemAction::archive);
  m_run->start("host", 1);
  ASSERT_TRUE(m_lustre.wait_for([](const auto& records) { return records.size() == 40; }));
  std::vector<ActionItem> sent;
  for (const auto& [key, record] : m_lustre.records()) sent.push_back(record.item);
  for (std::size_t i = 0; i < 25; ++i) m_run->job().taken_in(sent[i]);
  m_run->job().stop("dies");
  m_run.reset();
  m_lustre.discard_deliveries();
  EXPECT_EQ(copies(), 0);

  m_lustre.deliver({sent.begin() + 25, sent.end()});  // the coordinator sends what it had not sent
  const JobReport report = do_job(ItemAction::archive);
  EXPECT_EQ(report.census.with(ItemResult::done), 40U);
  EXPECT_EQ(m_lustre.records().size(), 40U) << "nothing was asked for twice";
  for (const auto& [key, record] : m_lustre.records()) EXPECT_EQ(record.ends.size(), 1U);
}

TEST_F(JobTest, restores_of_a_dead_run_are_ended_and_asked_for_anew) {
  std::vector<Fid> fids;
  for (int i = 0; i < 10; ++i) fids.push_back(new_released("object " + std::to_string(i)));
  make_manifest(fids);
  open(ItemAction::restore);
  m_run->start("host", 1);
  ASSERT_TRUE(m_lustre.wait_for([](const auto& records) { return records.size() == 10; }));
  for (const auto& [key, record] : m_lustre.records()) m_run->job().taken_in(record.item);
  m_run->job().stop("dies");
  m_run.reset();
  m_lustre.discard_deliveries();

  EXPECT_EQ(do_job(ItemAction::restore).census.with(ItemResult::done), 10U);
  EXPECT_EQ(m_lustre.records().size(), 20U);
  for (const auto& [key, record] : m_lustre.records()) EXPECT_EQ(record.ends.size(), 1U);
  for (std::size_t i = 0; i < fids.size(); ++i) {
    EXPECT_EQ(m_lustre.content(fids[i]), "object " + std::to_string(i));
    EXPECT_EQ(items()[i].outcome.attempts, 1U) << "the kill was not the file's fault";
  }
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
  EXPECT_NE(m_run->job().progress().stopped_because.find("lock"), std::string::npos);
  const auto report = m_run->close([](const JobReport&) { return 0; });
  ASSERT_FALSE(report) << "the manifest is not touched";
  EXPECT_EQ(report.error().sys_errno, ESTALE);
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
