// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/replacement_file.hpp"

#include <gtest/gtest.h>

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
