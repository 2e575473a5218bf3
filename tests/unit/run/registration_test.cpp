// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The registration as copytool: how it begins, how it is renewed, and that it never ends the run.
#include "unit/run/whole_run.hpp"

namespace lhsm::run {
namespace {

class RegistrationTest : public WholeRunTest {
 protected:
  RegistrationTest() {
    m_dispatcher_options.registration = {.renew_interval = 1h, .least_interval = 1ms, .first_delay = 5ms, .longest_delay = 20ms};
  }
  void expect_served() {
    EXPECT_EQ(result(carry_out(ActionKind::archive, {m_lustre.make_file("x")}).front()), 0);
  }
};

TEST_F(RegistrationTest, refused_at_the_start_is_fatal) {
  for (const int sys_errno : {EPERM, ENOENT, EACCES}) {
    m_lustre.fail(Call::register_copytool, sys_errno);
    start(2);
    join();
    EXPECT_NE(m_fatal.find(errno_name(sys_errno)), std::string::npos) << m_fatal;
  }
}

TEST_F(RegistrationTest, coordinator_that_does_not_run_yet_is_waited_for) {
  for (const int sys_errno : {ENXIO, EAGAIN}) {
    std::atomic<int> tries = 0;
    m_stop.count = 0;
    m_lustre.before(Call::register_copytool, [&](const Fid&) { return ++tries <= 3 ? sys_errno : 0; });
    start(2);
    expect_served();
    stop();
    EXPECT_EQ(m_fatal, "");
    EXPECT_EQ(tries, 4);
  }
}

/// The client's kernel does not survive many of those (LU-20311).
TEST_F(RegistrationTest, refused_when_all_coordinators_run_is_not_repeated) {
  m_lustre.register_operation = lustre::k_register_copytool;
  m_lustre.fail(Call::register_copytool, ENXIO);
  start(2);
  join();
  EXPECT_NE(m_fatal.find("ENXIO"), std::string::npos) << m_fatal;
  EXPECT_EQ(m_lustre.calls(Call::register_copytool), 1);
}

TEST_F(RegistrationTest, nor_later_and_what_runs_is_drained) {
  m_lustre.register_operation = lustre::k_register_copytool;
  Gate gate;
  m_lustre.before(Call::copy_start, [&gate](const Fid&) { return gate.pass(); });
  start(1);
  const auto running = m_lustre.send(ActionKind::archive, {m_lustre.make_file("running")});
  ASSERT_TRUE(gate.wait_for_arrivals(1));
  m_lustre.fail(Call::renew, ENXIO);
  m_lustre.forget_copytool();
  m_lustre.break_stream(ESHUTDOWN);
  EXPECT_TRUE(m_lustre.wait_for_calls(Call::renew, 1));
  gate.open();
  join();
  EXPECT_EQ(result(running.front()), 0);
  EXPECT_EQ(m_lustre.calls(Call::renew), 1);
  EXPECT_NE(m_fatal.find("ENXIO"), std::string::npos) << m_fatal;
}

TEST_F(RegistrationTest, stop_ends_the_waiting_at_once) {
  m_dispatcher_options.registration.first_delay = m_dispatcher_options.registration.longest_delay = 1h;
  m_lustre.fail(Call::register_copytool, ENXIO);
  start(2);
  ASSERT_TRUE(m_lustre.wait_for_calls(Call::register_copytool, 1));
  stop();
  EXPECT_EQ(m_fatal, "");
}

TEST_F(RegistrationTest, renewed_when_nothing_comes) {
  m_dispatcher_options.registration.renew_interval = 20ms;
  start(1);
  expect_served();
  m_lustre.forget_copytool();
  expect_served();
  EXPECT_GE(m_lustre.calls(Call::renew), 1);
}

TEST_F(RegistrationTest, left_alone_while_lists_come) {
  m_dispatcher_options.registration.renew_interval = 10s;
  start(1);
  for (int i = 0; i < 20; ++i) expect_served();
  EXPECT_EQ(m_lustre.calls(Call::renew), 0);
}

TEST_F(RegistrationTest, renewed_when_a_coordinator_has_forgotten_what_it_gave) {
  m_options.update_interval = 0ms;
  start(1);
  const auto forgets = [&](Call call, int sys_errno) {
    const int renewals = m_lustre.calls(Call::renew);
    m_lustre.before(call, [this, sys_errno](const Fid&) {
      m_lustre.forget_copytool();
      return sys_errno;
    });
    const auto items = m_lustre.send(ActionKind::archive, {m_lustre.make_file(pattern(2 * k_MiB))});
    EXPECT_TRUE(m_lustre.wait_for_calls(Call::renew, renewals + 1)) << static_cast<int>(call);
    m_lustre.before(call, nullptr);
    expect_served();
  };
  forgets(Call::progress, ENOENT);
  forgets(Call::progress, EAGAIN);
  forgets(Call::copy_start, ENOENT);
  forgets(Call::copy_end, ENOENT);
  forgets(Call::copy_end, EAGAIN);
}

TEST_F(RegistrationTest, cancel_is_no_reason_to_renew) {
  Gate gate;
  m_lustre.before(Call::copy_start, [&gate](const Fid&) { return gate.pass(); });
  start(1);
  const auto items = m_lustre.send(ActionKind::archive, {m_lustre.make_file(pattern(2 * k_MiB))});
  ASSERT_TRUE(gate.wait_for_arrivals(1));
  m_lustre.cancel(items.front());
  gate.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of(items));
  stop();
  EXPECT_EQ(m_lustre.calls(Call::renew), 0);
}

TEST_F(RegistrationTest, broken_stream_is_registered_anew) {
  start(2);
  expect_served();
  for (const int sys_errno : {ESHUTDOWN, EPROTO, EIO}) {
    const int renewals = m_lustre.calls(Call::renew);
    m_lustre.forget_copytool();
    m_lustre.break_stream(sys_errno);
    EXPECT_TRUE(m_lustre.wait_for_calls(Call::renew, renewals + 1));
    m_lustre.break_stream(0);
    expect_served();
  }
  stop();
  EXPECT_EQ(m_fatal, "");
}

TEST_F(RegistrationTest, renewal_that_fails_is_tried_again_and_work_goes_on_meanwhile) {
  Gate gate;
  m_lustre.before(Call::copy_start, [&gate](const Fid&) { return gate.pass(); });
  start(1);
  const auto running = m_lustre.send(ActionKind::archive, {m_lustre.make_file("running")});
  ASSERT_TRUE(gate.wait_for_arrivals(1));
  std::atomic<bool> stopped = true;
  m_lustre.before(Call::renew, [&](const Fid&) { return stopped ? ENXIO : 0; });
  m_lustre.forget_copytool();
  m_lustre.break_stream(ESHUTDOWN);
  EXPECT_TRUE(m_lustre.wait_for_calls(Call::renew, 5));
  gate.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of(running));
  EXPECT_EQ(result(running.front()), 0);
  m_lustre.break_stream(0);
  stopped = false;
  expect_served();
  stop();
  EXPECT_EQ(m_fatal, "");
}

