// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole jobs: what becomes of each item, and of the manifest.
#include "job_fixture.hpp"

namespace lhsm::bulk {
namespace {

TEST_F(JobTest, archives_what_is_not_archived) {
  std::vector<Fid> fids;
  for (int i = 0; i < 300; ++i) fids.push_back(new_file("content " + std::to_string(i), i % 3 == 0 ? k_archived : 0, i % 2));
  make_manifest(fids);
  const JobReport report = do_job(ItemAction::archive);
  EXPECT_TRUE(report.progress.finished);
  EXPECT_EQ(report.census.with(ItemResult::done), 200U);
  EXPECT_EQ(report.census.with(ItemResult::already), 100U);
  EXPECT_EQ(report.census.left(), 0U);
  EXPECT_EQ(copies(), 200);
  for (const store::Item& item : items()) {
    EXPECT_EQ(m_lustre.states(item.fid), k_archived);
    EXPECT_EQ(item.action, ItemAction::archive);
    if (item.outcome.result != ItemResult::done) continue;
    EXPECT_EQ(test::read_file(object(item.fid)), m_lustre.content(item.fid));
    EXPECT_EQ(item.outcome.attempts, 1U);
    EXPECT_GE(item.outcome.rank, 0);
    EXPECT_EQ(item.outcome.bytes_copied, m_lustre.content(item.fid).size());
    EXPECT_GT(item.outcome.first_start_ns, 0);
    EXPECT_GE(item.outcome.end_ns, item.outcome.last_start_ns);
  }
}

TEST_F(JobTest, restores_and_then_has_nothing_left_to_do) {
  std::vector<Fid> fids;
  for (int i = 0; i < 120; ++i) fids.push_back(new_released("object " + std::to_string(i)));
  make_manifest(fids);
  EXPECT_EQ(do_job(ItemAction::restore).census.with(ItemResult::done), 120U);
  for (int i = 0; i < 120; ++i) EXPECT_EQ(m_lustre.content(fids[static_cast<std::size_t>(i)]), "object " + std::to_string(i));
  EXPECT_EQ(copies(), 120);
  const int looks = m_lustre.calls(Call::hsm_state);
  const JobReport again = do_job(ItemAction::restore);
  EXPECT_TRUE(again.progress.finished);
  EXPECT_EQ(copies(), 120);
  EXPECT_EQ(m_lustre.calls(Call::hsm_state), looks) << "finished files are not touched";
}

TEST_F(JobTest, counts_what_it_does_apart_from_what_was_done_before) {
  std::vector<Fid> fids;
  for (int i = 0; i < 10; ++i) fids.push_back(i < 4 ? new_file("there") : new_released("gone"));
  make_manifest(fids, [](const Fid&) { return 100; });
  begin(ItemAction::restore);
  ASSERT_TRUE(wait_for_fulfilment());
  stop();
  const run::JobCounts counts = counts_of(*m_run, m_run->job().progress());
  end();
  EXPECT_EQ(counts.final, 10U);
  EXPECT_EQ(counts.final_bytes, counts.bytes);
  EXPECT_EQ(counts.bytes, 1000U);
  EXPECT_EQ(counts.done, 6U) << "the others already were there";
  EXPECT_EQ(counts.done_bytes, 600U);
  open(ItemAction::restore);
  const run::JobCounts next = counts_of(*m_run, m_run->job().progress());
  m_run.reset();
  EXPECT_EQ(next.final_bytes, 1000U);
  EXPECT_EQ(next.done + next.done_bytes, 0U) << "this run has done nothing";
}

TEST_F(JobTest, digests_are_kept_in_the_manifest) {
  const std::vector<std::string> contents{"", "small", test::pattern(9 * k_MiB)};  // the last one by several ranks
  for (const ItemAction action : {ItemAction::archive, ItemAction::restore}) {
    std::map<Fid, std::string> of;
    std::vector<Fid> fids;
    for (const std::string& content : contents) {
      fids.push_back(action == ItemAction::archive ? new_file(content) : new_released(content));
      of[fids.back()] = content;
    }
    m_run_options.manifest = m_job_dir / (std::string(to_string(action)) + ".h5");
    make_manifest(fids);
    EXPECT_EQ(do_job(action).census.with(ItemResult::done), 3U);
    for (const store::Item& item : items()) {
      const std::string& content = of.at(item.fid);
      const Extent all{0, content.size()};
      copy::LeafDigester digester(all, content.size());
      digester.add(std::as_bytes(std::span(content)), 0);
      copy::DigestCollector collector(content.size());
      ASSERT_TRUE(content.empty() || collector.add(all, digester.finish()));
      EXPECT_EQ(item.outcome.bytes_copied, content.size()) << "by all ranks";
      ASSERT_TRUE(item.outcome.has_digest);
      EXPECT_EQ(item.outcome.digest, collector.digest()->value);
    }
  }
}

TEST_F(JobTest, removes) {
  const Fid fid = new_file("x");
  make_manifest({fid});
  EXPECT_EQ(do_job(ItemAction::archive).census.with(ItemResult::done), 1U);
  EXPECT_TRUE(std::filesystem::exists(object(fid)));
  EXPECT_EQ(do_job(ItemAction::remove).census.with(ItemResult::done), 1U) << "the finished job becomes another one";
  EXPECT_FALSE(std::filesystem::exists(object(fid)));
}

TEST_F(JobTest, a_file_that_is_listed_twice_is_done_once) {
  const Fid fid = new_file("x");
  const Fid other = new_file("y");
  make_manifest({fid, other, fid, fid});
  const JobReport report = do_job(ItemAction::archive);
  EXPECT_EQ(report.census.with(ItemResult::done), 2U);
  EXPECT_EQ(report.census.with(ItemResult::already), 2U);
  EXPECT_EQ(copies(), 2);
}

TEST_F(JobTest, a_vanished_file_costs_itself) {
  std::vector<Fid> fids;
  for (int i = 0; i < 20; ++i) fids.push_back(new_file());
  m_lustre.unlink(fids[7]);
  make_manifest(fids);
  const JobReport report = do_job(ItemAction::archive);
  EXPECT_EQ(report.census.with(ItemResult::done), 19U);
  EXPECT_EQ(items()[7].outcome.result, ItemResult::failed);
  EXPECT_EQ(items()[7].outcome.sys_errno, ENOENT);
  EXPECT_EQ(report.census.errnos.at(ENOENT), 1U);
}

TEST_F(JobTest, one_refused_request_does_not_cost_the_rest_of_its_list) {
  std::vector<Fid> fids;
  for (int i = 0; i < 60; ++i) fids.push_back(new_file());
  m_lustre.before(Call::request, [bad = fids[20]](const Fid& fid) { return fid == bad ? EPERM : 0; });
  make_manifest(fids);
  const JobReport report = do_job(ItemAction::archive);
  EXPECT_EQ(report.census.with(ItemResult::done), 59U);
  EXPECT_EQ(report.census.with(ItemResult::refused), 1U);
  EXPECT_EQ(items()[20].outcome.result, ItemResult::refused);
  EXPECT_EQ(report.progress.errors.at("the coordinator does not permit it"), 1U);
  EXPECT_EQ(copies(), 59) << "none was asked for twice";
}

TEST_F(JobTest, a_missing_object_fails_for_good_and_a_passing_error_does_not) {
  const Fid missing = new_released("gone");
  std::filesystem::remove(object(missing));
  const Fid shaky = new_released("here");
  std::atomic<int> opens = 0;
  m_lustre.before(Call::create_volatile, [&opens](const Fid&) { return ++opens == 1 ? EIO : 0; });
  make_manifest({missing, shaky});
  const JobReport report = do_job(ItemAction::restore);
  EXPECT_EQ(report.census.with(ItemResult::done), 1U);
  EXPECT_EQ(report.census.with(ItemResult::failed), 1U);
  EXPECT_EQ(items()[0].outcome.sys_errno, ENOENT);
  EXPECT_EQ(items()[1].outcome.attempts, 2U);
  EXPECT_EQ(m_lustre.content(shaky), "here");
}

TEST_F(JobTest, gives_up_after_so_many_attempts_and_retries_when_asked) {
  const Fid fid = new_file("x");
  make_manifest({fid});
  m_lustre.fail(Call::copy_start, EIO);
  m_run_options.job.attempts = 3;
  EXPECT_EQ(do_job(ItemAction::archive).census.with(ItemResult::failed), 1U);
  EXPECT_EQ(items()[0].outcome.attempts, 3U);
  EXPECT_EQ(copies(), 3);
  m_lustre.before(Call::copy_start, [](const Fid&) { return 0; });
  EXPECT_EQ(do_job(ItemAction::archive).census.with(ItemResult::failed), 1U) << "a new run leaves it";
  m_run_options.takes_up_failed = true;
  EXPECT_EQ(do_job(ItemAction::archive).census.with(ItemResult::done), 1U);
}

TEST_F(JobTest, files_that_are_gone_do_not_stop_it) {
  std::vector<Fid> fids;
  for (int i = 0; i < 250; ++i) fids.push_back(new_file());
  make_manifest(fids);
  for (std::size_t i = 0; i < 150; ++i) m_lustre.unlink(fids[i]);
  m_run_options.job.max_inflight = 20;
  const JobReport report = do_job(ItemAction::archive);
  EXPECT_TRUE(report.progress.finished) << report.progress.stopped_because;
  EXPECT_EQ(report.census.with(ItemResult::failed), 150U);
  EXPECT_EQ(report.census.with(ItemResult::done), 100U);
}

TEST_F(JobTest, a_copy_in_another_archive_is_left_alone) {
  const Fid there = new_released("object");
  make_manifest({there});
  m_run_options.asker.archives = {2};
  ::testing::internal::CaptureStderr();
  const JobReport report = do_job(ItemAction::restore);
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(report.census.with(ItemResult::refused), 1U);
  EXPECT_EQ(report.census.errnos.at(EPERM), 1U);
  EXPECT_EQ(report.progress.errors.at("its copy is in an archive that -A does not name"), 1U);
  EXPECT_NE(log.find(there.bracketed() + " is refused: its copy is in an archive that -A does not name"), log.npos) << log;
  EXPECT_EQ(m_lustre.calls(Call::request), 0);
}

TEST_F(JobTest, a_list_of_failures_takes_no_manifests_place) {
  make_manifest({new_file()});
  m_run_options.action = ItemAction::archive;
  for (const std::string& list : {m_run_options.manifest, (m_job_dir / "none/failed").string()}) {
    m_run_options.failed_list = list;
    EXPECT_FALSE(JobRun::open(m_run_options, m_lustre, m_clock, [] {})) << list;
  }
  EXPECT_EQ(items().size(), 1U);
}

TEST_F(JobTest, stops_when_everything_fails) {
  std::vector<Fid> fids;
  for (int i = 0; i < 400; ++i) fids.push_back(new_file());
  make_manifest(fids);
  m_lustre.fail(Call::copy_start, EIO);
  m_run_options.job.attempts = 1;
  m_run_options.job.max_inflight = 100;
  const JobReport report = do_job(ItemAction::archive);
  EXPECT_FALSE(report.progress.finished);
  EXPECT_NE(report.progress.stopped_because.find("of the last 100"), std::string::npos) << report.progress.stopped_because;
  EXPECT_GT(report.census.left(), 0U);
  EXPECT_LT(report.census.with(ItemResult::failed), 400U);
}

TEST_F(JobTest, another_action_is_refused_while_work_is_left) {
  const std::vector<Fid> fids{new_file(), new_file()};
  make_manifest(fids);
  open(ItemAction::archive);
  end();
  m_run_options.action = ItemAction::release;
  const auto other = JobRun::open(m_run_options, m_lustre, m_clock, [] {});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::invalid);
  EXPECT_NE(other.error().describe().find("2 are left"), std::string::npos) << other.error().describe();
}

TEST_F(JobTest, two_runs_of_one_job_exclude_each_other) {
  make_manifest({new_file()});
  open(ItemAction::archive);
  const auto second = JobRun::open(m_run_options, m_lustre, m_clock, [] {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::busy);
  end();
}

TEST_F(JobTest, lists_what_failed) {
  const Fid good = new_file();
  const Fid gone = new_file();
  m_lustre.unlink(gone);
  make_manifest({good, gone});
  std::filesystem::create_symlink("victim", m_job_dir / "failed.txt.tmp");  // of somebody who knows what root will write
  for (const std::string name : {"failed.txt", "failed.csv", "failed.json"}) {
    m_run_options.failed_list = m_job_dir / name;
    do_job(ItemAction::archive);
  }
  EXPECT_FALSE(std::filesystem::exists(m_job_dir / "victim"));
  EXPECT_EQ(test::read_file(m_job_dir / "failed.txt"), m_lustre.mount_point() + "/dir/" + gone.str() + "\n");
  EXPECT_EQ(test::read_file(m_job_dir / "failed.csv"),
            "fid,path,result,errno,text,attempts\r\n" + gone.bracketed() + "," + m_lustre.mount_point() + "/dir/" + gone.str() +
                ",failed,ENOENT,No such file or directory,1\r\n");
  EXPECT_NE(test::read_file(m_job_dir / "failed.json").find("\"error\":\"ENOENT\""), std::string::npos);
}

TEST_F(JobTest, its_action_can_be_told) {
  make_manifest({new_file()});
  EXPECT_EQ(action_of(m_run_options.manifest).value(), ItemAction::none);
  EXPECT_EQ(do_job(ItemAction::archive).census.with(ItemResult::done), 1U);
  EXPECT_EQ(action_of(m_run_options.manifest).value(), ItemAction::archive);
  EXPECT_FALSE(action_of(m_run_options.manifest + ".none"));
}

TEST_F(JobTest, an_empty_job_is_done) {
  make_manifest({});
  const JobReport report = do_job(ItemAction::restore);
  EXPECT_TRUE(report.progress.finished);
  EXPECT_EQ(report.census.items, 0U);
}

}  // namespace
}  // namespace lhsm::bulk
