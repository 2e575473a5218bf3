// SPDX-License-Identifier: LGPL-2.1-or-later
// What a dispatcher tells of a run while it runs.
#include "lhsmtool_mpi/run/run_detail.hpp"
#include "whole_run.hpp"

namespace lhsm::run {
namespace {

/// Keeps what was told last.
class DetailObserver final : public Observer {
 public:
  void update(const RunState& state, TimePoint now) override {
    const std::lock_guard lock(m_mutex);
    m_last = state.source->detail(now);
    m_bulk_bytes = state.bulk_bytes;
    m_changed.notify_all();
  }
  void failed(const ActionItem&, const Error&) override {}
  void ended(const ActionItem&, const ActionOutcome& outcome) override {
    const std::lock_guard lock(m_mutex);
    m_ages.push_back(outcome.age);
  }
  /// Return what was told when `predicate` came true of it, or at last.
  template <class Predicate>
  RunDetail wait_for(Predicate predicate) {
    std::unique_lock lock(m_mutex);
    EXPECT_TRUE(m_changed.wait_for(lock, 120s, [&] { return predicate(m_last); }));
    return m_last;
  }
  [[nodiscard]] bool wait_for_bulk_bytes(std::uint64_t bytes) {
    std::unique_lock lock(m_mutex);
    return m_changed.wait_for(lock, 120s, [&] { return m_bulk_bytes == bytes; });
  }
  std::vector<Duration> ages() {
    const std::lock_guard lock(m_mutex);
    return m_ages;
  }

 private:
  std::mutex m_mutex;
  std::condition_variable m_changed;
  RunDetail m_last;
  std::uint64_t m_bulk_bytes = 0;
  std::vector<Duration> m_ages;
};

class DetailTest : public WholeRunTest {
 protected:
  ~DetailTest() override {  // before the observer goes
    m_gate.open();
    if (m_dispatcher_thread.joinable()) stop();
  }
  Observer& observer() override { return m_details; }
  DetailObserver m_details;
};

TEST_F(DetailTest, TellsOfAStripedFile) {
  const ActionItem item = start_striped_at_gate();
  const RunDetail told = m_details.wait_for([](const RunDetail& detail) {
    return detail.files.size() == 1 && detail.files[0].extents_running >= 2;
  });
  const RunningFile& file = told.files.at(0);
  EXPECT_TRUE(file.is_striped);
  EXPECT_EQ(file.kind, ActionKind::archive);
  EXPECT_EQ(file.fid, item.fid);
  EXPECT_EQ(file.size, 12 * k_MiB);
  EXPECT_EQ(told.running.archive, 1U);
  EXPECT_EQ(told.pending.archive, 0U);
  EXPECT_EQ(told.user_restores, 0U);
  EXPECT_FALSE(told.oldest_user_restore);
  ASSERT_EQ(told.ranks.size(), 2U);
  EXPECT_EQ(told.ranks[1].host, "host1");
  EXPECT_EQ(told.ranks[1].slots, 2U);
  m_gate.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of({item}));
  const RunDetail over = m_details.wait_for([](const RunDetail& detail) {
    return detail.files.empty() && detail.ranks[0].done + detail.ranks[1].done == 1;
  });
  EXPECT_EQ(over.running.archive, 0U);
}

TEST_F(DetailTest, TellsOfACopyThatLastsAndOfTheUserWhoWaits) {
  const std::string content = pattern(2 * k_MiB);
  const Fid fid = m_lustre.make_released(content.size());
  make_object(fid, content);
  start(1, 1);
  m_lustre.before(Call::progress, [this](const Fid&) { return m_gate.pass(); });
  m_lustre.before(Call::copy_end, [this](const Fid&) { return m_gate.pass(); });
  const auto items = m_lustre.send(ActionKind::restore, {fid});
  const RunDetail told = m_details.wait_for([](const RunDetail& detail) {
    return detail.files.size() == 1 && detail.files[0].done > 0;
  });
  const RunningFile& file = told.files.at(0);
  EXPECT_FALSE(file.is_striped);
  EXPECT_EQ(file.kind, ActionKind::restore);
  EXPECT_EQ(file.size, 2 * k_MiB);
  EXPECT_LE(file.done, 2 * k_MiB);
  EXPECT_GE(file.age, 1s);
  EXPECT_TRUE(m_details.wait_for_bulk_bytes(0)) << "the user's are not the job's";
  EXPECT_EQ(told.user_restores, 1U);
  ASSERT_TRUE(told.oldest_user_restore);
  EXPECT_GE(*told.oldest_user_restore, 1s) << "the copy alone has lasted for so long";
  m_gate.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of(items));
  m_details.wait_for([](const RunDetail& detail) { return detail.user_restores == 0 && !detail.oldest_user_restore; });
  ASSERT_EQ(m_details.ages().size(), 1U);
  EXPECT_GE(m_details.ages()[0], 1s);
}

TEST_F(DetailTest, TellsWhatIsCopiedOfTheJobsFiles) {
  m_dispatcher_options.is_bulk = [](const ActionItem&) { return true; };
  m_lustre.before(Call::copy_end, [this](const Fid&) { return m_gate.pass(); });
  start(2);
  const auto items = m_lustre.send(ActionKind::archive, {m_lustre.make_file(m_striped_content)});
  EXPECT_TRUE(m_details.wait_for_bulk_bytes(m_striped_content.size()));
  m_gate.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of(items));
  EXPECT_TRUE(m_details.wait_for_bulk_bytes(0));
}

TEST_F(DetailTest, CountsNoUserForWhatTheJobAsked) {
  m_dispatcher_options.is_bulk = [](const ActionItem&) { return true; };
  const Fid fid = m_lustre.make_released(1000);
  make_object(fid, pattern(1000));
  start(1, 1);
  m_lustre.before(Call::copy_end, [this](const Fid&) { return m_gate.pass(); });
  const auto items = m_lustre.send(ActionKind::restore, {fid});
  const RunDetail told = m_details.wait_for([](const RunDetail& detail) { return detail.running.restore == 1; });
  EXPECT_EQ(told.user_restores, 0U);
  m_gate.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of(items));
}

}  // namespace
}  // namespace lhsm::run
