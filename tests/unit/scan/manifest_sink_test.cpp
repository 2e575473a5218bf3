// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/scan/manifest_sink.hpp"

#include <gtest/gtest.h>

#include "support/temp_dir.hpp"

namespace lhsm::scan {
namespace {

class ManifestSinkTest : public testing::Test {
 protected:
  Status open(bool replace) { return m_sink.open(m_path, {"test", "fake", "/mnt", "scan", "host", 1}, replace); }
  test::TempDir m_dir;
  std::string m_path = m_dir / "job.h5";
  ManifestSink m_sink;
};

TEST_F(ManifestSinkTest, gives_no_name_once_its_lock_was_taken_away) {
  ASSERT_TRUE(open(false));
  std::filesystem::remove(m_path + ".lock");
  const Status finished = m_sink.finish(0);
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().sys_errno, ESTALE);
  m_sink.discard();
  EXPECT_EQ(test::files_below(m_dir.path()), std::set<std::string>{});
}

/// A kill between the two would leave a manifest beside the journal of another one, with which nobody goes on.
TEST_F(ManifestSinkTest, former_journals_go_before_the_former_manifest) {
  ASSERT_TRUE(open(false));
  ASSERT_TRUE(m_sink.finish(0));
  const std::string former = test::read_file(m_path);
  for (const char* const ending : {".journal", ".journal.old"}) {
    const std::string journal = m_path + ending;
    std::filesystem::create_directories(journal + "/in the way");
    ASSERT_TRUE(open(true));
    EXPECT_FALSE(m_sink.finish(0));
    m_sink.discard();
    EXPECT_TRUE(test::read_file(m_path) == former);
    std::filesystem::remove_all(journal);
    test::write_file(journal, "the former's");
  }
  ASSERT_TRUE(open(true));
  ASSERT_TRUE(m_sink.finish(0));
  EXPECT_EQ(test::files_below(m_dir.path()), std::set<std::string>{"job.h5"});
}

}  // namespace
}  // namespace lhsm::scan
