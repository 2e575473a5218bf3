// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a restarted coordinator does not know, and then sends again with the same cookie (facts 4.4): wherever we
// learn it, and in whatever order, it is carried out and ended once, and never as cancelled, which would count as a success.
#include "unit/run/whole_run.hpp"

namespace lhsm::run {
namespace {

class ForgottenTest : public WholeRunTest {
 protected:
  ~ForgottenTest() override {
    m_begins.open();
    m_answers.open();
  }

  Fid released(std::size_t size) {
    const Fid fid = m_lustre.make_released(size);
    make_object(fid, pattern(size));
    return fid;
  }
  /// One worker with one slot, which stands in the begin of an archive.
  ActionItem start_with_busy_slot() {
    const Fid busy = m_lustre.make_file("busy");
    m_lustre.before(Call::copy_start, [this, busy](const Fid& fid) { return fid == busy ? m_begins.pass() : 0; });
    start(1, 1);
    const auto items = m_lustre.send(ActionKind::archive, {busy});
    EXPECT_TRUE(m_begins.wait_for_arrivals(1));
    return items.front();
  }
  /// What was delivered before is taken in when this returns: refusals need no slot.
  void wait_until_taken_in() {
    EXPECT_TRUE(m_lustre.wait_for_end_of(m_lustre.send(static_cast<ActionKind>(99), {m_lustre.make_file("x")})));
  }
  void expect_restored(const std::vector<ActionItem>& items) {
    EXPECT_TRUE(m_lustre.wait_for_end_of(items));
    for (const ActionItem& item : items) {
      EXPECT_EQ(m_lustre.record(item).ends, std::vector<int>{0}) << item.describe();
      EXPECT_EQ(m_lustre.content(item.fid), test::read_file(object(item.fid)));
    }
  }

  Gate m_begins;
  Gate m_answers;
};

TEST_F(ForgottenTest, while_they_wait_and_sent_again_later) {
  m_dispatcher_options.keep_alive = 40ms;
  start_with_busy_slot();
  const auto ahead = m_lustre.send(ActionKind::archive, {m_lustre.make_file("ahead")});  // the rank has it
  wait_until_taken_in();
  std::vector<Fid> fids;
  for (int i = 0; i < 20; ++i) fids.push_back(released(10));
  const auto items = m_lustre.send(ActionKind::restore, fids);
  m_lustre.forget(items);
  EXPECT_TRUE(m_observer.wait_for_final(items.size() + 1)) << "nobody asks for them any more";
  m_lustre.send_again(items);
  wait_until_taken_in();
  m_begins.open();
  expect_restored(items);
  EXPECT_TRUE(m_lustre.wait_for_end_of(ahead));
  stop();
  EXPECT_EQ(state().cancelled, items.size());
  EXPECT_EQ(state().restored, items.size());
}

/// The answer was given before they were sent again, and is read after.
TEST_F(ForgottenTest, while_they_wait_and_sent_again_before_that_is_known) {
  m_dispatcher_options.keep_alive = 40ms;
  const ActionItem busy = start_with_busy_slot();
  std::atomic<int> asked = 0;
  m_lustre.before(Call::progress, [&](const Fid& fid) {
    if (fid == busy.fid || ++asked > 1) return 0;
    m_answers.pass();
    return ENOENT;
  });
  const auto items = m_lustre.send(ActionKind::restore, {released(10)});
  ASSERT_TRUE(m_answers.wait_for_arrivals(1));
  m_lustre.send_again(items);
  wait_until_taken_in();
  m_answers.open();
  wait_until_taken_in();
  m_begins.open();
  expect_restored(items);
  stop();
  EXPECT_EQ(state().cancelled, 0U);
}

TEST_F(ForgottenTest, at_the_begin_there_is_no_end) {
  start(1);
  std::uint64_t final = 0;
  for (const std::size_t size : {std::size_t{10}, std::size_t{8 * k_MiB}}) {
    const auto items = std::vector{m_lustre.request(ActionKind::restore, released(size))};
    m_lustre.forget(items);
    m_lustre.deliver(items);
    EXPECT_TRUE(m_observer.wait_for_final(++final));
    m_lustre.send_again(items);
    expect_restored(items);
    EXPECT_TRUE(m_observer.wait_for_final(++final));
  }
  stop();
  EXPECT_EQ(state().cancelled, 2U);
  EXPECT_EQ(state().restored, 2U);
  EXPECT_EQ(m_lustre.calls(Call::copy_end), 2);
}

TEST_F(ForgottenTest, in_the_middle_there_is_no_end) {
  for (const std::size_t size : {std::size_t{2 * k_MiB}, std::size_t{32 * k_MiB}}) {
    const bool is_striped = size >= m_options.stripe_threshold;
    m_options.update_interval = is_striped ? 5ms : 0ms;
    m_stop.count = 0;
    m_lustre.fail(Call::progress, ENOENT);
    const int reports = m_lustre.calls(Call::progress);
    // A helper's: so the answer is there before the last extent.
    m_lustre.before(Call::open_by_fid, [this, reports](const Fid& fid) {
      if (fid.seq >= 0x300000000) { EXPECT_TRUE(m_lustre.wait_for_calls(Call::progress, reports + 1)); }
      return 0;
    });
    start(2);
    const auto items = m_lustre.send(ActionKind::restore, {released(size)});
    EXPECT_TRUE(m_lustre.wait_for_calls(Call::progress, reports + 1));
    EXPECT_TRUE(m_observer.wait_for_final(1));
    EXPECT_EQ(m_lustre.record(items.front()).ends, std::vector<int>{});
    m_lustre.before(Call::progress, nullptr);
    m_lustre.send_again(items);
    expect_restored(items);
    stop();
    EXPECT_EQ(state().restored, 1U);
    EXPECT_EQ(state().cancelled, 1U);
    m_observer.update({}, {});
  }
}

/// It was sent again between the answer to the end and the rank's result: then it is dropped as a duplicate, and has no end yet.
TEST_F(ForgottenTest, at_the_end_of_a_failure) {
  const Fid fid = m_lustre.make_released(10);  // without an object
  std::atomic<int> ends = 0;
  m_lustre.before(Call::copy_end, [&](const Fid& ended) {
    if (ended != fid || ++ends > 1) return 0;
    m_answers.pass();
    return ENOENT;
  });
  start(1);
  const auto items = m_lustre.send(ActionKind::restore, {fid});
  ASSERT_TRUE(m_answers.wait_for_arrivals(1));
  m_lustre.send_again(items);
  wait_until_taken_in();
  m_answers.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of(items));
  EXPECT_EQ(result(items.front()), ENOENT);
  stop();
  EXPECT_EQ(ends, 2);
  EXPECT_EQ(state().failed, 2U);
}

}  // namespace
}  // namespace lhsm::run
