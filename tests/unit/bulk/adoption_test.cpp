// SPDX-License-Identifier: LGPL-2.1-or-later
// Jobs that take over what a run asked for that is dead.
#include "job_fixture.hpp"

namespace lhsm::bulk {
namespace {

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

TEST_F(JobTest, requests_of_a_dead_run_for_another_archive_are_not_carried_out_in_this_one) {
  const Fid fid = new_file("content");
  make_manifest({fid});
  die_with(ItemAction::archive);
  m_lustre.set_hsm_state(fid, abi::HS_EXISTS, 1);  // what Lustre notes when it sends an archive
  m_run_options.asker.archives = {2};
  const JobReport report = do_job(ItemAction::archive);
  EXPECT_EQ(copies(), 0);
  EXPECT_EQ(m_lustre.records().begin()->second.ends, std::vector<int>{EAGAIN});
  EXPECT_EQ(report.census.with(ItemResult::refused), 1U);
}

TEST_F(JobTest, a_waiting_request_of_a_dead_run_for_another_archive_is_left_to_that) {
  const Fid fid = new_released("object");
  make_manifest({fid});
  m_lustre.hold_requests(true);
  open(ItemAction::restore);
  m_run->start("host", 1);
  ASSERT_TRUE(m_lustre.wait_for([](const auto& records) { return records.size() == 1; }));
  m_run->job().stop("dies");
  m_run.reset();
  m_run_options.asker.archives = {2};
  const JobReport report = do_job(ItemAction::restore);
  EXPECT_EQ(report.census.with(ItemResult::refused), 1U);
  EXPECT_TRUE(m_lustre.records().begin()->second.ends.empty()) << "a user may wait for it, too";
}

TEST_F(JobTest, who_only_asks_does_not_take_over_what_nobody_carries_out) {
  const Fid fid = new_file("content");
  make_manifest({fid});
  die_with(ItemAction::archive);
  m_run_options.serves = false;
  open(ItemAction::archive);
  EXPECT_TRUE(m_run->take_adopted().empty());
  EXPECT_EQ(m_lustre.records().begin()->second.ends, std::vector<int>{EAGAIN});
  EXPECT_EQ(m_run->job().progress().inflight, 0U) << "it is to be asked for anew";
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

}  // namespace
}  // namespace lhsm::bulk
