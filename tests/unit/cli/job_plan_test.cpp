// SPDX-License-Identifier: LGPL-2.1-or-later
#include "job_plan.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "command_line.hpp"
#include "lhsmtool_mpi/cli/commands.hpp"
#include "lhsmtool_mpi/store/manifest.hpp"
#include "support/temp_dir.hpp"

namespace lhsm::cli {
namespace {

class JobPlanTest : public ::testing::Test {
 protected:
  std::string make_manifest(const std::string& name) {
    const std::string path = (m_dir / name).string();
    auto writer = store::ManifestWriter::create(path, {"test", "fake", "/mnt", "", 0}, store::ManifestIdentity::make(),
                                                store::ManifestWriter::Replace::no);
    EXPECT_TRUE(writer && writer->finish());
    return path;
  }
  JobPlan plan(const std::vector<std::string>& targets, const std::vector<std::string>& conditions = {}) {
    return plan_job("restore", targets, conditions, m_scan);
  }

  test::TempDir m_dir;
  ScanCommand m_scan;
};

TEST_F(JobPlanTest, goes_from_rank_to_rank) {
  const JobPlan plan{3, "a reason", true, 75, "two words.h5", "/mnt\n"};
  const JobPlan got = JobPlan::unpack(plan.pack());
  EXPECT_EQ(got.code, 3);
  EXPECT_EQ(got.failure, "a reason");
  EXPECT_TRUE(got.scans);
  EXPECT_EQ(got.scan_code, 75);
  EXPECT_EQ(got.manifest, "two words.h5");
  EXPECT_EQ(got.mount_point, "/mnt\n");
  EXPECT_EQ(JobPlan::unpack("").code, 0);
}

TEST_F(JobPlanTest, a_manifest_is_known_by_its_content) {
  const std::string path = make_manifest("any name");
  const JobPlan found = plan({path, "/mnt"});
  EXPECT_EQ(found.code, 0) << found.failure;
  EXPECT_FALSE(found.scans);
  EXPECT_EQ(found.manifest, path);
  EXPECT_EQ(found.mount_point, "/mnt");
}

TEST_F(JobPlanTest, what_a_manifest_cannot_have_beside_it_is_wrong_usage) {
  const std::string path = make_manifest("job.h5");
  EXPECT_EQ(plan({path}).code, k_usage) << "no mount point";
  EXPECT_EQ(plan({path, "/mnt"}, {"--size", "+1G"}).code, k_usage);
  EXPECT_EQ(plan({}).code, k_usage);
  m_scan.output = "other.h5";
  EXPECT_EQ(plan({path, "/mnt"}).code, k_usage);
  m_scan.list = "list";
  EXPECT_EQ(plan({path, "/mnt"}).code, k_usage) << "--from-list takes one path";
}

TEST_F(JobPlanTest, other_files_are_paths) {
  const std::string path = (m_dir / "job.h5").string();
  test::write_file(path, "\x89HDF\r\n\x1a\n and so on, for longer than the first line of a manifest");
  const JobPlan found = plan({path, m_dir.str()});
  EXPECT_EQ(found.code, k_run_failed);
  EXPECT_NE(found.failure.find("find a Lustre file system at"), std::string::npos) << found.failure;
}

/// A manifest that was made of a list, and the command that made it once more.
class JobOfListTest : public JobPlanTest {
 protected:
  JobOfListTest() {
    test::write_file(std::filesystem::path(m_mount) / ".lustre/lhsm_emulator", "");
    test::write_file(m_scan.list, "file\n");
  }
  void make_job(std::int64_t scanned_ns, store::ItemResult result) {
    auto writer = store::ManifestWriter::create(m_scan.output, {"test", "fake", m_mount, "", 0}, store::ManifestIdentity::make(),
                                                store::ManifestWriter::Replace::yes);
    ASSERT_TRUE(writer);
    store::RunRecord scan;
    scan.command_line = "lhsmtool_mpi scan --from-list list " + m_mount;
    scan.begin_ns = scanned_ns;
    writer->add_run(scan);
    store::Item item;
    item.outcome.result = result;
    ASSERT_TRUE(writer->append(item) && writer->finish());
  }
  JobPlan again() { return plan({m_mount}, {"--from-list", "list"}); }

