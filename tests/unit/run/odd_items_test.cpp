// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Items that no sane user asked for: each is answered, none is dropped, as the coordinator would wait for it
// until its timeout.
#include <sys/stat.h>

#include "unit/run/whole_run.hpp"

namespace lhsm::run {
namespace {

class OddItemsTest : public WholeRunTest {
 protected:
  void deliver_list(std::vector<ActionItem> items, const std::string& fsname, const std::string& damage = {}) {
    lustre::ActionList list;
    list.fsname = fsname;
    list.items = std::move(items);
    list.damage = damage;
    list.unread_bytes = damage.empty() ? 0 : 72;
    m_lustre.deliver_list(std::move(list));
  }
  void expect_result(const ActionItem& item, int sys_errno) {
    EXPECT_TRUE(m_lustre.wait_for_end_of({item})) << item.describe();
    EXPECT_EQ(m_lustre.record(item).ends, std::vector<int>{sys_errno}) << item.describe();
  }
};

TEST_F(OddItemsTest, list_of_another_file_system_is_refused) {
  start(2);
  const Fid fid = m_lustre.make_file("x");
  make_object(fid, "kept");
  const ActionItem archive = m_lustre.request(ActionKind::archive, fid);
  const ActionItem remove = m_lustre.request(ActionKind::remove, fid);
  deliver_list({archive, remove}, "other");
  expect_result(archive, EXDEV);
  expect_result(remove, EXDEV);
  EXPECT_EQ(test::read_file(object(fid)), "kept");
}

TEST_F(OddItemsTest, list_of_an_archive_that_is_not_served_is_refused) {
  m_dispatcher_options.archive_ids = {1, 3};
  start(2);
  const Fid fid = m_lustre.make_file("x");
  const ActionItem foreign = m_lustre.request(ActionKind::archive, fid, 2);
  const ActionItem ours = m_lustre.request(ActionKind::archive, fid, 3);
  m_lustre.deliver({foreign, ours});
  expect_result(foreign, EINVAL);
  expect_result(ours, 0);
}

TEST_F(OddItemsTest, what_could_be_read_of_a_damaged_list_is_carried_out) {
  start(2);
  const ActionItem item = m_lustre.request(ActionKind::archive, m_lustre.make_file("x"));
  deliver_list({item}, m_lustre.fsname(), "item 1 of length 3");
  expect_result(item, 0);
  deliver_list({}, "", "header cut short");
  EXPECT_EQ(result(carry_out(ActionKind::archive, {m_lustre.make_file("y")}).front()), 0);
}

TEST_F(OddItemsTest, unknown_actions_are_refused) {
  start(1);
  for (const std::uint32_t kind : {0U, 10U, 19U, 24U, 99U, ~0U})
    expect_result(m_lustre.send(static_cast<ActionKind>(kind), {m_lustre.make_file("x")}).front(), EINVAL);
}

/// Seen on Lustre: a late writer to a restore's volatile causes a RESTORE of the volatile's FID.
TEST_F(OddItemsTest, files_that_do_not_exist) {
  start(2);
  for (const Fid fid : {Fid{0x200000400, 0x999, 0}, Fid{0x280000400, 1, 0}}) {
    expect_result(m_lustre.send(ActionKind::restore, {fid}).front(), ENOENT);
    expect_result(m_lustre.send(ActionKind::archive, {fid}).front(), ENOENT);
    expect_result(m_lustre.send(ActionKind::remove, {fid}).front(), 0);
    make_object(fid, "what is left of it");
    expect_result(m_lustre.send(ActionKind::remove, {fid}).front(), 0);
  }
}

TEST_F(OddItemsTest, fid_whose_mdt_cannot_be_found) {
  m_lustre.fail(Call::mdt_index, ENOENT);
  start(1);
  const auto items = m_lustre.send(ActionKind::restore, {Fid{0x200000400, 0x999, 0}});
  expect_result(items.front(), ENOENT);
}

TEST_F(OddItemsTest, directories_and_special_files) {
  start(2);
  const Fid directory = m_lustre.make_file("");
  std::filesystem::remove(m_lustre.path(directory));
  std::filesystem::create_directory(m_lustre.path(directory));
  const Fid fifo = m_lustre.make_file("");
  std::filesystem::remove(m_lustre.path(fifo));
  ASSERT_EQ(::mkfifo(m_lustre.path(fifo).c_str(), 0600), 0);
  make_object(fifo, "x");
  expect_result(m_lustre.send(ActionKind::archive, {directory}).front(), EISDIR);
  expect_result(m_lustre.send(ActionKind::archive, {fifo}).front(), EINVAL);
  expect_result(m_lustre.send(ActionKind::restore, {fifo}).front(), EINVAL);
}

TEST_F(OddItemsTest, part_of_a_file_is_all_of_it) {
  start(2);
  const std::string content = pattern(3 * k_MiB);
  const Fid fid = m_lustre.make_file(content);
  ActionItem archive = m_lustre.request(ActionKind::archive, fid);
  archive.extent = {k_MiB, 4096};
  m_lustre.deliver({archive});
  expect_result(archive, 0);
  EXPECT_TRUE(test::read_file(object(fid)) == content);

  const Fid released = m_lustre.make_released(content.size());
  make_object(released, content);
  ActionItem restore = m_lustre.request(ActionKind::restore, released);
  restore.extent = {0, 4096};
  m_lustre.deliver({restore});
  expect_result(restore, 0);
  EXPECT_TRUE(m_lustre.content(released) == content);

  // offset + length overflows, which an end must not.
  ActionItem odd = m_lustre.request(ActionKind::archive, fid);
  odd.extent = {k_MiB, ~std::uint64_t{0}};
  m_lustre.deliver({odd});
  expect_result(odd, 0);
}

TEST_F(OddItemsTest, several_actions_on_one_file_are_done_in_their_order) {
  start(3);
  const Fid fid = m_lustre.make_file("content");
  make_object(fid, "old");
  const ActionItem remove = m_lustre.request(ActionKind::remove, fid);
  const ActionItem first = m_lustre.request(ActionKind::archive, fid);
  const ActionItem second = m_lustre.request(ActionKind::archive, fid);
  m_lustre.deliver({remove, first, second});
  for (const ActionItem& item : {remove, first, second}) expect_result(item, 0);
  EXPECT_EQ(test::read_file(object(fid)), "content");
  const ActionItem last = m_lustre.request(ActionKind::remove, fid);
  m_lustre.deliver({last});
  expect_result(last, 0);
  EXPECT_FALSE(std::filesystem::exists(object(fid)));
}

TEST_F(OddItemsTest, item_that_is_sent_twice_is_done_once) {
  m_lustre.before(Call::copy_start, [this](const Fid&) { return m_gate.pass(); });
  start(2);
  const ActionItem item = m_lustre.request(ActionKind::archive, m_lustre.make_file("x"));
  m_lustre.deliver({item, item});
  ASSERT_TRUE(m_gate.wait_for_arrivals(1));
  m_lustre.deliver({item});
  m_gate.open();
  expect_result(item, 0);
  stop();
  EXPECT_EQ(state().received, 1U);
  EXPECT_EQ(m_lustre.calls(Call::copy_start), 1);
}

TEST_F(OddItemsTest, one_cookie_of_two_mdts_is_two_actions) {
  const Fid here = m_lustre.make_file("here", 0);
  const Fid there = m_lustre.make_file("there", 1);
  m_lustre.before(Call::copy_start, [this](const Fid&) { return m_gate.pass(); });
  start(2);
  const ActionItem one = m_lustre.request_with_cookie(ActionKind::archive, here, 77);
  const ActionItem other = m_lustre.request_with_cookie(ActionKind::archive, there, 77);
  ASSERT_EQ(one.cookie, other.cookie);
  m_lustre.deliver({one, other});
  ASSERT_TRUE(m_gate.wait_for_arrivals(2));
  m_lustre.cancel(other);
  EXPECT_TRUE(m_lustre.wait_for_calls(Call::mdt_index, 3));
  std::this_thread::sleep_for(50ms);
  m_gate.open();
  expect_result(one, 0);
  expect_result(other, ECANCELED);
  stop();
  EXPECT_EQ(state().archived, 1U);
  EXPECT_EQ(state().cancelled, 1U);
}

}  // namespace
}  // namespace lhsm::run
