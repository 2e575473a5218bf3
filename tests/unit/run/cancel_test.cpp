// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Cancels, in whatever state their action is: it is ended with ECANCELED, once, at once, and nothing of it is
// left. And what is only to be refused. Neither waits for a slot, which may be busy for hours.
#include "unit/run/whole_run.hpp"

namespace lhsm::run {
namespace {

class CancelTest : public WholeRunTest {
 protected:
  ~CancelTest() override { m_begins.open(); }

  /// The begins of these files stand at m_begins.
  void hold_begin_of(const std::vector<Fid>& fids) {
    m_lustre.before(Call::copy_start, [this, fids](const Fid& fid) {
      return std::find(fids.begin(), fids.end(), fid) != fids.end() ? m_begins.pass() : 0;
    });
  }
  /// One worker with one slot, which stands in the begin of a copy.
  ActionItem start_with_busy_slot() {
    const Fid busy = m_lustre.make_file("busy");
    hold_begin_of({busy});
    start(1, 1);
    const auto items = m_lustre.send(ActionKind::archive, {busy});
    EXPECT_TRUE(m_begins.wait_for_arrivals(1));
    return items.front();
  }
  /// One worker with one slot, which carries out a large file until its `opening`th opening, and then stands in
  /// the begin of a small one, while what is left of the large one waits. Return both.
  std::pair<ActionItem, ActionItem> start_large_that_loses_its_slot(int opening) {
    const Fid large = m_lustre.make_file(pattern(12 * k_MiB));
    const Fid small = m_lustre.make_file("small");
    hold_begin_of({small});
    m_lustre.before(Call::open_by_fid, [this, large, opening](const Fid& fid) {
      return fid == large && ++m_opened == opening ? m_gate.pass() : 0;
    });
    start(1, 1);
    const ActionItem striped = m_lustre.send(ActionKind::archive, {large}).front();
    EXPECT_TRUE(m_gate.wait_for_arrivals(1));
    const ActionItem other = m_lustre.send(ActionKind::archive, {small}).front();
    EXPECT_TRUE(m_lustre.wait_for_calls(Call::mdt_index, 2));
    std::this_thread::sleep_for(50ms);  // from the look-up into the worker's queue
    m_gate.open();
    EXPECT_TRUE(m_begins.wait_for_arrivals(1)) << "the only slot is busy now";
    return {striped, other};
  }
  static ActionItem cancel_of(ActionItem item) {
    item.kind = ActionKind::cancel;
    return item;
  }
  /// Each is ended with this errno soon, though the slots are busy.
  void expect_soon_ended(const std::vector<ActionItem>& items, int sys_errno, TimePoint since) {
    EXPECT_TRUE(m_lustre.wait_for_end_of(items));
    EXPECT_LT(m_clock.now() - since, 20s) << "the slots are held for ever; a busy machine is given time";
    for (const ActionItem& item : items) EXPECT_EQ(m_lustre.record(item).ends, std::vector<int>{sys_errno}) << item.describe();
  }

  Gate m_begins;
};

TEST_F(CancelTest, cancel_of_a_small_copy_ends_with_ecanceled) {
  const Fid fid = m_lustre.make_file(pattern(k_MiB));
  Gate gate;
  m_lustre.before(Call::copy_start, [&gate](const Fid&) { return gate.pass(); });
  start(2);
  const auto items = m_lustre.send(ActionKind::archive, {fid});
  ASSERT_TRUE(gate.wait_for_arrivals(1));
  m_lustre.cancel(items.front());
  gate.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of(items));
  stop();
  EXPECT_EQ(result(items.front()), ECANCELED);
  EXPECT_FALSE(std::filesystem::exists(object(fid)));
  EXPECT_EQ(state().cancelled, 1U);
  EXPECT_EQ(state().failed, 0U);
}

TEST_F(CancelTest, of_queued_actions_while_the_slots_are_busy) {
  const ActionItem running = start_with_busy_slot();
  std::vector<Fid> fids;
  for (int i = 0; i < 10; ++i) fids.push_back(m_lustre.make_file("x"));
  const auto queued = m_lustre.send(ActionKind::archive, fids);
  ASSERT_TRUE(m_lustre.wait_for_calls(Call::mdt_index, 11));
  const TimePoint since = m_clock.now();
  for (const ActionItem& item : queued) m_lustre.cancel(item);
  expect_soon_ended(queued, ECANCELED, since);
  EXPECT_TRUE(m_lustre.record(running).ends.empty());
  m_begins.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of({running}));
  stop();
  EXPECT_EQ(result(running), 0);
  EXPECT_EQ(m_lustre.calls(Call::copy_start), 1) << "nothing of the others was begun";
  EXPECT_EQ(state().cancelled, 10U);
  EXPECT_EQ(state().failed, 0U);
}

