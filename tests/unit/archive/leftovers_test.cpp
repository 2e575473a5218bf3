// SPDX-License-Identifier: LGPL-2.1-or-later
// What a killed process leaves in the archive goes at the next start, and nothing else does.
#include "../../../src/archive/leftovers.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>

#include "lhsmtool_mpi/base/lock_reach.hpp"
#include "../../../src/archive/making_table.hpp"
#include "archive_fixture.hpp"

namespace lhsm::archive {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string k_dir = "0001/0000/0401/0000/0002/0000/";
const std::string k_process = "0123456789abcdef";

class LeftoversTest : public ArchiveFixture {
 protected:
  [[nodiscard]] std::uint64_t clear() {
    const auto cleared = m_backend->clear_leftovers({});
    EXPECT_TRUE(cleared.has_value()) << cleared.error().describe();
    return cleared.value_or(999);
  }
  [[nodiscard]] std::set<std::string> tables() const {
    auto found = test::files_below(m_dir.path());
    std::erase_if(found, [](const std::string& name) { return !name.starts_with(".lhsmtool_mpi/"); });
    return found;
  }
  /// A table of a process that is gone, with these bytes after its header.
  void make_table(const std::string& records, const std::string& name = k_process + ".0") {
    test::write_file(m_dir / (".lhsmtool_mpi/" + name), std::string(k_table_header_bytes, '\0') + records);
  }
  static std::string record(std::uint64_t number, const Fid& fid = k_fid) {
    return record_text({TreeFormat::v1, fid, number});
  }
};

TEST_F(LeftoversTest, nothing_is_done_where_there_is_nothing) {
  EXPECT_EQ(clear(), 0U);
  EXPECT_THAT(test::files_below(m_dir.path()), IsEmpty());
}

TEST_F(LeftoversTest, objects_in_the_making_go_with_their_process) {
  in_killed_process([this] {
    const auto first = begin("content", "lov");
    const auto second = begin("content", {}, {0x200000401, 2, 0});
  });
  EXPECT_THAT(files(), IsEmpty()) << "both were dropped before the kill";
  in_killed_process([this] {
    std::vector<std::unique_ptr<ObjectWriter>> writers;
    for (unsigned i = 0; i < 100; ++i) writers.push_back(begin("content", "lov", {0x200000401, i, 0}));
    ::kill(::getpid(), SIGKILL);
  });
  EXPECT_THAT(files(), SizeIs(200));
  EXPECT_EQ(clear(), 200U);
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_THAT(tables(), IsEmpty());
}

TEST_F(LeftoversTest, a_published_object_stays_and_its_predecessor_goes) {
  store("old", "old lov");
  in_killed_process([this] {
    const auto publication = publish("new", "new lov");
    ::kill(::getpid(), SIGKILL);
  });
  EXPECT_THAT(files(), SizeIs(4));
  EXPECT_EQ(clear(), 2U);
  EXPECT_EQ(load(), "new");
  EXPECT_EQ(load_layout(), "new lov");
  EXPECT_THAT(files(), SizeIs(2));
}

TEST_F(LeftoversTest, what_a_living_process_has_is_spared) {
  const auto writer = begin("content", "lov");
  auto other = open_backend();
  EXPECT_EQ(other->clear_leftovers({}), 0U);
  EXPECT_THAT(files(), SizeIs(2));
  EXPECT_THAT(tables(), SizeIs(1));
  EXPECT_TRUE((*writer).publish()) << "and it goes on";
}

TEST_F(LeftoversTest, a_lost_lock_is_not_taken_for_a_death) {
  // As after a restart of the archive's server: nobody has the lock, but the process is there.
  test::write_file(m_dir / (".lhsmtool_mpi/" + k_process + ".0"), header_text("") + record(1));
  test::write_file(m_dir / (k_dir + k_fid.str() + "_tmp." + k_process + "-1"), "content");
  EXPECT_EQ(clear(), 0U);
  EXPECT_THAT(files(), SizeIs(1));
}

TEST_F(LeftoversTest, a_table_of_another_kernel_is_dead_when_its_lock_can_be_had) {
  std::string header = "lhsmtool_mpi making 1\nother-boot/pid:[1] 1 1\nother\n";
  header.resize(k_table_header_bytes);
  test::write_file(m_dir / (".lhsmtool_mpi/" + k_process + ".0"), header + record(0xab));
  test::write_file(m_dir / (k_dir + k_fid.str() + "_tmp." + k_process + "-ab"), "content");
  EXPECT_EQ(clear(), 1U);
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(LeftoversTest, what_another_job_may_go_on_with_is_spared_for_a_month) {
  m_owner = "job-a";
  m_backend = open_backend();
  store("old", "old lov");
  in_killed_process([this] {
    const auto writer = begin("content", "lov");
    ::kill(::getpid(), SIGKILL);
  });
  const std::set<std::string> kept = files();
  ASSERT_THAT(kept, SizeIs(4));
  const auto table = m_dir / *tables().begin();
  for (const char* other : {"", "job-b"}) {
    m_owner = other;
    m_backend = open_backend();
    EXPECT_EQ(clear(), other == std::string_view("") ? 1U : 0U) << "its layout is made anew when it is published";
    EXPECT_THAT(files(), SizeIs(3));
    EXPECT_TRUE(std::filesystem::exists(table));
  }

  const auto long_ago = std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * 31);
  std::filesystem::last_write_time(table, long_ago);
  EXPECT_EQ(clear(), 1U);
  EXPECT_THAT(files(), SizeIs(2));
  EXPECT_EQ(load(), "old");
  EXPECT_THAT(tables(), IsEmpty());
}

TEST_F(LeftoversTest, a_job_clears_its_own_and_puts_back_what_another_one_was_replacing) {
  m_owner = "job-a";
  m_backend = open_backend();
  in_killed_process([this] {
    const auto writer = begin("content", "lov");
    ::kill(::getpid(), SIGKILL);
  });
  EXPECT_EQ(clear(), 2U);
  EXPECT_THAT(files(), IsEmpty());

  store("old", "old lov");
  in_killed_process([this] {
    const auto publication = publish("new", "new lov");
    std::filesystem::remove(object());  // as if it had died between two steps
    ::kill(::getpid(), SIGKILL);
  });
  m_owner = "job-b";
  m_backend = open_backend();
  std::ignore = clear();
  EXPECT_EQ(load(), "old");
  EXPECT_THAT(tables(), IsEmpty());
}

TEST_F(LeftoversTest, an_object_that_is_missing_comes_back) {
  make_table(record(7));
  const std::string old = k_dir + k_fid.str() + "_old." + k_process + "-7";
  test::write_file(m_dir / old, "old");
  test::write_file(m_dir / (old + ".lov"), "old lov");
  std::ignore = clear();
  EXPECT_EQ(load(), "old");
  EXPECT_EQ(load_layout(), "old lov");
  EXPECT_THAT(files(), SizeIs(2));
}

TEST_F(LeftoversTest, a_roll_back_is_brought_to_its_end) {
  // It had put the object back, and died before the layout.
  store("old", "new lov");
  m_backend = open_backend();
  make_table(record(7));
  const std::string old = object().string() + "_old." + k_process + "-7";
  std::filesystem::create_hard_link(object(), old);
  test::write_file(old + ".lov", "old lov");
  EXPECT_EQ(clear(), 2U);
  EXPECT_THAT(files(), SizeIs(2));
  EXPECT_EQ(load_layout(), "old lov");
}

TEST_F(LeftoversTest, a_torn_or_hostile_table_removes_nothing_of_others) {
  store("object", "lov");
  m_backend = open_backend();
  test::write_file(m_dir / (k_dir + k_fid.str() + "_tmp.fedcba9876543210-1"), "of another process");
  test::write_file(m_dir / (k_dir + k_fid.str() + "_tmp." + k_process + "-2"), "of another record");
  test::write_file(m_dir / "outside", "x");
  const auto before = files();
  std::string hostile;
  for (const std::string text :
       {"v1 ../../outside 1\n", "v1 0x200000401:0x1:0x0/../../x 1\n", "v1 0x200000401:0x1:0x0 fedcba9876543210-1\n",
        "v1 0x200000401:0x1:0x0 \n", "v1 0x200000401:0x1:0x0 1", "v3 0x200000401:0x1:0x0 2\n", "\n", "v1\n", "v1 0x2000"}) {
    hostile += text;
    hostile.resize((hostile.size() + k_record_bytes - 1) / k_record_bytes * k_record_bytes);
  }
  make_table(hostile + record(2).substr(0, 20));  // cut short
  EXPECT_EQ(clear(), 0U);
  EXPECT_EQ(files(), before);
  EXPECT_THAT(tables(), IsEmpty());
}

TEST_F(LeftoversTest, what_is_no_table_is_left_alone) {
  make_table(record(1), "README");
  make_table(record(1), k_process);
  make_table(record(1), k_process + ".x");
  std::filesystem::create_symlink("/etc/passwd", m_dir / (".lhsmtool_mpi/" + k_process + ".3"));
  EXPECT_FALSE(m_backend->clear_leftovers({})) << "the link is told";
  EXPECT_THAT(tables(), SizeIs(4));
}

TEST_F(LeftoversTest, a_link_in_the_place_of_the_directory_is_not_followed) {
  std::filesystem::create_directory(m_dir / "elsewhere");
  std::filesystem::create_directory_symlink("elsewhere", m_dir / ".lhsmtool_mpi");
  EXPECT_FALSE(m_backend->clear_leftovers({}));
  EXPECT_FALSE(m_backend->create(k_fid));
}

TEST_F(LeftoversTest, the_table_goes_at_an_orderly_end) {
  store("content");
  EXPECT_THAT(tables(), SizeIs(1));
  m_backend.reset();
  EXPECT_THAT(tables(), IsEmpty());
}

TEST_F(LeftoversTest, a_slot_of_the_table_is_used_again) {
  for (unsigned i = 0; i < 50; ++i) store("content", {}, {0x200000401, i, 0});
  const auto table = m_dir / *tables().begin();
  EXPECT_EQ(std::filesystem::file_size(table), k_table_header_bytes + k_record_bytes);
}

TEST(MakingRecordTest, comes_back_as_it_was) {
  const Fid longest{~0ULL, ~0U, ~0U};
  const auto text = record_text({TreeFormat::v2, longest, ~0ULL});
  EXPECT_EQ(text.size(), k_record_bytes);
  const auto record = parse_record(text);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->format, TreeFormat::v2);
  EXPECT_EQ(record->fid, longest);
  EXPECT_EQ(record->number, ~0ULL);
}