  std::string m_mount = [this] {
    std::filesystem::create_directories(m_dir / "mnt/.lustre");
    m_scan.list = m_dir / "list";
    m_scan.output = m_dir / "job.h5";
    return std::filesystem::canonical(m_dir / "mnt").string();
  }();
  const std::int64_t m_later = std::numeric_limits<std::int64_t>::max();
};

TEST_F(JobOfListTest, a_finished_job_of_the_same_list_is_gone_on_with) {
  make_job(m_later, store::ItemResult::done);
  EXPECT_EQ(again().code, 0) << again().failure;
  EXPECT_FALSE(again().scans);
}

TEST_F(JobOfListTest, a_finished_job_is_not_that_of_a_list_that_was_changed_since) {
  make_job(1, store::ItemResult::failed);
  EXPECT_EQ(again().code, k_run_failed);
  EXPECT_NE(again().failure.find("was changed since"), std::string::npos) << again().failure;
  m_scan.replace = true;
  EXPECT_EQ(again().code, 0) << again().failure;
  EXPECT_TRUE(again().scans);
}

TEST_F(JobOfListTest, one_with_work_left_is_gone_on_with_whatever_became_of_its_list) {
  make_job(1, store::ItemResult::pending);
  EXPECT_EQ(again().code, 0) << again().failure;
  std::filesystem::remove(m_scan.list);
  EXPECT_EQ(again().code, 0) << again().failure;
}

TEST_F(JobOfListTest, the_mount_point_after_paths_is_not_all_files_of_it) {
  m_scan.list.clear();
  const std::string tree = m_mount + "/tree";
  std::filesystem::create_directories(tree);
  test::write_file(m_mount + "/file", "content");
  using Paths = std::vector<std::string>;
  for (const auto& paths : {Paths{tree}, Paths{m_mount + "/file"}, Paths{tree, m_mount + "/file"}}) {
    Paths targets = paths;
    targets.push_back(m_mount + '/');
    const JobPlan found = plan(targets);
    EXPECT_EQ(found.code, 0) << found.failure;
    EXPECT_EQ(found.mount_point, m_mount);
    EXPECT_EQ(m_scan.paths, paths);
    EXPECT_EQ(m_scan.command_line.find(m_mount + ' '), std::string::npos) << m_scan.command_line;
  }
  EXPECT_EQ(plan({m_mount}).code, 0);
  EXPECT_EQ(m_scan.paths, Paths{m_mount});
}

TEST_F(JobOfListTest, a_damaged_manifest_is_no_file_to_be_copied) {
  m_scan.list.clear();
  for (const std::string& path : {m_mount + "/damaged.h5", (m_dir / "beside").string()}) {
    test::write_file(path, "no manifest");
    const JobPlan found = plan({path, m_mount});
    EXPECT_EQ(found.code, k_run_failed);
    EXPECT_NE(found.failure.find("is no manifest"), std::string::npos) << found.failure;
  }
}

TEST(CommandLineTest, is_one_for_a_shell) {
  EXPECT_EQ(shell_word("--size"), "--size");
  EXPECT_EQ(shell_word("+1G"), "+1G");
  EXPECT_EQ(shell_word("/a/b c"), "'/a/b c'");
  EXPECT_EQ(shell_word("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("~root"), "'~root'");
  EXPECT_EQ(shell_word("*"), "'*'");
  std::string tool = "tool";
  std::string argument = "a b";
  char* arguments[] = {tool.data(), argument.data(), nullptr};
  EXPECT_EQ(command_line_of(2, arguments), "tool 'a b'");
}

}  // namespace
}  // namespace lhsm::cli