/// What was sent before the registration ended is read and ended.
TEST_F(RegistrationTest, stop_reads_what_was_sent_before_it_unregistered) {
  start(1);
  expect_served();
  std::vector<ActionItem> last;
  m_lustre.before(Call::unregister, [&](const Fid&) {
    if (last.empty()) last = m_lustre.send(ActionKind::archive, {m_lustre.make_file("last")});
    return 0;
  });
  stop();
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(m_lustre.record(last.front()).ends.size(), 1U);
}

/// An MDT that is down holds up the end of the registration, which must hold up nothing else.
TEST_F(RegistrationTest, stop_goes_on_while_an_mdt_does_not_let_us_unregister) {
  Gate begin;
  Gate unregister;
  m_lustre.before(Call::copy_start, [&begin](const Fid&) { return begin.pass(); });
  m_lustre.before(Call::unregister, [&unregister](const Fid&) { return unregister.pass(); });
  start(1, 1);
  const auto items = m_lustre.send(ActionKind::archive, {m_lustre.make_file("running"), m_lustre.make_file("queued")});
  ASSERT_TRUE(begin.wait_for_arrivals(1));
  request_stop();
  ASSERT_TRUE(unregister.wait_for_arrivals(1));
  EXPECT_TRUE(m_lustre.wait_for_end_of({items.back()})) << "what no slot has begun";
  EXPECT_EQ(result(items.back()), EAGAIN);
  EXPECT_TRUE(m_lustre.registered());
  begin.open();
  unregister.open();
  join();
  EXPECT_EQ(m_fatal, "");
  EXPECT_EQ(result(items.front()), 0);
}

