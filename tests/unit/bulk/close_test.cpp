// SPDX-License-Identifier: LGPL-2.1-or-later
// The end of a job's run, and what it leaves to the next one.
#include <sys/resource.h>

#include <csignal>

#include "job_fixture.hpp"

namespace lhsm::bulk {
namespace {

class CloseTest : public JobTest {
 protected:
  std::uint64_t generation() {
    const auto identity = store::ManifestReader::identity_of(m_run_options.manifest);
    EXPECT_TRUE(identity) << identity.error().describe();
    return identity ? identity->generation : 0;
  }
};

/// No file may become larger while it lives.
class FullDisk {
 public:
  explicit FullDisk(rlim_t size) {
    ::getrlimit(RLIMIT_FSIZE, &m_before);
    const rlimit now{size, m_before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &m_before); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit m_before{};
  void (*m_handler)(int) = std::signal(SIGXFSZ, SIG_IGN);
};

TEST_F(CloseTest, a_manifest_that_cannot_be_written_costs_no_result) {
  std::vector<Fid> fids;
  for (int i = 0; i < 300; ++i) fids.push_back(new_file("x", k_archived));
  m_lustre.unlink(fids.front());
  make_manifest(fids, {}, std::string(3000, 'd'));
  m_run_options.failed_list = m_job_dir / "failed.txt";
  open(ItemAction::archive);
  const std::uint64_t before = generation();
  m_run->start("host", 1);
  EXPECT_TRUE(wait_for_fulfilment());
  std::optional<FullDisk> full;
  const auto report = m_run->close([&](const JobReport& so_far) {
    EXPECT_EQ(so_far.census.left(), 0U);
    full.emplace(std::filesystem::file_size(m_run_options.manifest) / 2);
    return 3;
  });
  full.reset();
  m_run.reset();
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_EQ(report->census.with(ItemResult::already), 299U);
  EXPECT_EQ(report->census.with(ItemResult::failed), 1U);
  EXPECT_NE(test::read_file(m_job_dir / "failed.txt").find(fids.front().str()), std::string::npos);
  EXPECT_EQ(generation(), before);
  EXPECT_EQ(items()[1].outcome.result, ItemResult::already) << "the journal tells";

  const JobReport again = do_job(ItemAction::archive);
  EXPECT_EQ(again.census.with(ItemResult::already), 299U);
  EXPECT_GT(generation(), before);
}

TEST_F(CloseTest, before_a_deadline_a_large_manifest_is_left_as_it_is) {
  make_manifest({new_file(), new_file()});
  for (const std::uint64_t quick : {1U, 2U}) {
    m_run_options.fold_before_deadline = quick;
    m_run_options.job.deadline.stop_at = m_clock.now() + 1h;
    open(ItemAction::archive);
    const std::uint64_t before = generation();
    m_run->start("host", 1);
    m_run->job().stop("enough");
    EXPECT_EQ(end().census.left(), 2U);
    EXPECT_EQ(generation(), before + (quick == 1 ? 0 : 1));
  }
  for (const Fid& fid : {items()[0].fid, items()[1].fid}) m_lustre.set_hsm_state(fid, k_archived);
  m_run_options.fold_before_deadline = 0;
  const std::uint64_t before = generation();
  EXPECT_EQ(do_job(ItemAction::archive).census.left(), 0U);
  EXPECT_EQ(generation(), before + 1) << "no work is left";
}

TEST_F(CloseTest, a_run_that_did_not_begin_ends_no_other) {
  make_manifest({new_file()});
  die_with(ItemAction::archive);
  open(ItemAction::archive);
  EXPECT_EQ(end().census.left(), 1U);
  const auto seen = store::look_at_job(m_run_options.manifest);
  ASSERT_TRUE(seen) << seen.error().describe();
  EXPECT_TRUE(seen->state.has_open_run()) << "who comes next looks for the requests of the run that died";
}

TEST_F(CloseTest, what_failed_is_named_where_this_client_has_it) {
  const Fid fid = new_file();
  m_lustre.unlink(fid);
  make_manifest({fid});
  m_run_options.failed_list = m_job_dir / "failed.txt";
  EXPECT_EQ(do_job(ItemAction::archive).census.with(ItemResult::failed), 1U);
  const std::string told = test::read_file(m_job_dir / "failed.txt");
  EXPECT_NE(told.find(m_lustre.mount_point() + "/dir/" + fid.str()), std::string::npos) << told;
}

}  // namespace
}  // namespace lhsm::bulk
