// SPDX-License-Identifier: LGPL-2.1-or-later
#include "unit/emulator/cluster_fixture.hpp"

extern "C" {
int llapi_group_lock(int fd, int group);
int llapi_group_lock64(int fd, std::uint64_t group);
int llapi_group_unlock64(int fd, std::uint64_t group);
}

namespace lhsm::emulator {
namespace {

class GroupLockTest : public ClusterTest {
 protected:
  void SetUp() override {
    ClusterTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    path = make("f", 300'000);
    for (auto* program : {&one, &two, &three}) {
      *program = client(program == &one ? "n1" : program == &two ? "n2" : "n3");
      ASSERT_EQ(ask(**program, "open " + path + " w"), "open");
    }
  }
  std::string path;
  std::unique_ptr<Program> one;
  std::unique_ptr<Program> two;
  std::unique_ptr<Program> three;
};

const auto einval = std::to_string(-EINVAL);
const std::string nothing = "<nothing>";
constexpr int k_soon_ms = 300;

TEST_F(GroupLockTest, errors_are_those_of_lustre) {
  EXPECT_EQ(ask(*one, "lock 0"), einval);
  EXPECT_EQ(ask(*one, "unlock 7"), einval) << "not locked";
  EXPECT_EQ(ask(*one, "lock 7"), "0");
  EXPECT_EQ(ask(*one, "lock 7"), einval) << "locked by this open file already";
  EXPECT_EQ(ask(*one, "lock 8"), einval);
  EXPECT_EQ(ask(*one, "unlock 8"), einval) << "another group's";
  EXPECT_EQ(ask(*two, "unlock 7"), einval) << "another open file's";
  EXPECT_EQ(ask(*two, "open " + path + " n"), "open");
  EXPECT_EQ(ask(*two, "lock 8"), std::to_string(-EAGAIN));
  EXPECT_EQ(ask(*two, "lock 7"), "0") << "shared";
  EXPECT_EQ(ask(*one, "unlock 7"), "0");
  EXPECT_EQ(ask(*one, "unlock 7"), einval);
  EXPECT_EQ(ask(*one, "open " + mount + " r"), "open");
  EXPECT_EQ(ask(*one, "lock 7"), std::to_string(-ENOTTY)) << "directories have none";
}

TEST_F(GroupLockTest, works_by_a_descriptor_for_reading_and_is_shown) {
  EXPECT_EQ(ask(*one, "open " + path + " r"), "open");
  EXPECT_EQ(ask(*one, "lock 1"), "0");
  lu_fid fid{};
  ASSERT_EQ(llapi_path2fid(path.c_str(), &fid), 0);
  EXPECT_TRUE(has(status(), "\"group_locks\":[{\"fid\":\"" + from_abi(fid).bracketed() + "\",\"group\":1}]"))
      << status();
  EXPECT_EQ(ask(*one, "unlock 1"), "0");
  EXPECT_TRUE(has(status(), "\"group_locks\":[]")) << status();
}

TEST_F(GroupLockTest, groups_have_64_bits) {
  const Fd fd(::open(path.c_str(), O_RDWR | O_NONBLOCK));
  const Fd other(::open(path.c_str(), O_RDWR | O_NONBLOCK));
  const auto group = (std::uint64_t{1} << 40U) + 5;
  EXPECT_EQ(llapi_group_lock64(*fd, group), 0);
  EXPECT_EQ(llapi_group_lock(*other, 5), -EAGAIN);
  EXPECT_EQ(llapi_group_lock64(*other, group), 0);
  EXPECT_EQ(llapi_group_unlock64(*fd, 5), -EINVAL);
  EXPECT_EQ(llapi_group_unlock64(*fd, group), 0);
  const Fd path_only(::open(path.c_str(), O_PATH));
  EXPECT_EQ(llapi_group_lock(*path_only, 5), -EBADF);
}

TEST_F(GroupLockTest, belongs_to_the_open_file_not_to_the_descriptor) {
  EXPECT_EQ(ask(*one, "lock 1"), "0");
  EXPECT_EQ(ask(*one, "again"), "open");
  EXPECT_EQ(ask(*one, "unlock 1"), "0");
}

TEST_F(GroupLockTest, another_group_gets_it_when_the_last_of_the_first_unlocks) {
  EXPECT_EQ(ask(*one, "lock 1"), "0");
  EXPECT_EQ(ask(*two, "lock 1"), "0");
  three->say("lock 2");
  EXPECT_EQ(three->line(k_soon_ms), nothing);
  EXPECT_EQ(ask(*one, "unlock 1"), "0");
  EXPECT_EQ(three->line(k_soon_ms), nothing);
  EXPECT_EQ(ask(*two, "unlock 1"), "0");
  EXPECT_EQ(three->line(), "0");
  two->say("lock 1");
  EXPECT_EQ(two->line(k_soon_ms), nothing);
  EXPECT_EQ(ask(*three, "unlock 2"), "0");
  EXPECT_EQ(two->line(), "0");
}

TEST_F(GroupLockTest, another_group_gets_it_at_close) {
  EXPECT_EQ(ask(*one, "lock 1"), "0");
  three->say("lock 2");
  EXPECT_EQ(three->line(k_soon_ms), nothing);
  EXPECT_EQ(ask(*one, "close"), "closed");
  EXPECT_EQ(three->line(), "0");
}

TEST_F(GroupLockTest, another_group_gets_it_when_the_holder_dies) {
  EXPECT_EQ(ask(*one, "lock 1"), "0");
  two->say("lock 2");
  three->say("lock 2");
  EXPECT_EQ(three->line(k_soon_ms), nothing);
  one->kill();
  EXPECT_EQ(two->line(), "0") << "together";
  EXPECT_EQ(three->line(), "0");
}

TEST_F(GroupLockTest, who_dies_waiting_holds_nobody_up) {
  EXPECT_EQ(ask(*one, "lock 1"), "0");
  two->say("lock 2");
  EXPECT_EQ(two->line(k_soon_ms), nothing);
  two->kill();
  EXPECT_EQ(ask(*one, "unlock 1"), "0");
  EXPECT_EQ(ask(*three, "lock 3"), "0");
}

TEST_F(GroupLockTest, archive_waits_for_it_at_begin_and_end) {
  EXPECT_EQ(ask(*two, "register"), "0");
  EXPECT_EQ(ask(*one, "lock 1"), "0");
  request(path, HUA_ARCHIVE);
  two->say("begin");
  EXPECT_EQ(two->line(k_soon_ms), nothing);
  EXPECT_EQ(ask(*one, "unlock 1"), "0");
  EXPECT_TRUE(has(two->line(), "0x"));
  EXPECT_EQ(ask(*one, "lock 1"), "0");
  two->say("end");
  EXPECT_EQ(two->line(k_soon_ms), nothing);
  EXPECT_EQ(state(path), HS_EXISTS) << "others are served meanwhile";
  EXPECT_EQ(ask(*one, "close"), "closed");
  EXPECT_EQ(two->line(), "0");
  EXPECT_EQ(state(path), HS_EXISTS | HS_ARCHIVED);
}

TEST_F(GroupLockTest, restore_ends_when_the_helper_unlocks) {
  for (auto* program : {one.get(), two.get(), three.get()}) EXPECT_EQ(ask(*program, "close"), "closed");
  archive_and_release(path);
  EXPECT_EQ(llapi_hsm_copytool_unregister(&ct), 0);
  ct = nullptr;
  const auto begun = begin_restore(*one, path);
  EXPECT_EQ(ask(*two, "openfid " + begun.substr(0, begun.find(' '))), "open");
  EXPECT_EQ(ask(*two, "lock 9"), "0");
  EXPECT_EQ(ask(*one, "lock 9"), "0");
  EXPECT_EQ(ask(*one, "close"), "closed") << "its own descriptor; that of the action has the lock as well";
  one->say("end");
  EXPECT_EQ(one->line(k_soon_ms), nothing);
  EXPECT_EQ(state(path), HS_EXISTS | HS_ARCHIVED | HS_RELEASED);
  two->kill();
  EXPECT_EQ(one->line(k_soon_ms), nothing) << "it waits for itself, as on Lustre";
  one->kill();
  EXPECT_TRUE(comes_true("test -z \"$(ls " + mount + "/.lustre/fid)\"")) << "the end went with it";
  EXPECT_TRUE(has(actions(),
                  "action=RESTORE archive#=1 flags=0x0 extent=0x0-0xffffffffffffffff gid=0x0 datalen=0 "
                  "status=STARTED"))
      << actions();
}

TEST_F(GroupLockTest, end_with_an_error_does_not_wait) {
  EXPECT_EQ(ask(*one, "lock 1"), "0");
  request(path, HUA_ARCHIVE);
  const auto item = receive();
  hsm_copyaction_private* action = nullptr;
  ASSERT_EQ(llapi_hsm_action_begin(&action, ct, &item, -1, 0, true), 0);
  EXPECT_EQ(llapi_hsm_action_end(&action, &k_whole, 0, EIO), 0);
  EXPECT_TRUE(has(actions(), "status=FAILED")) << actions();
}

TEST_F(GroupLockTest, eviction_drops_it) {
  EXPECT_EQ(ask(*one, "lock 1"), "0");
  two->say("lock 2");
  EXPECT_EQ(two->line(k_soon_ms), nothing);
  three->say("lock 3");
  EXPECT_EQ(three->line(k_soon_ms), nothing);
  ASSERT_EQ(shell("lhsm_emulator evict " + mount + " n1").code, 0);
  EXPECT_EQ(two->line(), "0");
  EXPECT_EQ(ask(*one, "unlock 1"), einval);
  ASSERT_EQ(shell("lhsm_emulator evict " + mount + " n3").code, 0);
  EXPECT_EQ(three->line(), std::to_string(-EIO)) << "what it waited for is refused";
}

TEST_F(GroupLockTest, daemon_stops_while_somebody_waits) {
  EXPECT_EQ(ask(*one, "lock 1"), "0");
  two->say("lock 2");
  EXPECT_EQ(two->line(k_soon_ms), nothing);
  ASSERT_EQ(emulator("stop " + mount), 0);
  EXPECT_EQ(two->line(), std::to_string(-ENOTCONN));
  start();
  EXPECT_EQ(ask(*one, "unlock 1"), "0") << "the kernel kept it";
  EXPECT_EQ(ask(*two, "lock 2"), "0");
}

}  // namespace
}  // namespace lhsm::emulator