TEST(MakingRecordTest, knows_who_runs) {
  const auto self = ProcessIdentity::parse(ProcessIdentity::self().text());
  ASSERT_TRUE(self);
  EXPECT_EQ(self->is_running(), true);
  ProcessIdentity other = *self;
  other.started += 1;
  EXPECT_EQ(other.is_running(), false) << "its number belongs to us now";
  other.kernel = "other";
  EXPECT_EQ(other.is_running(), std::nullopt);
}

TEST(MakingRecordTest, takes_a_zombie_for_dead) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string self = ProcessIdentity::self().text();
    std::ignore = ::write(ends[1], self.data(), self.size());
    ::_exit(0);
  }
  std::array<char, 256> text{};
  const auto size = ::read(ends[0], text.data(), text.size());
  ASSERT_GT(size, 0);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  const auto identity = ProcessIdentity::parse({text.data(), static_cast<std::size_t>(size)});
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->is_running(), false);
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_EQ(identity->is_running(), false);
  for (const int end : ends) ::close(end);
}

TEST(LockReachTest, mount_options_of_local_locks_are_seen) {
  EXPECT_TRUE(has_local_locks("36 35 0:45 / /mnt rw - lustre mgs@tcp:/fs rw,localflock,lazystatfs"));
  EXPECT_TRUE(has_local_locks("36 35 0:46 / /nfs rw - nfs server:/x rw,vers=3,local_lock=all"));
  EXPECT_FALSE(has_local_locks("36 35 0:46 / /nfs rw - nfs4 server:/x rw,vers=4.2,local_lock=none"));
  EXPECT_FALSE(has_local_locks("36 35 0:45 / /mnt/nolocks rw - lustre mgs@tcp:/fs rw,flock"));
}

}  // namespace
}  // namespace lhsm::archive
