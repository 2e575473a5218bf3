// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/report/watched_client.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "lhsmtool_mpi/lustre/hsm_action.hpp"
#include "support/fake_lustre.hpp"

namespace lhsm::report {
namespace {

using comm::EventKind;
using lustre::HsmAction;
using test::Call;

class WatchedActionsTest : public ::testing::Test {
 protected:
  std::vector<EventKind> kinds() const {
    std::vector<EventKind> found;
    for (const comm::Event& event : m_events) found.push_back(event.kind);
    return found;
  }
  test::FakeLustre m_lustre;
  std::vector<comm::Event> m_events;
  WatchedActions m_client{m_lustre, log::Level::off, [this](comm::Event e) { m_events.push_back(std::move(e)); }};
};

TEST_F(WatchedActionsTest, a_restore_from_begin_to_end) {
  const Fid fid = m_lustre.make_released(5000);
  auto action = HsmAction::open(m_client, m_lustre.request(ActionKind::restore, fid));
  ASSERT_TRUE(action && action->begin());
  const Fid dfid = action->dfid();
  ASSERT_EQ(::ftruncate(action->data_fd(), 5000), 0);
  ASSERT_TRUE(action->progress({0, 4000}));
  ASSERT_TRUE(action->end(0));
  ASSERT_EQ(kinds(), (std::vector{EventKind::start, EventKind::running, EventKind::running, EventKind::finish}));
  for (const comm::Event& event : m_events) {
    EXPECT_EQ(event.action, ActionKind::restore);
    EXPECT_EQ(event.source, fid);
    EXPECT_EQ(event.path, m_lustre.path_of(fid).value());
  }
  EXPECT_EQ(m_events[0].data, fid);
  EXPECT_EQ(m_events[0].total, 0U);
  EXPECT_EQ(m_events[1].data, dfid);
  EXPECT_EQ(m_events[1].total, 5000U);
  EXPECT_EQ(m_events[1].current, 0U);
  EXPECT_EQ(m_events[2].data, dfid);
  EXPECT_EQ(m_events[2].total, 5000U);
  EXPECT_EQ(m_events[2].current, 4000U);
  EXPECT_EQ(m_events[3].data, fid);
}

TEST_F(WatchedActionsTest, failures_and_cancels) {
  const Fid fid = m_lustre.make_file("data");
  auto failed = HsmAction::open(m_client, m_lustre.request(ActionKind::archive, fid));
  ASSERT_TRUE(failed && failed->begin() && failed->end(ENOSPC));
  auto cancelled = HsmAction::open(m_client, m_lustre.request(ActionKind::archive, fid));
  ASSERT_TRUE(cancelled && cancelled->begin() && cancelled->end(ECANCELED));
  EXPECT_EQ(kinds(), (std::vector{EventKind::start, EventKind::running, EventKind::error, EventKind::start,
                                  EventKind::running, EventKind::cancel}));
  EXPECT_EQ(m_events[2].sys_errno, ENOSPC);
}

TEST_F(WatchedActionsTest, an_end_that_is_not_taken_is_no_success) {
  auto action = HsmAction::open(m_client, m_lustre.request(ActionKind::archive, m_lustre.make_file("data")));
  ASSERT_TRUE(action && action->begin());
  m_lustre.fail(Call::copy_end, EBUSY);
  EXPECT_FALSE(action->end(0));
  EXPECT_EQ(kinds(), (std::vector{EventKind::start, EventKind::running, EventKind::error}));
  EXPECT_EQ(m_events[2].sys_errno, EBUSY);
}

TEST_F(WatchedActionsTest, actions_without_a_begin) {
  const Fid fid = m_lustre.make_file("data");
  ASSERT_TRUE(lustre::end_unbegun(m_client, m_lustre.request(ActionKind::remove, fid), 0));
  ASSERT_TRUE(lustre::end_unbegun(m_client, m_lustre.request(ActionKind::restore, fid), EIO));
  EXPECT_EQ(kinds(), (std::vector{EventKind::start, EventKind::finish, EventKind::error}));
  EXPECT_EQ(m_events[2].source, fid);
  EXPECT_EQ(m_events[2].action, ActionKind::restore);
}

TEST_F(WatchedActionsTest, without_a_listener_no_call_is_added) {
  WatchedActions quiet(m_lustre, log::Level::off, {});
  auto action = HsmAction::open(quiet, m_lustre.request(ActionKind::archive, m_lustre.make_file("data")));
  ASSERT_TRUE(action);
  const int opens = m_lustre.calls(Call::open_by_fid);
  ASSERT_TRUE(action->begin() && action->progress({0, 1}) && action->end(0));
  EXPECT_EQ(m_lustre.calls(Call::open_by_fid), opens);
  EXPECT_EQ(m_lustre.calls(Call::path_of), 0);
}

TEST(WatchedRegistration, tells_of_its_begin_and_end) {
  test::FakeLustre lustre;
  std::vector<WatchedRegistration::Change> changes;
  WatchedRegistration client(lustre, log::Level::off, [&](const auto& change) { changes.push_back(change); });
  {
    const auto stream = client.register_copytool({1, 2});
    ASSERT_TRUE(stream);
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_TRUE(changes[0].registered && changes[0].status && lustre.registered());
    EXPECT_EQ(changes[0].archives, 2U);
  }
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_FALSE(changes[1].registered || lustre.registered());
  lustre.fail(Call::register_copytool, ENXIO);
  EXPECT_FALSE(client.register_copytool({}));
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[2].status.error().sys_errno, ENXIO);
}

TEST(ArrivalLine, is_that_of_lhsmtool_posix) {
  ActionItem item;
  item.kind = ActionKind::restore;
  item.fid = {0x200000401, 0x17, 0};
  item.cookie = 0x5f;
  EXPECT_EQ(arrival_line(item), "[0x200000401:0x17:0x0] action RESTORE reclen 72, cookie=0x5f");
  item.data = "user";
  EXPECT_EQ(arrival_line(item), "[0x200000401:0x17:0x0] action RESTORE reclen 76, cookie=0x5f");
}

}  // namespace
}  // namespace lhsm::report