/// All is done, and an MDT lets a thread of rank 0 wait.
TEST_F(RegistrationTest, third_stop_waits_for_no_mdt) {
  m_options.update_interval = 1h;
  m_dispatcher_options.keep_alive = 40ms;
  for (const Call call : {Call::unregister, Call::progress}) {
    Gate begin;
    Gate mdt;
    std::string why;
    m_dispatcher_options.on_stuck = [&](const std::string& reason) {
      why = reason;
      mdt.open();  // as the end of the process would do it
    };
    m_stop.count = 0;
    m_observer.update({}, {});
    m_lustre.before(Call::copy_start, [&begin](const Fid&) { return begin.pass(); });
    m_lustre.before(call, [&mdt](const Fid&) { return mdt.pass(); });
    start(1, 1);
    // One runs, and one waits for so long that it is reported as alive.
    const auto items = m_lustre.send(ActionKind::archive, {m_lustre.make_file("x"), m_lustre.make_file("y")});
    EXPECT_TRUE(call != Call::progress || mdt.wait_for_arrivals(1));
    begin.open();
    EXPECT_TRUE(m_observer.wait_for_final(items.size()));
    request_stop();
    for (int i = 0; i < 2; ++i) request_stop();
    join();
    EXPECT_NE(why.find("an MDT does not answer"), std::string::npos) << why;
    EXPECT_EQ(m_fatal, why);
    m_lustre.before(call, nullptr);
  }
}

/// A coordinator that was restarted sends its restores again, with their cookies, maybe while we still give
/// up the first attempt.
TEST_F(RegistrationTest, restore_that_is_sent_again_while_its_first_attempt_fails_is_done) {
  const Fid fid = m_lustre.make_released(3 * k_MiB);
  make_object(fid, pattern(3 * k_MiB));
  std::atomic<int> begins = 0;
  Gate gate;
  m_lustre.before(Call::copy_start, [&](const Fid&) {
    if (++begins > 1) return 0;
    gate.pass();
    return ENOENT;
  });
  start(1);
  const auto items = m_lustre.send(ActionKind::restore, {fid});
  ASSERT_TRUE(gate.wait_for_arrivals(1));
  m_lustre.deliver(items);
  EXPECT_TRUE(m_lustre.wait_for_calls(Call::mdt_index, 2));
  m_lustre.deliver({m_lustre.request(ActionKind::remove, m_lustre.make_file("x"))});
  EXPECT_TRUE(m_lustre.wait_for([](const auto& records) {
    return std::any_of(records.begin(), records.end(), [](const auto& r) { return r.second.item.kind == ActionKind::remove && !r.second.ends.empty(); });
  })) << "by then the list before it was taken in";
  gate.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of(items));
  EXPECT_EQ(result(items.front()), 0);
  EXPECT_EQ(begins, 2);
  stop();
  EXPECT_EQ(state().restored, 1U);
  EXPECT_EQ(state().final(), 2U);
}

}  // namespace
}  // namespace lhsm::run
