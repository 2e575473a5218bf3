// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests that other ranks make for a job.
#include "lhsmtool_mpi/bulk/ask_broker.hpp"

#include <array>
#include <future>
#include <semaphore>

#include "unit/bulk/job_fixture.hpp"

namespace lhsm::bulk {
namespace {

comm::AskFiles files(std::uint32_t count) {
  comm::AskFiles wanted;
  wanted.kind = ActionKind::archive;
  for (std::uint32_t i = 0; i < count; ++i) wanted.files.push_back({{1, i, 0}, false});
  return wanted;
}

class AskBrokerTest : public ::testing::Test {
 protected:
  ~AskBrokerTest() override { m_broker.close(); }  // else who asks would wait for ever

  using Asked = std::shared_future<std::optional<comm::FilesAsked>>;
  Asked ask(std::uint32_t count) {
    m_asked.push_back(std::async(std::launch::async, [this, count] { return m_broker.ask(files(count)); }));
    m_waits.acquire();
    return m_asked.back();
  }
  void open(std::vector<WorkerId> workers) {
    m_broker.open(std::move(workers), [this] { m_waits.release(); });
  }
  bool answer(WorkerId worker, std::uint64_t id, std::vector<comm::FileAsked> files) {
    return m_broker.answered(worker, {id, std::move(files)});
  }

  std::counting_semaphore<> m_waits{0};
  std::vector<Asked> m_asked;
  AskBroker m_broker;
};

TEST_F(AskBrokerTest, gives_each_list_to_the_rank_that_has_fewest) {
  open({0, 1, 2});
  std::map<WorkerId, std::uint64_t> sent;
  for (int i = 0; i < 3; ++i) ask(1);
  while (const auto errand = m_broker.next()) EXPECT_TRUE(sent.emplace(errand->first, errand->second.id).second);
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_TRUE(answer(1, sent.at(1), {{}}));
  ask(1);
  const auto next = m_broker.next();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->first, 1);
  EXPECT_FALSE(m_broker.idle());
  sent[1] = next->second.id;
  for (const auto& [worker, id] : sent) EXPECT_TRUE(answer(worker, id, {{}}));
  EXPECT_TRUE(m_broker.idle());
  EXPECT_FALSE(m_broker.any_holder());
  for (const Asked& asked : m_asked) EXPECT_TRUE(asked.get());
}

TEST_F(AskBrokerTest, takes_turns_where_all_are_quick) {
  open({0, 1});
  std::set<WorkerId> holders;
  for (int i = 0; i < 2; ++i) {
    const Asked asked = ask(1);
    const auto errand = m_broker.next();
    ASSERT_TRUE(errand);
    EXPECT_EQ(m_broker.any_holder(), errand->first);
    holders.insert(errand->first);
    EXPECT_TRUE(answer(errand->first, errand->second.id, {{}}));
    EXPECT_TRUE(asked.get());
  }
  EXPECT_EQ(holders, (std::set<WorkerId>{0, 1}));
}

TEST_F(AskBrokerTest, takes_no_answer_that_it_did_not_ask_for) {
  open({0, 1});
  const Asked asked = ask(2);
  const auto errand = m_broker.next();
  ASSERT_TRUE(errand);
  const std::uint64_t id = errand->second.id;
  EXPECT_FALSE(answer(1 - errand->first, id, {{}, {}})) << "of another rank";
  EXPECT_FALSE(answer(errand->first, id + 1, {{}, {}})) << "to another list";
  EXPECT_FALSE(answer(errand->first, id, {{}})) << "for another number of files";
  EXPECT_TRUE(answer(errand->first, id, {{}, {comm::AskAnswer::refused, {}}}));
  ASSERT_TRUE(asked.get());
  EXPECT_EQ(asked.get()->files.at(1).answer, comm::AskAnswer::refused);
}

TEST_F(AskBrokerTest, wakes_for_what_was_asked_before_it_was_opened) {
  const auto asked = std::async(std::launch::async, [this] { return m_broker.ask(files(1)); });
  while (m_broker.idle()) std::this_thread::yield();
  open({0});
  EXPECT_TRUE(m_waits.try_acquire());
  EXPECT_TRUE(m_broker.next());
  m_broker.close();
}

TEST_F(AskBrokerTest, lets_nobody_wait_when_the_run_ends) {
  open({0});
  const Asked sent = ask(1);
  ASSERT_TRUE(m_broker.next());
  const Asked waiting = ask(1);
  m_broker.close();
  EXPECT_FALSE(sent.get());
  EXPECT_FALSE(waiting.get());
  EXPECT_FALSE(m_broker.next());
  EXPECT_FALSE(m_broker.ask(files(1)));
}

/// Whose handler of AskFiles was called.
class SeveralRanksTest : public JobTest {
 protected:
  run::AskHandler ask_handler() override {
    const std::size_t rank = m_next++;
    return [this, rank](const comm::AskFiles& wanted) {
      ++m_asked.at(rank);
      if (m_before) m_before();
      return ask_for_files(m_lustre, wanted);
    };
  }
  std::atomic<std::size_t> m_next = 0;
  std::array<std::atomic<int>, 3> m_asked{};
  std::function<void()> m_before;
};

TEST_F(SeveralRanksTest, all_ask) {
  std::vector<Fid> fids(200);
  for (Fid& fid : fids) fid = new_file();
  make_manifest(fids);
  const JobReport report = do_job(ItemAction::archive, 3);
  EXPECT_EQ(report.census.with(ItemResult::done), 200U);
  for (const auto& asked : m_asked) EXPECT_GE(asked, 1);
  EXPECT_EQ(copies(), 200);
}

TEST_F(SeveralRanksTest, a_stop_waits_for_what_is_on_its_way) {
  run::Gate gate;
  m_before = [&gate] { gate.pass(); };
  m_lustre.hold_requests(true);
  make_manifest({new_file()});
  begin(ItemAction::archive, 1);
  ASSERT_TRUE(gate.wait_for_arrivals(1));
  request_stop();
  ASSERT_FALSE(m_run->job().goes_on_after(120s)) << "the job was not told to stop";
  gate.open();
  const JobReport report = end();
  EXPECT_EQ(report.census.left(), 1U);
  auto seen = store::look_at_job(m_run_options.manifest);
  ASSERT_TRUE(seen) << seen.error().describe();
  EXPECT_EQ(seen->state.open_requests().count(0), 1U) << "the answer was not waited for";
}

}  // namespace
}  // namespace lhsm::bulk
