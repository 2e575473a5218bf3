// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lustre/volatile_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <set>

#include "support/temp_dir.hpp"

namespace lhsm::lustre {
namespace {

/// On a file system that makes real files of them.
class VolatileFileTest : public ::testing::Test {
 protected:
  std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(m_dir.path())) found.insert(entry.path().filename());
    return found;
  }
  test::TempDir m_dir;
  Fd m_mount{::open(m_dir.path().c_str(), O_RDONLY | O_DIRECTORY)};
};

TEST_F(VolatileFileTest, its_name_tells_mdt_and_reference) {
  const auto made = make_volatile(*m_mount, ".", 31, O_RDWR, 7);
  ASSERT_TRUE(made);
  EXPECT_EQ(::fcntl(**made, F_GETFL) & O_ACCMODE, O_RDWR);
  EXPECT_NE(::fcntl(**made, F_GETFD) & FD_CLOEXEC, 0);
  struct stat status {};
  ASSERT_EQ(::fstat(**made, &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  const std::string name = *names().begin();
  EXPECT_TRUE(name.starts_with(".\x0c\x13\x14\x12:VOLATILE:001F:")) << name;
  EXPECT_TRUE(name.ends_with(":fd=07")) << name;
}

TEST_F(VolatileFileTest, each_has_its_own) {
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(make_volatile(*m_mount, ".", -1, O_RDWR, -1));
  EXPECT_EQ(names().size(), 100U);
  for (const auto& name : names()) EXPECT_TRUE(name.starts_with(".\x0c\x13\x14\x12:VOLATILE::")) << name;
}

TEST_F(VolatileFileTest, a_directory_that_is_gone_or_too_deep_is_an_error) {
  EXPECT_EQ(make_volatile(*m_mount, "gone", 0, O_RDWR, -1).error().sys_errno, ENOENT);
  EXPECT_EQ(make_volatile(*m_mount, std::string(5000, 'x'), 0, O_RDWR, -1).error().sys_errno, ENAMETOOLONG);
}

TEST_F(VolatileFileTest, no_link_on_the_way_is_followed) {
  const test::TempDir elsewhere;
  std::filesystem::create_directory(elsewhere / "below");
  std::filesystem::create_directory_symlink(elsewhere.path(), m_dir / "link");
  std::filesystem::create_directories(m_dir / "here/below");
  for (const char* directory : {"link", "link/below"})
    EXPECT_EQ(make_volatile(*m_mount, directory, 0, O_RDWR, -1).error().sys_errno, ELOOP) << directory;
  EXPECT_EQ(make_volatile(*m_mount, "..", 0, O_RDWR, -1).error().sys_errno, EXDEV);
  EXPECT_TRUE(make_volatile(*m_mount, "here/below", 0, O_RDWR, -1));
  EXPECT_TRUE(std::filesystem::is_empty(elsewhere / "below"));
}

}  // namespace
}  // namespace lhsm::lustre