TEST_F(CancelTest, of_an_action_that_waits_for_another_one_on_its_file) {
  const ActionItem running = start_with_busy_slot();
  const ActionItem waiting = m_lustre.request(ActionKind::remove, running.fid);
  m_lustre.deliver({waiting});
  const TimePoint since = m_clock.now();
  m_lustre.cancel(waiting);
  expect_soon_ended({waiting}, ECANCELED, since);
  m_begins.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of({running}));
  stop();
  EXPECT_EQ(test::read_file(object(running.fid)), "busy");
}

TEST_F(CancelTest, of_a_striped_file_stops_what_is_left_of_it) {
  const ActionItem item = start_striped_at_gate(1);
  m_lustre.cancel(item);
  // The cancel overtakes nothing: a later action that is final shows that it was taken in.
  const Fid other = m_lustre.make_file("x");
  make_object(other, "x");
  m_lustre.deliver({m_lustre.request(ActionKind::remove, other)});
  EXPECT_TRUE(m_lustre.wait_for_calls(Call::mdt_index, 3));
  std::this_thread::sleep_for(50ms);
  const TimePoint since = m_clock.now();
  m_gate.open();
  expect_soon_ended({item}, ECANCELED, since);
  stop();
  EXPECT_LT(m_opened, 2 + 12) << "the extents that were left are not copied";
  EXPECT_FALSE(std::filesystem::exists(object(m_striped)));
  EXPECT_EQ(state().cancelled, 1U);
  EXPECT_EQ(state().failed, 0U);
}

/// The slots are taken by others: an extent that waits behind them, and the end, must not.
TEST_F(CancelTest, of_a_striped_file_whose_extents_wait_for_a_slot) {
  const auto [striped, other] = start_large_that_loses_its_slot(3);  // at its first extent
  const TimePoint since = m_clock.now();
  m_lustre.cancel(striped);
  expect_soon_ended({striped}, ECANCELED, since);
  EXPECT_TRUE(m_lustre.record(other).ends.empty());
  EXPECT_FALSE(std::filesystem::exists(object(striped.fid)));
  m_begins.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of({other}));
  stop();
  EXPECT_EQ(state().cancelled, 1U);
}

TEST_F(CancelTest, of_a_large_file_whose_begin_waits_for_a_slot) {
  const auto [item, other] = start_large_that_loses_its_slot(1);  // when its size is looked at
  std::this_thread::sleep_for(50ms);
  const TimePoint since = m_clock.now();
  m_lustre.cancel(item);
  expect_soon_ended({item}, ECANCELED, since);
  EXPECT_EQ(m_lustre.calls(Call::copy_start), 1) << "the other one's";
  m_begins.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of({other}));
  stop();
}

TEST_F(CancelTest, in_one_list_with_its_target_before_or_after_it) {
  start(2);
  const ActionItem after = m_lustre.request(ActionKind::archive, m_lustre.make_file("a"));
  const ActionItem before = m_lustre.request(ActionKind::archive, m_lustre.make_file("b"));
  const ActionItem other = m_lustre.request(ActionKind::archive, m_lustre.make_file("c"));
  const TimePoint since = m_clock.now();
  m_lustre.deliver({cancel_of(before), after, before, cancel_of(after), other});
  expect_soon_ended({before, after}, ECANCELED, since);
  EXPECT_TRUE(m_lustre.wait_for_end_of({other}));
  stop();
  EXPECT_EQ(result(other), 0);
  EXPECT_EQ(m_lustre.calls(Call::copy_start), 1);
}

TEST_F(CancelTest, of_nothing_or_after_the_end_is_ignored) {
  start(1);
  const auto done = carry_out(ActionKind::archive, {m_lustre.make_file("a")});
  ActionItem unknown = done.front();
  unknown.cookie += 1000;
  m_lustre.deliver({cancel_of(done.front()), cancel_of(unknown)});
  EXPECT_EQ(result(carry_out(ActionKind::archive, {m_lustre.make_file("b")}).front()), 0);
  stop();
  EXPECT_EQ(m_lustre.record(done.front()).ends, std::vector<int>{0});
  EXPECT_EQ(m_lustre.copy_ends.size(), 2U) << "a CANCEL itself is never ended";
}

