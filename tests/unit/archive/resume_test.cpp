// SPDX-License-Identifier: LGPL-2.1-or-later
// Objects in the making that a later process goes on with, and those that it must not take.
#include <gmock/gmock.h>
#include <unistd.h>

#include "../../../src/archive/ticket.hpp"
#include "archive_fixture.hpp"

namespace lhsm::archive {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ResumeTest : public ArchiveFixture {
 protected:
  /// Let a process leave an object in the making, as it kept it or as it was killed; return the ticket.
  std::string leave(const std::string& content, bool keeps = true) {
    const test::TempDir told;
    in_killed_process([&] {
      auto writer = begin(content, "lov");
      test::write_file(told / "ticket", writer->ticket().value());
      if (!keeps) ::kill(::getpid(), SIGKILL);
      writer->keep();
      writer.reset();
      m_backend.reset();
    });
    return test::read_file(told / "ticket");
  }
  [[nodiscard]] std::filesystem::path place_of(const std::string& ticket) const {
    return object().parent_path() / ticket.substr(0, ticket.find(' '));
  }
  [[nodiscard]] std::uint64_t clear(const std::set<std::string>& wanted) {
    const auto cleared = m_backend->clear_leftovers(wanted);
    EXPECT_TRUE(cleared) << cleared.error().describe();
    return cleared.value_or(999);
  }
  void expect_no_object_of(const std::string& ticket, std::uint64_t size) {
    const auto resumed = m_backend->resume(k_fid, ticket, size);
    ASSERT_FALSE(resumed);
    EXPECT_EQ(resumed.error().kind, ErrorKind::not_found) << resumed.error().describe();
  }
  [[nodiscard]] std::set<std::string> tables() const {
    auto found = test::files_below(m_dir.path());
    std::erase_if(found, [](const std::string& name) { return !name.starts_with(".lhsmtool_mpi/"); });
    return found;
  }
};

TEST_F(ResumeTest, what_was_kept_is_gone_on_with_and_published) {
  const std::string ticket = leave("first-......");
  EXPECT_THAT(files(), SizeIs(1)) << "the layout is of the moment of the publication";
  auto writer = m_backend->resume(k_fid, ticket, 12);
  ASSERT_TRUE(writer) << writer.error().describe();
  EXPECT_NE((*writer)->ticket().value(), ticket) << "it has a name of its own now";
  auto joined = open_backend()->join(k_fid, (*writer)->token());
  ASSERT_TRUE(joined);
  const std::string rest = "second";
  ASSERT_TRUE((*joined)->write_at(std::as_bytes(std::span(rest)), 6));
  joined->reset();
  ASSERT_TRUE((*writer)->set_layout("new lov"));
  auto publication = (*writer)->publish();
  ASSERT_TRUE(publication) << publication.error().describe();
  EXPECT_TRUE((*publication)->commit());
  EXPECT_EQ(load(), "first-second");
  EXPECT_EQ(load_layout(), "new lov");
  EXPECT_THAT(files(), SizeIs(2));
}

TEST_F(ResumeTest, what_a_killed_process_had_is_gone_on_with) {
  const std::string ticket = leave("content", false);
  EXPECT_THAT(files(), SizeIs(2));
  EXPECT_EQ(clear({ticket}), 1U) << "the layout";
  auto writer = m_backend->resume(k_fid, ticket, 7);
  ASSERT_TRUE(writer) << writer.error().describe();
  ASSERT_TRUE((*writer)->set_layout("new lov"));
  ASSERT_TRUE((*(*writer)->publish())->commit());
  EXPECT_EQ(load(), "content");
  EXPECT_EQ(clear({}), 0U);
  writer->reset();
  m_backend.reset();
  EXPECT_THAT(tables(), IsEmpty());
}

TEST_F(ResumeTest, it_can_be_kept_once_more_and_goes_when_it_is_dropped) {
  std::string ticket = leave("content");
  {
    auto writer = m_backend->resume(k_fid, ticket, 7);
    ASSERT_TRUE(writer);
    ticket = (*writer)->ticket().value();
    (*writer)->keep();
  }
  m_backend = open_backend();
  EXPECT_EQ(test::read_file(place_of(ticket)), "content");
  EXPECT_TRUE(m_backend->resume(k_fid, ticket, 7));
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(ResumeTest, what_is_wanted_outlives_the_start_and_its_table_with_it) {
  const std::string ticket = leave("wanted");
  const std::string other = leave("not wanted");
  EXPECT_EQ(clear({ticket}), 1U);
  EXPECT_EQ(test::read_file(place_of(ticket)), "wanted");
  EXPECT_THAT(tables(), SizeIs(1)) << "the other's has gone";
  EXPECT_FALSE(std::filesystem::exists(place_of(other)));
  EXPECT_EQ(clear({}), 1U) << "nobody wants it any more";
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_THAT(tables(), IsEmpty());
}

TEST_F(ResumeTest, an_object_that_was_being_replaced_comes_to_its_end_though_the_new_one_is_wanted) {
  store("old", "old lov");
  const std::string ticket = leave("new");
  // Killed in the midst of the publication: the old one had its second names already.
  const std::string unique = ticket.substr(ticket.find("_tmp.") + 5, ticket.find(' ') - ticket.find("_tmp.") - 5);
  std::filesystem::create_hard_link(object(), object().string() + "_old." + unique);
  std::filesystem::create_hard_link(object().string() + ".lov", object().string() + "_old." + unique + ".lov");
  EXPECT_EQ(clear({ticket}), 2U);
  EXPECT_EQ(load(), "old");
  EXPECT_EQ(load_layout(), "old lov");
  EXPECT_TRUE(m_backend->resume(k_fid, ticket, 3));
}

TEST_F(ResumeTest, what_took_its_name_is_not_wanted) {
  const std::string ticket = leave("content");
  test::write_file(m_dir / "other", "another");
  std::filesystem::rename(m_dir / "other", place_of(ticket));
  expect_no_object_of(ticket, 7);
  EXPECT_EQ(test::read_file(place_of(ticket)), "another") << "not taken over";
  EXPECT_EQ(clear({ticket}), 1U);
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(ResumeTest, a_missing_object_is_not_found) {
  const std::string ticket = leave("content");
  std::filesystem::remove(place_of(ticket));
  expect_no_object_of(ticket, 7);
  std::filesystem::remove_all(object().parent_path());
  expect_no_object_of(ticket, 7);
}

TEST_F(ResumeTest, one_of_another_size_is_not_found_and_goes) {
  for (const std::uint64_t size : {3U, 9U}) {
    const std::string ticket = leave("content");
    std::filesystem::resize_file(place_of(ticket), size);
    expect_no_object_of(ticket, 7);
    EXPECT_THAT(files(), IsEmpty());
  }
}

TEST_F(ResumeTest, one_that_was_published_is_not_in_the_making) {
  auto writer = begin("content");
  const std::string ticket = writer->ticket().value();
  ASSERT_TRUE((*writer->publish())->commit());
  expect_no_object_of(ticket, 7);
  EXPECT_EQ(clear({ticket}), 0U);
  EXPECT_EQ(load(), "content");
}

TEST_F(ResumeTest, only_the_first_one_gets_it) {
  const std::string ticket = leave("content");
  const auto first = m_backend->resume(k_fid, ticket, 7);
  ASSERT_TRUE(first);
  expect_no_object_of(ticket, 7);
  EXPECT_EQ(open_backend()->clear_leftovers({}).value(), 0U) << "it is a living process' now";
  EXPECT_THAT(files(), SizeIs(1));
}

TEST_F(ResumeTest, hostile_tickets_are_invalid) {
  const std::string ticket = leave("content");
  const std::string inode = ticket.substr(ticket.find(' '));
  store("published");
  for (const std::string& hostile :
       {std::string(), ticket.substr(0, ticket.find(' ')), ticket + "x", ticket + " 1", k_fid.str() + inode, "../x" + inode,
        "/etc/passwd" + inode, k_fid.str() + "_old.12-3" + inode, Fid{1, 2, 3}.str() + "_tmp.12-3" + inode,
        ticket + "99999999999999999999"}) {
    const auto resumed = m_backend->resume(k_fid, hostile, 7);
    ASSERT_FALSE(resumed) << hostile;
    EXPECT_EQ(resumed.error().sys_errno, EINVAL) << hostile;
  }
  EXPECT_TRUE(m_backend->resume(k_fid, ticket, 7));
  EXPECT_EQ(load(), "published");
}

}  // namespace
}  // namespace lhsm::archive
