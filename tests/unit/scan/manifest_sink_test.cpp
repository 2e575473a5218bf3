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

}  // namespace
}  // namespace lhsm::scan
