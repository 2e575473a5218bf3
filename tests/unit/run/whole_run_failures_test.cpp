// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Runs in which something goes wrong: it costs the file that it concerns, and nothing else.
#include "support/faulty_backend.hpp"
#include "unit/run/whole_run.hpp"

namespace lhsm::run {
namespace {

class WholeRunFailuresTest : public WholeRunTest {
 protected:
  /// Carry out one action that must fail with this errno, beside one that must not.
  void expect_failure(ActionKind kind, const Fid& fid, int sys_errno, const std::string& operation = {}) {
    const Fid good = m_lustre.make_file("good");
    const ActionItem failing = m_lustre.request(kind, fid);
    const ActionItem passing = m_lustre.request(ActionKind::archive, good);
    m_lustre.deliver({failing, passing});
    EXPECT_TRUE(m_lustre.wait_for_end_of({failing, passing}));
    EXPECT_EQ(result(failing), sys_errno);
    EXPECT_EQ(result(passing), 0);
    EXPECT_EQ(test::read_file(object(good)), "good");
    stop();
    EXPECT_EQ(m_fatal, "");
    EXPECT_EQ(state().failed, 1U);
    EXPECT_EQ(state().archived, 1U);
    const auto failures = m_observer.failures();
    ASSERT_EQ(failures.size(), 1U);
    EXPECT_EQ(failures[0].first.cookie, failing.cookie);
    EXPECT_EQ(failures[0].second.sys_errno, sys_errno);
    EXPECT_NE(failures[0].second.describe().find(operation), std::string::npos) << failures[0].second.describe();
    EXPECT_NE(failures[0].second.subject, "");
  }
};

TEST_F(WholeRunFailuresTest, restore_without_an_object) {
  start(2);
  expect_failure(ActionKind::restore, m_lustre.make_released(100), ENOENT);
  EXPECT_EQ(m_lustre.calls(Call::create_volatile), 0);
}

TEST_F(WholeRunFailuresTest, restore_of_a_short_object) {
  const Fid fid = m_lustre.make_released(100);
  make_object(fid, pattern(99));
  start(2);
  expect_failure(ActionKind::restore, fid, EIO, "99 bytes, expected 100");
  EXPECT_EQ(m_lustre.content(fid), std::string(100, '\0')) << "still released";
}

/// Lustre has the new size before it has the data back, and cuts them afterwards.
TEST_F(WholeRunTest, restore_of_a_file_that_was_truncated_while_it_was_released) {
  start(2);
  for (const std::uint64_t size : {k_MiB, 20 * k_MiB}) {
    for (const std::uint64_t truncated_to : {size / 2, size * 2}) {
      const Fid fid = m_lustre.make_released(truncated_to);
      make_object(fid, pattern(size));
      std::filesystem::last_write_time(object(fid), std::filesystem::last_write_time(m_lustre.path(fid)) - 2s);
      EXPECT_EQ(result(carry_out(ActionKind::restore, {fid}).front()), 0);
      EXPECT_EQ(m_lustre.content(fid), pattern(size));
    }
  }
}

TEST_F(WholeRunFailuresTest, restore_of_an_older_object_of_another_size) {
  const Fid fid = m_lustre.make_released(100);
  make_object(fid, pattern(99));
  const auto now = std::filesystem::file_time_type::clock::now();
  std::filesystem::last_write_time(object(fid), now - 48h);
  std::filesystem::last_write_time(m_lustre.path(fid), now - 24h);
  start(2);
  expect_failure(ActionKind::restore, fid, EIO, "99 bytes, expected 100");
}

TEST_F(WholeRunFailuresTest, restore_of_a_short_large_object) {
  const Fid fid = m_lustre.make_released(20 * k_MiB);
  make_object(fid, pattern(k_MiB));
  start(2);
  expect_failure(ActionKind::restore, fid, EIO);
}

TEST_F(WholeRunFailuresTest, restore_of_a_large_object_that_is_cut_while_it_is_read) {
  const Fid fid = m_lustre.make_released(20 * k_MiB);
  make_object(fid, pattern(20 * k_MiB));
  start(2);
  m_lustre.before(Call::copy_start, [&](const Fid& begun) {
    if (begun == fid) std::filesystem::resize_file(object(fid), 10 * k_MiB);
    return 0;
  });
  expect_failure(ActionKind::restore, fid, EIO);
  EXPECT_EQ(std::filesystem::file_size(m_lustre.path(fid)), 20 * k_MiB);
}

TEST_F(WholeRunFailuresTest, removal_of_what_is_not_there_as_lhsmtool_posix) {
  m_options.remove_needs_object = true;
  start(1);
  const Fid fid = m_lustre.make_file("x");
  test::write_file(object(fid).string() + ".lov", "layout");
  expect_failure(ActionKind::remove, fid, ENOENT);
  EXPECT_FALSE(std::filesystem::exists(object(fid).string() + ".lov"));
}

TEST_F(WholeRunFailuresTest, removal_of_the_object_of_a_file_that_cannot_be_opened) {
  start(1);
  const Fid fid = m_lustre.make_file("x");
  make_object(fid, "x");
  m_lustre.before(Call::open_by_fid, [fid](const Fid& opened) { return opened == fid ? EBUSY : 0; });
  expect_failure(ActionKind::remove, fid, EBUSY);
  EXPECT_EQ(test::read_file(object(fid)), "x");
}

TEST_F(WholeRunFailuresTest, removal_of_the_object_of_a_file_that_was_released_meanwhile) {
  start(1);
  const Fid fid = m_lustre.make_released(1);
  m_lustre.set_hsm_state(fid, abi::HS_EXISTS | abi::HS_ARCHIVED | abi::HS_RELEASED);
  make_object(fid, "x");
  expect_failure(ActionKind::remove, fid, EPERM);
  EXPECT_EQ(test::read_file(object(fid)), "x") << "its only copy";
}

TEST_F(WholeRunFailuresTest, removal_that_the_coordinator_does_not_know_any_more) {
  start(1);
  const Fid fid = m_lustre.make_file("x");
  make_object(fid, "x");
  m_lustre.before(Call::progress, [fid](const Fid& reported) { return reported == fid ? ENOENT : 0; });
  m_lustre.deliver({m_lustre.request(ActionKind::remove, fid)});
  EXPECT_TRUE(m_observer.wait_for_final(1));
  EXPECT_EQ(test::read_file(object(fid)), "x") << "the file counts as archived";
}

TEST_F(WholeRunFailuresTest, a_file_whose_removal_is_not_ended_does_not_count_as_archived) {
  start(1);
  const Fid fid = m_lustre.make_file("x");
  m_lustre.set_hsm_state(fid, abi::HS_EXISTS | abi::HS_ARCHIVED | abi::HS_DIRTY | abi::HS_NOARCHIVE);
  make_object(fid, "x");
  m_lustre.before(Call::copy_end, [fid](const Fid& ended) { return ended == fid ? EIO : 0; });
  m_lustre.deliver({m_lustre.request(ActionKind::remove, fid)});
  EXPECT_TRUE(m_observer.wait_for_final(1));
  EXPECT_FALSE(std::filesystem::exists(object(fid)));
  EXPECT_EQ(m_lustre.states(fid), std::uint32_t{abi::HS_EXISTS | abi::HS_NOARCHIVE}) << "a release would lose its data";
}

TEST_F(WholeRunFailuresTest, an_object_that_could_not_be_removed_can_be_asked_to_be_removed_again) {
  const Fid fid = m_lustre.make_file("x");
  m_lustre.set_hsm_state(fid, abi::HS_EXISTS | abi::HS_ARCHIVED);
  make_object(fid, "x");
  auto faulty = std::make_unique<test::FaultyBackend>(std::move(m_backend));
  faulty->fail("remove", 1, EIO);
  m_backend = std::move(faulty);
  start(1);
  EXPECT_EQ(result(carry_out(ActionKind::remove, {fid}).front()), EIO);
  EXPECT_EQ(m_lustre.states(fid), std::uint32_t{abi::HS_EXISTS});
  EXPECT_EQ(result(carry_out(ActionKind::remove, {fid}).front()), 0);
  EXPECT_FALSE(std::filesystem::exists(object(fid)));
}

TEST_F(WholeRunFailuresTest, archive_of_a_file_that_was_released_meanwhile) {
  start(1);
  const Fid fid = m_lustre.make_released(20 * k_MiB);
  m_lustre.set_hsm_state(fid, abi::HS_EXISTS | abi::HS_ARCHIVED | abi::HS_RELEASED);
  make_object(fid, "x");
  expect_failure(ActionKind::archive, fid, EBUSY, "released by now");
  EXPECT_EQ(test::read_file(object(fid)), "x") << "its only copy";
}

TEST_F(WholeRunTest, removal_of_what_is_not_there) {
  start(1);
  EXPECT_EQ(result(carry_out(ActionKind::remove, {m_lustre.make_file("x")}).front()), 0);
}

/// All of a file comes from one object, also when helpers open it by name one after the other.
TEST_F(WholeRunFailuresTest, restore_of_a_large_object_that_is_replaced_meanwhile) {
  const Fid fid = m_lustre.make_released(20 * k_MiB);
  make_object(fid, pattern(20 * k_MiB));
  start(2);
  m_lustre.before(Call::copy_start, [&](const Fid& begun) {
    if (begun != fid) return 0;
    const auto other = m_archive / "other";
    test::write_file(other, pattern(20 * k_MiB, 7));
    std::filesystem::rename(other, object(fid));
    return 0;
  });
  expect_failure(ActionKind::restore, fid, EIO, "replaced");
}

TEST_F(WholeRunFailuresTest, restore_of_an_object_that_is_written_to_meanwhile) {
  const Fid fid = m_lustre.make_released(100);
  make_object(fid, pattern(100));
  start(2);
  m_lustre.before(Call::copy_start, [&](const Fid& begun) {
    if (begun != fid) return 0;
    test::write_file(object(fid), pattern(100, 7));
    std::filesystem::last_write_time(object(fid), std::filesystem::file_time_type::clock::now() + 1h);
    return 0;
  });
  expect_failure(ActionKind::restore, fid, EIO, "replaced");
}

/// An end that is sent twice, the first answer being lost, is answered with ENOENT: the file may count as
/// archived, and its object must be there.
TEST_F(WholeRunFailuresTest, archive_whose_end_finds_the_cookie_gone_keeps_its_object) {
  const Fid fid = m_lustre.make_file("content");
  m_lustre.before(Call::copy_end, [fid](const Fid& ended) { return ended == fid ? ENOENT : 0; });
  start(1);
  m_lustre.send(ActionKind::archive, {fid});
  ASSERT_TRUE(m_lustre.wait_for_calls(Call::copy_end, 1));
  stop();
  EXPECT_EQ(state().failed, 1U);
  EXPECT_EQ(test::read_file(object(fid)), "content");
}

TEST_F(WholeRunFailuresTest, restore_of_a_directory_in_the_objects_place) {
  const Fid fid = m_lustre.make_released(100);
  std::filesystem::create_directories(object(fid));
  start(2);
  expect_failure(ActionKind::restore, fid, EISDIR);
}

TEST_F(WholeRunFailuresTest, archive_of_a_file_that_is_gone) {
  const Fid fid = m_lustre.make_file("x");
  m_lustre.unlink(fid);
  start(2);
  expect_failure(ActionKind::archive, fid, ENOENT);
}

TEST_F(WholeRunFailuresTest, begin_that_is_refused) {
  const Fid fid = m_lustre.make_file("x");
  m_lustre.before(Call::copy_start, [fid](const Fid& begun) { return begun == fid ? EDQUOT : 0; });
  start(2);
  expect_failure(ActionKind::archive, fid, EDQUOT, "begin");
  EXPECT_FALSE(std::filesystem::exists(object(fid)));
}

TEST_F(WholeRunFailuresTest, begin_of_a_large_file_that_is_refused) {
  const Fid fid = m_lustre.make_file(pattern(5 * k_MiB));
  m_lustre.before(Call::copy_start, [fid](const Fid& begun) { return begun == fid ? EDQUOT : 0; });
  start(2);
  expect_failure(ActionKind::archive, fid, EDQUOT, "begin");
  EXPECT_FALSE(std::filesystem::exists(object(fid)));
}

TEST_F(WholeRunFailuresTest, archive_of_a_file_that_changes_keeps_the_old_object) {
  for (const std::size_t size : {std::size_t{10}, std::size_t{6 * k_MiB}}) {
    const Fid fid = m_lustre.make_file(pattern(size));
    make_object(fid, "the old one");
    m_lustre.before(Call::xattrs, [this, fid, size](const Fid&) {
      m_lustre.modify(fid, pattern(size, 9));
      return 0;
    });
    if (m_hub == nullptr) start(3);
    EXPECT_EQ(result(carry_out(ActionKind::archive, {fid}).front()), EBUSY) << size;
    // The roll back follows the end: a later action of the same file waits for it.
    const Fid other = m_lustre.make_file("y");
    make_object(other, "y");
    carry_out(ActionKind::remove, {other});
    m_lustre.before(Call::xattrs, nullptr);
  }
  stop();
  EXPECT_EQ(state().failed, 2U);
  for (const auto& [item, error] : m_observer.failures()) EXPECT_EQ(test::read_file(object(item.fid)), "the old one");
}

TEST_F(WholeRunFailuresTest, archive_whose_end_may_have_been_taken_keeps_the_new_object) {
  const Fid fid = m_lustre.make_file("new");
  make_object(fid, "old");
  m_lustre.before(Call::copy_end, [fid](const Fid& ended) { return ended == fid ? ETIMEDOUT : 0; });
  start(1);
  m_lustre.send(ActionKind::archive, {fid});
  EXPECT_TRUE(m_lustre.wait_for_calls(Call::copy_end, 1));
  stop();
  EXPECT_EQ(state().failed, 1U);
  EXPECT_EQ(test::read_file(object(fid)), "new");
}

TEST_F(WholeRunFailuresTest, helper_that_fails_costs_the_striped_file) {
  const Fid fid = m_lustre.make_file(pattern(10 * k_MiB));
  std::atomic<int> opened = 0;
  m_lustre.before(Call::open_by_fid, [&opened, fid](const Fid& opening) {
    return opening == fid && ++opened == 6 ? EACCES : 0;  // two opens look at it and begin, then helpers
  });
  start(3);
  expect_failure(ActionKind::archive, fid, EACCES);
  EXPECT_FALSE(std::filesystem::exists(object(fid)));
}

TEST_F(WholeRunFailuresTest, unknown_actions_are_refused) {
  start(1);
  expect_failure(static_cast<ActionKind>(99), m_lustre.make_file("x"), EINVAL);
}

TEST_F(WholeRunFailuresTest, progress_that_says_stop_ends_a_small_copy_with_ecanceled) {
  m_options.update_interval = 0ms;
  m_lustre.fail(Call::progress, ECANCELED);
  start(1);
  EXPECT_EQ(result(carry_out(ActionKind::archive, {m_lustre.make_file(pattern(2 * k_MiB))}).front()), ECANCELED);
  stop();
  EXPECT_EQ(state().cancelled, 1U);
}

TEST_F(WholeRunFailuresTest, progress_that_says_stop_ends_a_striped_copy_with_ecanceled) {
  m_options.update_interval = 5ms;
  m_lustre.fail(Call::progress, ECANCELED);
  // So many extents that the answer is there long before the last of them.
  std::atomic<int> opened = 0;
  m_lustre.before(Call::open_by_fid, [&](const Fid&) {
    if (++opened > 2) { EXPECT_TRUE(m_lustre.wait_for_calls(Call::progress, 1)); }
    return 0;
  });
  start(2);
  EXPECT_EQ(result(carry_out(ActionKind::archive, {m_lustre.make_file(pattern(64 * k_MiB))}).front()), ECANCELED);
  stop();
  EXPECT_EQ(state().cancelled, 1U);
}

TEST_F(WholeRunFailuresTest, progress_that_fails_otherwise_costs_no_striped_file) {
  m_options.update_interval = 5ms;
  m_lustre.fail(Call::progress, EAGAIN);  // the coordinator is stopped for a while
  std::atomic<int> opened = 0;
  m_lustre.before(Call::open_by_fid, [&](const Fid&) {
    if (++opened > 2) { EXPECT_TRUE(m_lustre.wait_for_calls(Call::progress, 1)); }
    return 0;
  });
  start(2);
  EXPECT_EQ(result(carry_out(ActionKind::archive, {m_lustre.make_file(pattern(12 * k_MiB))}).front()), 0);
  stop();
}

TEST_F(WholeRunFailuresTest, progress_that_fails_otherwise_costs_no_small_file) {
  m_options.update_interval = 0ms;
  m_lustre.fail(Call::progress, EAGAIN);
  start(1);
  EXPECT_EQ(result(carry_out(ActionKind::archive, {m_lustre.make_file(pattern(2 * k_MiB))}).front()), 0);
  stop();
}

}  // namespace
}  // namespace lhsm::run
