// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How an object replaces another, goes back, and what is there when somebody dies in between.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include "archive_fixture.hpp"
#include "support/step_gate.hpp"

namespace lhsm::archive {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PublicationTest : public ArchiveFixture {
 protected:
  void TearDown() override { test::step_gate().disarm(); }

  /// Let a new process archive an object and die before its `step`-th step; with `roll_back` it publishes
  /// first, and the steps are those of the way back. Return false once it came to the end.
  [[nodiscard]] bool die_at(int step, const std::string& lov, bool roll_back = false) {
    const pid_t child = ::fork();
    if (child == 0) {
      m_backend = open_backend();
      auto& gate = test::step_gate();
      if (!roll_back) gate.arm(step, 0);
      auto publication = publish("new", lov);
      if (!publication) ::_exit(1);
      if (roll_back) gate.arm(step, 0);
      ::_exit((roll_back ? publication->roll_back() : publication->commit()) ? 0 : 1);
    }
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_THAT(WEXITSTATUS(status), AnyOf(0, test::StepGate::k_killed)) << "step " << step;
    EXPECT_LT(step, 30);
    return WEXITSTATUS(status) == test::StepGate::k_killed && step < 30;
  }
};

TEST_F(PublicationTest, writer_that_is_dropped_leaves_nothing) {
  std::ignore = begin("content", "lov");
  EXPECT_THAT(files(), IsEmpty());
  store("old", "old lov");
  std::ignore = begin("content", "lov");
  EXPECT_THAT(files(), ElementsAre(k_object_v1, k_object_v1 + ".lov"));
}

TEST_F(PublicationTest, nothing_is_visible_before_publish) {
  auto writer = begin("content", "lov");
  EXPECT_EQ(m_backend->open(k_fid).error().sys_errno, ENOENT);
  EXPECT_EQ(load_layout(), std::nullopt);
  EXPECT_THAT(files(), Contains("0001/0000/0401/0000/0002/0000/" + writer->token()));
}

TEST_F(PublicationTest, roll_back_of_the_first_version_leaves_nothing) {
  auto publication = publish("new", "new lov");
  EXPECT_EQ(load(), "new");
  EXPECT_TRUE(publication->roll_back());
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(PublicationTest, predecessor_is_kept_until_commit) {
  store("old", "old lov");
  auto publication = publish("new", "new lov");
  EXPECT_EQ(load(), "new");
  EXPECT_EQ(load_layout(), "new lov");
  EXPECT_EQ(files().size(), 4U);
  EXPECT_TRUE(publication->commit());
  publication.reset();
  EXPECT_EQ(load(), "new");
  EXPECT_THAT(files(), ElementsAre(k_object_v1, k_object_v1 + ".lov"));
}

struct Layouts {
  std::string before;
  std::string after;
};

/// For the tests' names.
void PrintTo(const Layouts& layouts, std::ostream* out) { *out << layouts.before << " to " << layouts.after; }

class PublicationLayouts : public PublicationTest, public ::testing::WithParamInterface<Layouts> {
 protected:
  static std::optional<std::string> wanted(const std::string& lov) {
    return lov.empty() ? std::nullopt : std::optional(lov);
  }
  /// The next start finds what belongs together, and leaves nothing else.
  void expect_cleared(int step) {
    const auto cleared = m_backend->clear_leftovers({});
    ASSERT_TRUE(cleared) << cleared.error().describe();
    const auto lov = load_layout();
    EXPECT_EQ(lov, wanted(load() == "old" ? GetParam().before : GetParam().after)) << step << ' ' << load();
    EXPECT_EQ(files().size(), lov ? 2U : 1U) << step;
  }
};

TEST_P(PublicationLayouts, go_with_their_version) {
  store("old", GetParam().before);
  auto publication = publish("new", GetParam().after);
  EXPECT_EQ(load_layout(), wanted(GetParam().after));
  EXPECT_TRUE(publication->roll_back());
  publication.reset();
  EXPECT_EQ(load(), "old");
  EXPECT_EQ(load_layout(), wanted(GetParam().before));
  EXPECT_EQ(files().size(), GetParam().before.empty() ? 1U : 2U);

  store("new", GetParam().after);
  EXPECT_EQ(load(), "new");
  EXPECT_EQ(load_layout(), wanted(GetParam().after));
  EXPECT_EQ(files().size(), GetParam().after.empty() ? 1U : 2U);
}

TEST_P(PublicationLayouts, dropping_rolls_back) {
  store("old", GetParam().before);
  publish("new", GetParam().after).reset();
  EXPECT_EQ(load(), "old");
  EXPECT_EQ(load_layout(), wanted(GetParam().before));
  EXPECT_EQ(files().size(), GetParam().before.empty() ? 1U : 2U);
}

/// Let each call of publish() fail in turn: the old version must be back, and nothing else be left.
TEST_P(PublicationLayouts, failure_at_any_step_of_publish_keeps_the_old_version) {
  store("old", GetParam().before);
  auto& gate = test::step_gate();
  for (int step = 1;; ++step) {
    auto writer = begin("new", GetParam().after);
    gate.arm(step, EIO);
    const auto publication = writer->publish();
    const bool hit = gate.count >= step;
    gate.disarm();
    if (!hit) break;
    ASSERT_LT(step, 20);
    ASSERT_FALSE(publication) << step << ' ' << gate.last_call;
    EXPECT_EQ(publication.error().sys_errno, EIO);
    writer.reset();
    EXPECT_EQ(load(), "old") << step;
    EXPECT_EQ(load_layout(), wanted(GetParam().before)) << step;
    EXPECT_EQ(files().size(), GetParam().before.empty() ? 1U : 2U) << step << ' ' << gate.last_call;
  }
}

TEST_P(PublicationLayouts, kill_at_any_step_leaves_a_complete_object) {
  int step = 0;
  bool died = true;
  while (died) {
    ASSERT_TRUE(m_backend->remove(k_fid));
    store("old", GetParam().before);
    died = die_at(++step, GetParam().after);
    EXPECT_THAT(load(), AnyOf("old", "new")) << step;
    EXPECT_THAT(load_layout(), AnyOf(wanted(GetParam().before), wanted(GetParam().after))) << step;
    expect_cleared(step);
  }
  EXPECT_GT(step, 6);
  EXPECT_EQ(load(), "new");
  // And the archive goes on, whatever was left behind.
  store("later", "later lov");
  EXPECT_EQ(load(), "later");
}

TEST_P(PublicationLayouts, kill_at_any_step_of_roll_back_leaves_a_complete_object) {
  int step = 0;
  bool died = true;
  while (died) {
    ASSERT_TRUE(m_backend->remove(k_fid));
    store("old", GetParam().before);
    died = die_at(++step, GetParam().after, true);
    EXPECT_THAT(load(), AnyOf("old", "new")) << step;
    expect_cleared(step);
  }
  EXPECT_GT(step, 2);
  EXPECT_EQ(load(), "old");
}

INSTANTIATE_TEST_SUITE_P(OldAndNew, PublicationLayouts,
                         ::testing::Values(Layouts{"old lov", "new lov"}, Layouts{"", "new lov"},
                                           Layouts{"old lov", ""}, Layouts{"", ""}));

TEST_F(PublicationTest, kill_of_a_first_archive_shows_no_object_without_its_layout) {
  int step = 0;
  bool died = true;
  while (died) {
    std::filesystem::remove_all(m_dir / "0001");
    died = die_at(++step, "new lov");
    if (!m_backend->open(k_fid)) continue;
    EXPECT_EQ(load(), "new") << step;
    EXPECT_EQ(load_layout(), "new lov") << step;
  }
  EXPECT_GT(step, 12) << "six directories are steps too";
  EXPECT_EQ(load(), "new");
}

TEST_F(PublicationTest, layout_left_over_without_object_is_not_taken_for_the_new_one) {
  test::write_file(object().string() + ".lov", "left over");
  store("new");
  EXPECT_EQ(load_layout(), std::nullopt);
}

TEST_F(PublicationTest, roll_back_spares_a_later_version) {
  store("old", "old lov");
  auto mine = publish("mine", "my lov");
  auto later = publish("later", "later lov");
  EXPECT_TRUE(mine->roll_back());
  EXPECT_TRUE(later->commit());
  EXPECT_EQ(load(), "later");
  EXPECT_EQ(load_layout(), "later lov");
  EXPECT_EQ(files().size(), 2U);
}

TEST_F(PublicationTest, file_system_that_cannot_sync_directories_is_borne) {
  auto writer = begin("new");
  test::step_gate().arm(2, EINVAL, "fsync");  // the first is the object's
  EXPECT_TRUE(writer->publish());
}

TEST_F(PublicationTest, full_disk_at_fsync_fails_the_object_and_leaves_nothing) {
  store("old");
  auto writer = begin("new");
  test::step_gate().arm(1, ENOSPC, "fsync");
  const auto publication = writer->publish();
  ASSERT_FALSE(publication);
  EXPECT_EQ(publication.error().kind, ErrorKind::no_space);
  EXPECT_EQ(publication.error().operation, "fsync");
  test::step_gate().disarm();
  writer.reset();
  EXPECT_EQ(load(), "old");
  EXPECT_THAT(files(), ElementsAre(k_object_v1));
}

TEST_F(PublicationTest, everything_is_durable_in_the_order_that_a_crash_wants) {
  auto& gate = test::step_gate();
  store("makes the directories");
  auto writer = begin("new", "lov");
  gate.watch();
  auto publication = std::move(writer->publish().value());
  EXPECT_THAT(gate.calls, ElementsAre("fsync", "fsync", "linkat", "linkat", "linkat", "renameat", "unlinkat", "renameat", "fsync"));
  gate.watch();
  EXPECT_TRUE(publication->roll_back());
  EXPECT_THAT(gate.calls, ElementsAre("linkat", "renameat", "unlinkat", "unlinkat", "fsync"));
  gate.watch();
  EXPECT_TRUE(m_backend->remove(k_fid));
  EXPECT_THAT(gate.calls, ElementsAre("unlinkat", "unlinkat", "unlinkat", "fsync"));
}

/// They are gone after a crash, with all that is in them.
TEST_F(PublicationTest, directories_that_another_process_made_and_has_not_synced_are_synced) {
  const auto other = open_backend();
  const auto not_published = other->create(k_fid);
  ASSERT_TRUE(not_published);
  auto& gate = test::step_gate();
  gate.watch("fsync");
  store("new");
  EXPECT_EQ(gate.count, 1 + 6 + 2) << "above the table of objects in the making, above the object, the object, its directory";
  gate.watch("fsync");
  store("newer");
  EXPECT_EQ(gate.count, 2) << "once";
  gate.disarm();
}

TEST_F(PublicationTest, new_directories_are_synced_with_the_object_and_once) {
  auto& gate = test::step_gate();
  gate.watch("fsync");
  store("content");
  EXPECT_EQ(gate.count, 1 + 1 + 6) << "object, its directory, six that got a new entry";
  store("content");  // what it finds it syncs once, whoever made it
  gate.watch("fsync");
  store("content");
  EXPECT_EQ(gate.count, 2);
}

TEST_F(PublicationTest, mkdir_that_fails_is_told) {
  test::step_gate().arm(3, EDQUOT, "mkdirat");
  const auto writer = m_backend->create(k_fid);
  ASSERT_FALSE(writer);
  EXPECT_EQ(writer.error(), (Error{ErrorKind::no_space, EDQUOT, "mkdir", (m_dir / "0001/0000/0401").string()}));
}

TEST_F(PublicationTest, commit_that_cannot_unlink_says_so) {
  store("old");
  auto publication = publish("new");
  test::step_gate().arm(1, EIO, "unlinkat");
  const auto status = publication->commit();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().operation, "unlink");
  EXPECT_EQ(load(), "new");
}

}  // namespace
}  // namespace lhsm::archive
