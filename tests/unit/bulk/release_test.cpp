// SPDX-License-Identifier: LGPL-2.1-or-later
// Jobs that release: on several ranks, without a copytool.
#include "job_fixture.hpp"

namespace lhsm::bulk {
namespace {

TEST_F(JobTest, releases_what_may_be_released) {
  const Fid good = new_file("x", k_archived);
  const Fid done = new_file("x", k_released);
  const Fid dirty = new_file("x", k_archived | abi::HS_DIRTY);
  const Fid gone = new_file("x", k_archived);
  m_lustre.unlink(gone);
  make_manifest({good, done, dirty, gone, good});
  const JobReport report = release(1);
  EXPECT_TRUE(report.progress.finished);
  EXPECT_EQ(report.census.with(ItemResult::done), 1U);
  EXPECT_EQ(report.census.with(ItemResult::already), 2U) << "one was, one is listed twice";
  EXPECT_EQ(report.census.with(ItemResult::refused), 1U);
  EXPECT_EQ(report.census.with(ItemResult::failed), 1U);
  EXPECT_EQ(m_lustre.states(good), k_released);
  EXPECT_EQ(items()[2].outcome.sys_errno, EPERM);
  EXPECT_EQ(report.progress.errors.at("changed since it was archived"), 1U);
  EXPECT_EQ(items()[3].outcome.sys_errno, ENOENT);
  EXPECT_EQ(items()[0].outcome.rank, 0);
}

TEST_F(JobTest, all_ranks_work) {
  std::vector<Fid> fids;
  for (int i = 0; i < 1000; ++i) fids.push_back(new_file("x", k_archived, i % 3));
  make_manifest(fids);
  // No file is done before each rank has had one: threads of three ranks stand at the gate.
  std::atomic<bool> is_open = false;
  m_lustre.before(Call::request, [&](const Fid&) {
    if (!is_open) m_gate.pass();
    return 0;
  });
  std::jthread opener([&] {
    EXPECT_TRUE(m_gate.wait_for_arrivals(9));
    is_open = true;
    m_gate.open();
  });
  const JobReport report = release(3);
  EXPECT_EQ(report.census.with(ItemResult::done), 1000U);
  EXPECT_EQ(m_hosts.size(), 3U);
  std::set<std::int32_t> ranks;
  for (const store::Item& item : items()) {
    ranks.insert(item.outcome.rank);
    EXPECT_EQ(m_lustre.states(item.fid), k_released);
  }
  EXPECT_EQ(ranks, (std::set<std::int32_t>{0, 1, 2}));
}

TEST_F(JobTest, what_may_pass_is_tried_again) {
  const Fid fid = new_file("x", k_archived);
  make_manifest({fid});
  std::atomic<int> tries = 0;
  m_lustre.before(Call::request, [&tries](const Fid&) { return ++tries < 3 ? EBUSY : 0; });
  const JobReport report = release(2);
  EXPECT_EQ(report.census.with(ItemResult::done), 1U);
  EXPECT_EQ(tries, 3);
}

TEST_F(JobTest, a_stop_leaves_the_rest_for_the_next_run) {
  std::vector<Fid> fids;
  for (int i = 0; i < 500; ++i) fids.push_back(new_file("x", k_archived));
  make_manifest(fids);
  std::atomic<int> released = 0;
  m_lustre.before(Call::request, [&](const Fid&) {
    ++released;
    return 0;
  });
  const JobReport first = release(2, [&] {
    if (released > 0) m_run->job().stop("test");
  });
  EXPECT_FALSE(first.progress.finished);
  EXPECT_EQ(first.census.with(ItemResult::done), static_cast<std::uint64_t>(released)) << "what was begun counts";
  EXPECT_GT(first.census.left(), 0U);
  const JobReport second = release(2);
  EXPECT_EQ(second.census.with(ItemResult::done), 500U);
  EXPECT_EQ(released, 500) << "no file twice";
}

TEST_F(JobTest, ranks_that_cannot_work_or_are_others_end_it) {
  for (const std::string build : {"other", "build"}) {
    comm::LoopbackHub hub(2);
    std::vector<std::jthread> workers;
    workers.emplace_back([&] { be_releasing_rank(hub.worker(0), "build", "host", 1); });
    workers.emplace_back([&] {
      if (build == "other")
        be_releasing_rank(hub.worker(1), build, "host", 1);
      else
        run::run_unable_worker(hub.worker(1), {build, "host", 0}, {ErrorKind::io, EIO, "open", "mount"});
    });
    RankJobDispatcher dispatcher(hub, 2, "build");
    EXPECT_THROW((void)dispatcher.greet(std::atomic<bool>(false)), Fatal);
    EXPECT_TRUE(dispatcher.dismiss(nullptr));
  }
}

TEST_F(JobTest, stop_while_ranks_are_still_missing_ends_the_greeting) {
  comm::LoopbackHub hub(2);
  std::vector<std::jthread> workers;
  workers.emplace_back([&] { be_releasing_rank(hub.worker(0), "build", "host", 1); });
  RankJobDispatcher dispatcher(hub, 2, "build");
  std::atomic<bool> stop = true;
  hub.wake();
  EXPECT_FALSE(dispatcher.greet(stop));
  workers.emplace_back([&] { be_releasing_rank(hub.worker(1), "build", "host", 1); });
  EXPECT_TRUE(dispatcher.dismiss(nullptr));
}

TEST_F(JobTest, no_file_is_no_work) {
  make_manifest({});
  EXPECT_TRUE(release(2).progress.finished);
}

}  // namespace
}  // namespace lhsm::bulk
