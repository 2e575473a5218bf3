// SPDX-License-Identifier: LGPL-2.1-or-later
// Jobs that import: the files of another file system's manifest, on several ranks.
#include "job_fixture.hpp"
#include "lhsmtool_mpi/bulk/import.hpp"

namespace lhsm::bulk {
namespace {

class ImportJobTest : public JobTest {
 protected:
  ImportJobTest() {
    std::filesystem::create_directories(m_job_dir / "old");
    std::filesystem::create_directories(m_job_dir / "new");
  }
  [[nodiscard]] std::filesystem::path object_of(const Fid& fid) const {
    return m_job_dir / ("old/" + archive::object_path(archive::TreeFormat::v1, fid));
  }
  [[nodiscard]] std::filesystem::path at(const std::string& path) const { return std::filesystem::path(m_lustre.mount_point()) / path; }
  /// Names of the archived file number `n`.
  void add(std::uint32_t n, const std::vector<std::string>& names) {
    const Fid fid{0x200000401, n, 0};
    test::write_file(object_of(fid), "content");
    for (const std::string& name : names) {
      store::Item item;
      item.fid = fid;
      item.path = name;
      item.size = 7;
      item.links = static_cast<std::uint32_t>(names.size());
      m_items.push_back(item);
    }
  }
  void make_old_manifest() {
    auto writer = store::ManifestWriter::create(m_run_options.manifest, {"test", "scratch", "/old", "", 0},
                                                store::ManifestIdentity::make(), store::ManifestWriter::Replace::no);
    ASSERT_TRUE(writer) << writer.error().describe();
    for (const store::Item& item : m_items) ASSERT_TRUE(writer->append(item));
    ASSERT_TRUE(writer->finish());
  }
  JobReport import(int ranks, const std::function<void()>& tick = [] {}) {
    const auto from = archive::PosixTree::open(m_job_dir / "old", archive::TreeFormat::v1);
    const auto to = archive::PosixTree::open(m_job_dir / "new", archive::TreeFormat::v1);
    const auto importer = Importer::open(m_lustre, *from, *to, 1);
    comm::LoopbackHub hub(ranks);
    std::vector<std::jthread> workers;
    for (int i = 0; i < ranks; ++i)
      workers.emplace_back([&, i] {
        run_rank_job_worker(hub.worker(i), "build", "host", m_lustre.fsname(), 3,
                            [&](const comm::FileToDo& file, const std::string& source) { return importer->import(file, source); });
      });
    RankJobDispatcher dispatcher(hub, ranks, "build");
    EXPECT_TRUE(dispatcher.greet(std::atomic<bool>(false)));
    open(ItemAction::import);
    m_run->start("hosts", static_cast<std::uint32_t>(ranks));
    dispatcher.run(m_run->job(), m_run->file_system(), tick);
    EXPECT_TRUE(dispatcher.dismiss(&m_run->job()));
    return end();
  }

  std::vector<store::Item> m_items;
};

TEST_F(ImportJobTest, makes_the_files_of_another_file_systems_manifest) {
  for (std::uint32_t n = 1; n <= 300; ++n) add(n, {"tree/" + std::to_string(n % 7) + "/" + std::to_string(n)});
  make_old_manifest();
  const JobReport report = import(3);
  EXPECT_TRUE(report.progress.finished);
  EXPECT_EQ(report.census.with(ItemResult::done), 300U);
  for (const store::Item& item : m_items) EXPECT_TRUE(std::filesystem::exists(at(item.path))) << item.path;
  EXPECT_EQ(std::filesystem::hard_link_count(object_of(m_items[0].fid)), 2U);
}

TEST_F(ImportJobTest, all_names_of_a_file_are_of_one_file_wherever_they_stand) {
  add(1, {"a/1", "b/1", "c/1"});
  for (std::uint32_t n = 2; n <= 200; ++n) add(n, {"a/" + std::to_string(n), "b/" + std::to_string(n)});
  std::swap(m_items[1], m_items.back());  // far from its first name
  make_old_manifest();
  const JobReport report = import(3);
  EXPECT_EQ(report.census.with(ItemResult::done), m_items.size());
  EXPECT_EQ(m_lustre.calls(Call::import), 200);
  EXPECT_EQ(std::filesystem::hard_link_count(at("a/1")), 4U) << "and the fake's own name";
  for (std::uint32_t n = 1; n <= 200; ++n)
    EXPECT_TRUE(std::filesystem::equivalent(at("a/" + std::to_string(n)), at("b/" + std::to_string(n)))) << n;
}

TEST_F(ImportJobTest, each_name_has_a_result_of_its_own) {
  add(1, {"a/1", "b/1", "c/1"});
  make_old_manifest();
  test::write_file(at("b"), "no directory");
  const JobReport report = import(2);
  EXPECT_EQ(report.census.with(ItemResult::done), 2U);
  EXPECT_EQ(items()[1].outcome.result, ItemResult::failed);
  EXPECT_EQ(items()[1].outcome.sys_errno, ENOTDIR);
  EXPECT_EQ(m_lustre.calls(Call::import), 1);
}

TEST_F(ImportJobTest, what_may_pass_is_tried_again_with_all_names) {
  add(1, {"a/1", "b/1", "c/1"});
  make_old_manifest();
  std::atomic<int> tries = 0;
  m_lustre.before(Call::import, [&tries](const Fid&) { return ++tries < 3 ? EBUSY : 0; });
  const JobReport report = import(2);
  EXPECT_EQ(report.census.with(ItemResult::done), 3U);
  EXPECT_EQ(tries, 3);
  EXPECT_TRUE(std::filesystem::equivalent(at("a/1"), at("c/1")));
}

TEST_F(ImportJobTest, a_stop_leaves_the_rest_for_the_next_run) {
  for (std::uint32_t n = 1; n <= 400; ++n) add(n, {"a/" + std::to_string(n), "b/" + std::to_string(n)});
  make_old_manifest();
  const JobReport first = import(2, [&] {
    if (m_lustre.calls(Call::import) > 0) m_run->job().stop("test");
  });
  EXPECT_GT(first.census.left(), 0U);
  const JobReport second = import(2);
  EXPECT_EQ(second.census.with(ItemResult::done), 800U);
  EXPECT_EQ(m_lustre.calls(Call::import), 400) << "no file twice";
}

TEST_F(ImportJobTest, other_jobs_of_another_file_systems_manifest_are_refused) {
  add(1, {"a/1"});
  make_old_manifest();
  m_run_options.action = ItemAction::restore;
  const auto opened = JobRun::open(m_run_options, m_lustre, m_clock, [] {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().sys_errno, EXDEV);
  EXPECT_EQ(import(1).census.with(ItemResult::done), 1U);
  m_run_options.action = ItemAction::none;
  EXPECT_TRUE(JobRun::open(m_run_options, m_lustre, m_clock, [] {})) << "a retry of the import";
}

}  // namespace
}  // namespace lhsm::bulk
