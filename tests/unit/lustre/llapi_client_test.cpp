// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The client over a table of functions: what it does when its mount is replaced by another one.
#include "lustre/llapi_client.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>

#include "support/temp_dir.hpp"

namespace lhsm::lustre {
namespace {

/// A kernel that answers through one directory, the live mount, and says `dead_errno` of any other.
struct Kernel {
  ino_t live = 0;
  int dead_errno = ESHUTDOWN;
  int live_errno = 0;
  int calls = 0;
  std::string fsname = "lustre";

  int answer(int fd) {
    ++calls;
    struct stat status {};
    EXPECT_EQ(::fstat(fd, &status), 0) << "not a descriptor that is open";
    return status.st_ino == live ? -live_errno : -dead_errno;
  }
};
Kernel* g_kernel = nullptr;

int kernel_ioctl(int fd, unsigned long, ...) {
  const int rc = g_kernel->answer(fd);
  errno = -rc;
  return rc == 0 ? 0 : -1;
}
int kernel_fsname(const char*, char* fsname) {
  if (g_kernel->fsname.empty()) return -ENODEV;
  std::strcpy(fsname, g_kernel->fsname.c_str());
  return 0;
}
int kernel_open(int fd, const abi::lu_fid*, int) {
  const int rc = g_kernel->answer(fd);
  return rc == 0 ? ::open("/dev/null", O_RDONLY | O_CLOEXEC) : rc;
}
int kernel_path(int fd, const abi::lu_fid*, char* path, int, long long*, int*) {
  std::strcpy(path, "a/path");
  return g_kernel->answer(fd);
}
int kernel_mdt(int fd, const abi::lu_fid*, int* index) {
  *index = 3;
  return g_kernel->answer(fd);
}

class LlapiClientTest : public ::testing::Test {
 protected:
  LlapiClientTest() {
    g_kernel = &m_kernel;
    m_api.ioctl = kernel_ioctl;
    m_api.search_fsname = kernel_fsname;
    m_api.open_by_fid_at = kernel_open;
    m_api.fid2path_at = kernel_path;
    m_api.get_mdt_index_by_fid = kernel_mdt;
    mount();
    auto client = open_client_with(m_api, m_mount);
    if (!client) throw Fatal(client.error());
    m_client = std::move(*client);
  }
  void mount() {
    std::filesystem::create_directory(m_mount);
    struct stat status {};
    EXPECT_EQ(::stat(m_mount.c_str(), &status), 0);
    m_kernel.live = status.st_ino;
  }
  /// The directory that is held lives on under another name, as a dead mount does.
  void unmount() {
    std::filesystem::rename(m_mount, m_dir / ("dead" + std::to_string(++m_dead)));
    m_kernel.live = 0;
  }
  int progress() {
    abi::hsm_progress report{};
    const Status status = m_client->progress(report);
    return status ? 0 : status.error().sys_errno;
  }

  test::TempDir m_dir;
  std::string m_mount = m_dir / "mnt";
  Kernel m_kernel;
  LlapiTable m_api{};
  std::unique_ptr<Client> m_client;
  int m_dead = 0;
};

/// An open by handle says ESTALE of every file that could not be looked up; the name below .lustre/fid says why.
class StaleHandleTest : public LlapiClientTest {
 protected:
  StaleHandleTest() { m_kernel.live_errno = ESTALE; }
  Error open_fails() {
    const auto opened = m_client->open_by_fid(m_fid, O_RDONLY | O_NOFOLLOW);
    return opened ? Error{} : opened.error();
  }
  const Fid m_fid{0x200000400, 1, 0};
  const std::filesystem::path m_names = m_dir / "mnt/.lustre/fid";
};

TEST_F(StaleHandleTest, file_without_a_name_is_gone) {
  std::filesystem::create_directories(m_names);
  EXPECT_EQ(open_fails().sys_errno, ENOENT);
  EXPECT_EQ(open_fails().kind, ErrorKind::not_found);
}

TEST_F(StaleHandleTest, file_that_has_its_name_is_opened) {
  std::filesystem::create_directories(m_names);
  test::write_file(m_names / m_fid.str(), "");
  EXPECT_TRUE(m_client->open_by_fid(m_fid, O_RDONLY | O_NOFOLLOW));
}

/// As the EIO of a client that was evicted; a link that is not followed stands for it.
TEST_F(StaleHandleTest, name_that_cannot_be_looked_up_says_why) {
  std::filesystem::create_directories(m_names);
  std::filesystem::create_symlink("x", m_names / m_fid.str());
  EXPECT_EQ(open_fails().sys_errno, ELOOP);
}

TEST_F(StaleHandleTest, file_is_not_gone_where_there_are_no_names) {
  EXPECT_EQ(open_fails().sys_errno, ESTALE);
  EXPECT_EQ(open_fails().kind, ErrorKind::io) << "it is to be tried again";
}

TEST_F(LlapiClientTest, stale_handle_of_a_dead_mount_is_opened_anew) {
  m_kernel.dead_errno = ESTALE;
  unmount();
  mount();
  EXPECT_TRUE(m_client->open_by_fid({0x200000400, 1, 0}, O_RDONLY));
}

TEST_F(LlapiClientTest, goes_on_through_a_mount_that_replaces_its_own) {
  const Fid fid{0x200000401, 1, 0};
  for (const int sys_errno : {ESHUTDOWN, EIO, ENODEV}) {
    m_kernel.dead_errno = sys_errno;
    unmount();
    mount();
    EXPECT_EQ(progress(), 0);
    abi::hsm_copy copy{};
    EXPECT_TRUE(m_client->copy_start(copy));
    EXPECT_TRUE(m_client->copy_end(copy));
  }
  unmount();
  mount();
  EXPECT_TRUE(m_client->open_by_fid(fid, O_RDONLY));
  unmount();
  mount();
  EXPECT_EQ(m_client->path_of(fid), "a/path");
  unmount();
  mount();
  EXPECT_EQ(m_client->mdt_index(fid), 3);
}

TEST_F(LlapiClientTest, calls_once_while_its_mount_lives) {
  for (const int sys_errno : {ENOENT, EIO}) {
    m_kernel.live_errno = sys_errno;
    m_kernel.calls = 0;
    EXPECT_EQ(progress(), sys_errno);
    EXPECT_EQ(m_kernel.calls, 1);
  }
}

TEST_F(LlapiClientTest, takes_nothing_else_for_its_file_system) {
  unmount();
  EXPECT_EQ(progress(), ESHUTDOWN) << "no such directory";
  mount();
  for (const char* fsname : {"", "other"}) {
    m_kernel.fsname = fsname;
    EXPECT_EQ(progress(), ESHUTDOWN) << fsname;
  }
  m_kernel.fsname = "lustre";
  EXPECT_EQ(progress(), 0);
}

}  // namespace
}  // namespace lhsm::lustre
