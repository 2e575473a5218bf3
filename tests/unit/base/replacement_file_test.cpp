// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/replacement_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/temp_dir.hpp"

namespace lhsm {
namespace {

class ReplacementFileTest : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return (m_dir / "list").string(); }
  [[nodiscard]] std::string content() const {
    std::ostringstream text;
    text << std::ifstream(path()).rdbuf();
    return text.str();
  }
  [[nodiscard]] std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(m_dir.path()), {}));
  }

  test::TempDir m_dir;
};

/// As root a rename would take the place of the whole machine's /dev/null.
TEST_F(ReplacementFileTest, writes_to_a_device_and_leaves_it) {
  std::filesystem::create_symlink("/dev/null", path());
  auto file = ReplacementFile::create(path());
  ASSERT_TRUE(file) << file.error().describe();
  ASSERT_TRUE(file->write("text"));
  ASSERT_TRUE(file->finish());
  EXPECT_EQ(std::filesystem::read_symlink(path()), "/dev/null");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  EXPECT_EQ(files(), 1U);
}

TEST_F(ReplacementFileTest, writes_to_a_pipe_that_is_read_and_leaves_it) {
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  EXPECT_EQ(ReplacementFile::create(path()).error().sys_errno, ENXIO) << "it must not wait for a reader";
  const Fd reader(::open(path().c_str(), O_RDONLY | O_NONBLOCK));
  auto file = ReplacementFile::create(path());
  ASSERT_TRUE(file) << file.error().describe();
  ASSERT_TRUE(file->write("text"));
  ASSERT_TRUE(file->finish());
  std::array<char, 16> got{};
  EXPECT_EQ(::read(*reader, got.data(), got.size()), 4);
  EXPECT_TRUE(std::filesystem::is_fifo(path()));
}

TEST_F(ReplacementFileTest, replaces_a_link_to_a_file_and_not_the_file) {
  const auto other = m_dir / "other";
  std::ofstream(other) << "not ours";
  std::filesystem::create_symlink(other, path());
  auto file = ReplacementFile::create(path());
  ASSERT_TRUE(file && file->write("text") && file->finish());
  EXPECT_EQ(content(), "text");
  EXPECT_EQ(test::read_file(other), "not ours");
}

TEST_F(ReplacementFileTest, has_its_name_when_it_is_finished) {
  std::ofstream(path()) << "former";
  auto file = ReplacementFile::create(path());
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->write("new "));
  ASSERT_TRUE(file->write("text"));
  EXPECT_EQ(content(), "former");
  ASSERT_TRUE(file->finish());
  EXPECT_EQ(content(), "new text");
  EXPECT_EQ(files(), 1U);
}

TEST_F(ReplacementFileTest, leaves_nothing_when_it_is_not) {
  {
    auto file = ReplacementFile::create(path());
    ASSERT_TRUE(file);
    auto moved = std::move(*file);
    ASSERT_TRUE(moved.write("text"));
  }
  EXPECT_EQ(files(), 0U);
}

TEST_F(ReplacementFileTest, leaves_nothing_when_it_cannot_have_its_name) {
  std::filesystem::create_directory(path());
  auto file = ReplacementFile::create(path());
  ASSERT_TRUE(file);
  const Status finished = file->finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().sys_errno, EISDIR);
  EXPECT_EQ(files(), 1U);
}

}  // namespace
}  // namespace lhsm
