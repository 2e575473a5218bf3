// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What is made of the answers of OSTs and quotas.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdarg>
#include <cstring>
#include <map>

#include "lustre/llapi_client.hpp"
#include "support/temp_dir.hpp"

namespace lhsm::lustre {
namespace {

struct Answer {
  int rc = 0;
  std::string uuid;
  abi::obd_statfs told{};
};
std::map<std::uint32_t, Answer> g_osts;  // others: ENODEV
int g_quota_errno = 0;
abi::obd_dqblk g_quota{};
abi::if_quotactl g_query{};

int statfs_of(int, std::uint32_t type, std::uint32_t index, abi::obd_statfs* told, abi::obd_uuid* uuid) {
  EXPECT_EQ(type, abi::LL_STATFS_LOV | abi::LL_STATFS_NODELAY);
  const auto found = g_osts.find(index);
  if (found == g_osts.end()) return -ENODEV;
  std::strcpy(uuid->uuid, found->second.uuid.c_str());
  *told = found->second.told;
  return found->second.rc;
}

int answer_quota(int, unsigned long request, ...) {
  EXPECT_EQ(request, abi::OBD_IOC_QUOTACTL);
  va_list arguments;
  va_start(arguments, request);
  auto* const query = va_arg(arguments, abi::if_quotactl*);
  va_end(arguments);
  g_query = *query;
  query->qc_dqblk = g_quota;
  errno = g_quota_errno;
  return g_quota_errno != 0 ? -1 : 0;
}

int fsname_of(const char*, char* fsname) {
  std::strcpy(fsname, "scratch");
  return 0;
}

class SpaceTest : public ::testing::Test {
 protected:
  SpaceTest() {
    g_osts.clear();
    g_quota_errno = 0;
    g_quota = {};
    m_api.search_fsname = fsname_of;
    m_api.ioctl = answer_quota;
    m_api.obd_fstatfs = statfs_of;
    auto client = open_client_with(m_api, m_dir.path());
    if (!client) throw Fatal(client.error());
    m_client = std::move(*client);
  }

  test::TempDir m_dir;
  LlapiTable m_api{};
  std::unique_ptr<Client> m_client;
};

TEST_F(SpaceTest, osts_are_told_with_those_that_do_not_answer) {
  abi::obd_statfs room{};
  room.os_blocks = 1000;
  room.os_bavail = 100;
  room.os_bsize = 4096;
  room.os_ffree = 7;
  room.os_state = abi::OS_STATFS_DEGRADED;
  g_osts[0] = {0, "scratch-OST0000_UUID", room};
  g_osts[1] = {-EAGAIN, "", {}};
  g_osts[2] = {-ENODATA, "", {}};
  g_osts[3] = {-EIO, "scratch-OST0003_UUID", {}};
  const auto osts = m_client->osts();
  ASSERT_TRUE(osts) << osts.error().describe();
  ASSERT_EQ(osts->size(), 3U);
  const OstSpace& first = osts->front();
  EXPECT_EQ(first.name, "scratch-OST0000");
  EXPECT_EQ(first.sys_errno, 0);
  EXPECT_EQ(first.total_bytes, 4'096'000U);
  EXPECT_EQ(first.free_bytes, 409'600U);
  EXPECT_EQ(first.free_objects, 7U);
  EXPECT_EQ(first.states, abi::OS_STATFS_DEGRADED);
  EXPECT_EQ(osts->at(1).name, "scratch-OST0002");
  EXPECT_EQ(osts->at(1).index, 2U);
  EXPECT_EQ(osts->at(1).sys_errno, ENODATA);
  EXPECT_EQ(osts->at(2).name, "scratch-OST0003");
  EXPECT_EQ(osts->at(2).sys_errno, EIO);
}

TEST_F(SpaceTest, numbers_too_large_are_the_largest) {
  abi::obd_statfs room{};
  room.os_bavail = ~std::uint64_t{0} / 2;
  room.os_bsize = 4096;
  g_osts[0] = {0, "x", room};
  ASSERT_TRUE(m_client->osts());
  EXPECT_EQ(m_client->osts()->front().free_bytes, ~std::uint64_t{0});
}

TEST_F(SpaceTest, what_fails_for_every_ost_is_an_error) {
  for (const int sys_errno : {ENOTTY, EINVAL, ESHUTDOWN}) {
    g_osts[0] = {-sys_errno, "", {}};
    const auto osts = m_client->osts();
    ASSERT_FALSE(osts);
    EXPECT_EQ(osts.error().sys_errno, sys_errno);
  }
  m_api.obd_fstatfs = nullptr;
  const auto client = open_client_with(m_api, m_dir.path());
  EXPECT_EQ((*client)->osts().error().sys_errno, EOPNOTSUPP) << "a library without the call";
}

TEST_F(SpaceTest, quotas_are_in_bytes) {
  g_quota.dqb_valid = abi::QIF_BLIMITS | abi::QIF_SPACE | abi::QIF_ILIMITS | abi::QIF_INODES;
  g_quota.dqb_bhardlimit = 10;
  g_quota.dqb_curspace = 5000;
  g_quota.dqb_ihardlimit = 3;
  g_quota.dqb_curinodes = 2;
  const auto quota = m_client->quota(QuotaKind::project, 42);
  ASSERT_TRUE(quota) << quota.error().describe();
  EXPECT_EQ(g_query.qc_cmd, abi::LUSTRE_Q_GETQUOTA);
  EXPECT_EQ(g_query.qc_type, 2U);
  EXPECT_EQ(g_query.qc_id, 42U);
  EXPECT_EQ(g_query.qc_valid, 0U);
  EXPECT_EQ(quota->byte_limit, 10'240U);
  EXPECT_EQ(quota->bytes, 5000U);
  EXPECT_EQ(quota->file_limit, 3U);
  EXPECT_EQ(quota->files, 2U);
}

TEST_F(SpaceTest, a_quota_without_its_usage_is_not_known) {
  g_quota.dqb_valid = abi::QIF_BLIMITS | abi::QIF_ILIMITS;
  EXPECT_EQ(m_client->quota(QuotaKind::user, 1).error().sys_errno, ENODATA);
  g_quota_errno = EOPNOTSUPP;
  EXPECT_EQ(m_client->quota(QuotaKind::user, 1).error().sys_errno, EOPNOTSUPP);
}

}  // namespace
}  // namespace lhsm::lustre
