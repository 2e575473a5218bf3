// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What is told of room: OSTs, and the quotas of users, groups and projects.
#include <sys/statvfs.h>

#include "unit/emulator/emulator_fixture.hpp"

extern "C" {
int llapi_obd_statfs(const char* path, std::uint32_t type, std::uint32_t index, lhsm::abi::obd_statfs* told,
                     lhsm::abi::obd_uuid* uuid);
int llapi_quotactl(const char* path, lhsm::abi::if_quotactl* query);
}

namespace lhsm::emulator {
namespace {

class SpaceTest : public EmulatorTest {
 protected:
  struct Told {
    int rc = 0;
    obd_statfs room{};
    obd_uuid uuid{};
  };
  [[nodiscard]] Told ost(std::uint32_t index) const {
    Told told;
    told.rc = llapi_obd_statfs(mount.c_str(), LL_STATFS_LOV, index, &told.room, &told.uuid);
    return told;
  }
  [[nodiscard]] obd_dqblk quota(std::uint32_t kind, std::uint32_t id) const {
    if_quotactl query{};
    query.qc_cmd = LUSTRE_Q_GETQUOTA;
    query.qc_type = kind;
    query.qc_id = id;
    EXPECT_EQ(llapi_quotactl(mount.c_str(), &query), 0);
    return query.qc_dqblk;
  }
};

TEST_F(SpaceTest, each_ost_has_its_share) {
  struct statvfs below {};
  ASSERT_EQ(::statvfs(mount.c_str(), &below), 0);
  for (std::uint32_t i = 0; i < 4; ++i) {
    const Told told = ost(i);
    EXPECT_EQ(told.rc, 0);
    EXPECT_EQ(std::string(told.uuid.uuid), "lustre-OST000" + std::to_string(i) + "_UUID");
    EXPECT_EQ(told.room.os_blocks, below.f_blocks / 4);
    EXPECT_EQ(told.room.os_state, 0U);
    EXPECT_GT(told.room.os_bavail, 0U);
  }
  EXPECT_EQ(ost(4).rc, -ENODEV);
  obd_statfs room{};
  obd_uuid uuid{};
  EXPECT_EQ(llapi_obd_statfs(mount.c_str(), 1, 1, &room, &uuid), 0) << "an MDT";
  EXPECT_STREQ(uuid.uuid, "lustre-MDT0001_UUID");
}

TEST_F(SpaceTest, full_and_inactive_osts_say_so) {
  ASSERT_EQ(shell("lhsm_emulator model " + quoted(mount) + " ost.1=full ost.2=inactive").code, 0);
  EXPECT_EQ(ost(1).room.os_bavail, 0U);
  EXPECT_EQ(ost(1).room.os_state, OS_STATFS_ENOSPC);
  EXPECT_EQ(ost(2).rc, -ENODATA);
  EXPECT_EQ(ost(3).room.os_state, 0U);
  ASSERT_EQ(shell("lhsm_emulator model " + quoted(mount) + " off").code, 0);
  EXPECT_EQ(ost(2).rc, 0);
}

TEST_F(SpaceTest, quotas_are_what_was_set_and_what_is_used) {
  const std::string file = make("file", 100'000);
  ASSERT_EQ(::chown(file.c_str(), 4321, 8765), 0);
  ASSERT_EQ(shell("lfs project -p 77 " + quoted(file)).code, 0);
  ASSERT_EQ(shell("lfs setquota -u 4321 -B 2M -I 5 " + quoted(mount)).code, 0);
  ASSERT_EQ(shell("lfs setquota -p 77 -b 7 -B 10 " + quoted(mount)).code, 0);
  const auto used = static_cast<std::uint64_t>(stat_of(file).st_blocks) * 512;
  const obd_dqblk user = quota(0, 4321);
  EXPECT_EQ(user.dqb_valid, QIF_BLIMITS | QIF_ILIMITS | QIF_SPACE | QIF_INODES);
  EXPECT_EQ(user.dqb_bhardlimit, 2048U);
  EXPECT_EQ(user.dqb_ihardlimit, 5U);
  EXPECT_EQ(user.dqb_curspace, used);
  EXPECT_EQ(user.dqb_curinodes, 1U);
  EXPECT_EQ(quota(1, 8765).dqb_bhardlimit, 0U) << "no limit";
  EXPECT_EQ(quota(1, 8765).dqb_curspace, used);
  const obd_dqblk project = quota(2, 77);
  EXPECT_EQ(project.dqb_bsoftlimit, 7U);
  EXPECT_EQ(project.dqb_bhardlimit, 10U);
  EXPECT_EQ(project.dqb_curspace, used);
  ASSERT_EQ(shell("lfs setquota -u 4321 -b 0 -B 0 " + quoted(mount)).code, 0);
  EXPECT_EQ(quota(0, 4321).dqb_bhardlimit, 0U);
  EXPECT_EQ(quota(0, 4321).dqb_ihardlimit, 5U) << "what is not named stays";
}

TEST_F(SpaceTest, quotas_lie_on_no_ost) {
  ASSERT_EQ(shell("lhsm_emulator model " + quoted(mount) + " 'ost.*=inactive'").code, 0);
  ASSERT_EQ(shell("lfs setquota -u 4321 -B 2M " + quoted(mount)).code, 0);
  EXPECT_EQ(quota(0, 4321).dqb_bhardlimit, 2048U);
}

TEST_F(SpaceTest, wrong_questions_about_quotas_are_refused) {
  for (const char* arguments : {"-B 1M", "-u 1", "-u 1 -g 1 -B 1M", "-u nobody-of-this-name -B 1M", "-u 1 -B much"})
    EXPECT_NE(shell(std::string("lfs setquota ") + arguments + " " + quoted(mount)).code, 0) << arguments;
  if_quotactl query{};
  query.qc_cmd = LUSTRE_Q_GETQUOTA;
  query.qc_type = 3;
  EXPECT_EQ(llapi_quotactl(mount.c_str(), &query), -EINVAL);
  query.qc_type = 0;
  query.qc_cmd = 1;
  EXPECT_EQ(llapi_quotactl(mount.c_str(), &query), -EOPNOTSUPP);
  EXPECT_EQ(llapi_quotactl("/proc", &query), -ENODEV);
}

}  // namespace
}  // namespace lhsm::emulator