TEST_F(CancelTest, begin_that_says_cancelled_ends_as_cancelled) {
  m_lustre.fail(Call::copy_start, ECANCELED);
  start(2);
  for (const std::size_t size : {std::size_t{10}, std::size_t{8 * k_MiB}}) {
    const Fid fid = m_lustre.make_file(pattern(size));
    EXPECT_EQ(result(carry_out(ActionKind::archive, {fid}).front()), ECANCELED);
    EXPECT_FALSE(std::filesystem::exists(object(fid)));
  }
  stop();
  EXPECT_EQ(state().cancelled, 2U);
  EXPECT_EQ(state().failed, 0U);
}

TEST_F(CancelTest, refusals_go_out_while_the_slots_are_busy) {
  const ActionItem running = start_with_busy_slot();
  std::vector<Fid> fids;
  for (int i = 0; i < 100; ++i) fids.push_back(m_lustre.make_file("x"));
  const TimePoint since = m_clock.now();
  expect_soon_ended(m_lustre.send(static_cast<ActionKind>(99), fids), EINVAL, since);
  EXPECT_TRUE(m_lustre.record(running).ends.empty());
  m_begins.open();
  stop();
}

TEST_F(CancelTest, refusals_go_out_side_by_side) {
  start_with_busy_slot();
  Gate ends;
  m_lustre.before(Call::copy_end, [&ends](const Fid&) { return ends.pass(); });
  std::vector<Fid> fids;
  for (int i = 0; i < 12; ++i) fids.push_back(m_lustre.make_file("x"));
  const auto items = m_lustre.send(static_cast<ActionKind>(99), fids);
  EXPECT_TRUE(ends.wait_for_arrivals(6)) << "an RPC each";
  ends.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of(items));
  m_begins.open();
  stop();
}

TEST_F(CancelTest, keep_alive_reports_what_waits_and_ends_what_was_cancelled) {
  m_dispatcher_options.keep_alive = 100ms;
  const ActionItem running = start_with_busy_slot();
  std::vector<Fid> fids;
  for (int i = 0; i < 6; ++i) fids.push_back(m_lustre.make_file("x"));
  const auto queued = m_lustre.send(ActionKind::archive, fids);
  EXPECT_TRUE(m_lustre.wait_for([&](const auto& records) {
    return std::all_of(queued.begin(), queued.end(), [&](const ActionItem& item) {
      return records.at({item.mdt_index, item.cookie}).reports.size() >= 2;
    });
  })) << "each of them, again and again";
  for (const ActionItem& item : queued)
    for (const Extent& report : m_lustre.record(item).reports) EXPECT_EQ(report.length, 0U);
  m_lustre.before(Call::progress, [&](const Fid& fid) { return fid == running.fid ? 0 : ECANCELED; });
  EXPECT_TRUE(m_lustre.wait_for_end_of(queued));
  for (const ActionItem& item : queued) EXPECT_EQ(m_lustre.record(item).ends, std::vector<int>{ECANCELED});
  m_begins.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of({running}));
  stop();
  EXPECT_EQ(m_lustre.calls(Call::copy_start), 1);
  EXPECT_EQ(state().cancelled, 6U);
}

/// A coordinator that answers nothing must not hold the dispatcher up.
TEST_F(CancelTest, keep_alive_that_waits_holds_nobody_up) {
  m_dispatcher_options.keep_alive = 50ms;
  start_with_busy_slot();
  const auto waiting = m_lustre.send(ActionKind::archive, {m_lustre.make_file("x")});
  Gate progress;
  m_lustre.before(Call::progress, [&progress](const Fid&) { return progress.pass(); });
  ASSERT_TRUE(progress.wait_for_arrivals(1));
  const TimePoint since = m_clock.now();
  expect_soon_ended(m_lustre.send(static_cast<ActionKind>(99), {m_lustre.make_file("y")}), EINVAL, since);
  progress.open();
  m_begins.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of(waiting));
  stop();
}

}  // namespace
}  // namespace lhsm::run
