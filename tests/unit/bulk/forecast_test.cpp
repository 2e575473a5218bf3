// SPDX-License-Identifier: LGPL-2.1-or-later
// What a plan says is what a run then does.
#include "lhsmtool_mpi/bulk/forecast.hpp"

#include "job_fixture.hpp"
#include "lhsmtool_mpi/bulk/judge.hpp"

namespace lhsm::bulk {
namespace {

class ForecastTest : public JobTest {
 protected:
  ForecastTest() {
    m_options.client = &m_lustre;
    m_options.threads = 3;
    m_options.object = [this](const Fid& fid) -> Outcome<ForecastOptions::Object> {
      LHSM_TRY_ASSIGN(const auto object, m_backend->open(fid));
      return ForecastOptions::Object{object->size(), object->modified()->tv_sec};
    };
  }
  [[nodiscard]] Outcome<Forecast> plan(ItemAction action) {
    m_options.action = action;
    auto job = store::look_at_job(m_run_options.manifest);
    if (!job) return Failure(job.error());
    return forecast(*job, m_run_options.manifest, m_options);
  }
  /// Plan, then do it, and hold the plan against what came.
  void expect_as_planned(ItemAction action) {
    const auto before = test::read_file(m_run_options.manifest);
    const auto planned = plan(action);
    ASSERT_TRUE(planned) << planned.error().describe();
    EXPECT_EQ(test::read_file(m_run_options.manifest), before);
    EXPECT_EQ(test::files_below(m_job_dir.path()).size(), 1U) << "no lock, no journal";
    const int asked = m_lustre.calls(Call::request);
    EXPECT_EQ(asked, 0);
    const JobReport report = do_job(action);
    EXPECT_EQ(planned->to_do.items, report.census.with(ItemResult::done)) << to_string(action);
    EXPECT_EQ(planned->already.items, report.census.with(ItemResult::already)) << to_string(action);
    EXPECT_EQ(planned->hindered(), report.census.unsuccessful()) << to_string(action);
  }
  /// One file of each state, five of them gone, and for released ones objects that are right, missing or short.
  void make_all_states() {
    std::vector<Fid> fids;
    for (std::uint32_t states = 0; states < 0x80; ++states) {
      if ((states & abi::HS_RELEASED) != 0 && (states & k_archived) != k_archived)
        continue;  // Lustre has no such files
      if ((states & abi::HS_RELEASED) == 0) {
        fids.push_back(new_file("data", states));
        continue;
      }
      fids.push_back(m_lustre.make_released(6));
      m_lustre.set_hsm_state(fids.back(), states);
      if (states % 3 != 0) make_object(fids.back(), states % 3 == 1 ? "object" : "short");
    }
    for (int i = 0; i < 5; ++i) {
      fids.push_back(new_file());
      m_lustre.unlink(fids.back());
    }
    make_manifest(fids);
  }

  ForecastOptions m_options;
};

TEST_F(ForecastTest, a_restore_does_what_was_planned) {
  make_all_states();
  expect_as_planned(ItemAction::restore);
}

TEST_F(ForecastTest, an_archive_does_what_was_planned) {
  make_all_states();
  expect_as_planned(ItemAction::archive);
}

TEST_F(ForecastTest, reasons_sizes_and_states_are_told) {
  const Fid good = new_released("twelve bytes");
  const Fid missing = m_lustre.make_released(100);
  m_lustre.set_hsm_state(missing, k_released);
  const Fid shorter = new_released("object");
  std::filesystem::resize_file(m_lustre.path(shorter), 7);
  const Fid lost = m_lustre.make_released(3);
  m_lustre.set_hsm_state(lost, k_released | abi::HS_LOST);
  make_manifest({good, missing, shorter, lost, new_file("here")});
  const auto planned = plan(ItemAction::restore);
  ASSERT_TRUE(planned) << planned.error().describe();
  EXPECT_EQ(planned->to_do.items, 1U);
  EXPECT_EQ(planned->to_do.bytes, 12U);
  EXPECT_EQ(planned->largest, 12U);
  EXPECT_EQ(planned->already.items, 1U);
  EXPECT_EQ(planned->owners.size(), 1U);
  ASSERT_EQ(planned->obstacles.size(), 3U);
  EXPECT_EQ(planned->obstacles.at("no object in the archive (ENOENT)").amount.bytes, 100U);
  EXPECT_EQ(planned->obstacles.at("the object has another size than the file (EIO)").amount.items, 1U);
  EXPECT_EQ(planned->obstacles.at("marked lost").examples, std::vector<std::string>{"dir/" + lost.str()});
  EXPECT_EQ(planned->states.at(k_released).items, 3U);
}

/// A restore gives an empty file the size of its object (lhsmtool_mpi-serve(1)).
TEST_F(ForecastTest, an_empty_file_needs_what_its_object_has) {
  const Fid emptied = new_released("object");
  std::filesystem::resize_file(m_lustre.path(emptied), 0);
  make_manifest({emptied});
  const auto planned = plan(ItemAction::restore);
  ASSERT_TRUE(planned) << planned.error().describe();
  EXPECT_EQ(planned->to_do.items, 1U);
  EXPECT_EQ(planned->to_do.bytes, 6U);
  EXPECT_TRUE(planned->obstacles.empty());
}

TEST_F(ForecastTest, owners_and_stripes_of_what_is_to_do_are_counted) {
  auto writer = store::ManifestWriter::create(m_run_options.manifest, {"test", "fake", "/mnt", "", 0},
                                              store::ManifestIdentity::make(), store::ManifestWriter::Replace::no);
  ASSERT_TRUE(writer) << writer.error().describe();
  for (std::uint32_t i = 1; i <= 4; ++i) {
    store::Item item;
    item.fid = {0x200000400, i, 0};
    item.path = "file" + std::to_string(i);
    item.size = 10 * i;
    item.uid = i % 2;
    item.gid = 7;
    item.projid = i;
    item.stripe_count = i == 4 ? 70000 : 2;
    item.hsm_state = i == 1 ? k_archived : k_released;
    ASSERT_TRUE(writer->append(item));
  }
  ASSERT_TRUE(writer->finish());
  m_options.client = nullptr;
  m_options.object = {};
  const auto planned = plan(ItemAction::restore);
  ASSERT_TRUE(planned) << planned.error().describe();
  using Bytes = std::map<std::uint32_t, std::uint64_t>;
  EXPECT_EQ(planned->owners, (Bytes{{0, 60}, {1, 30}}));
  EXPECT_EQ(planned->groups, (Bytes{{7, 90}}));
  EXPECT_EQ(planned->projects, (Bytes{{2, 20}, {3, 30}, {4, 40}}));
  ASSERT_EQ(planned->striped.size(), 2U);
  EXPECT_EQ(planned->striped.at(2).amount.items, 2U);
  EXPECT_EQ(planned->striped.at(2).amount.bytes, 50U);
  EXPECT_EQ(planned->striped.at(2).largest, 30U);
  EXPECT_EQ(planned->striped.at(2).largest_path, "file3");
  EXPECT_EQ(planned->striped.at(65535).largest, 40U) << "no more than all";
}

TEST_F(ForecastTest, of_an_import_the_objects_decide) {
  const Fid good = new_released("good");
  const Fid missing = new_file("x", k_archived);
  const Fid changed = new_released("long before");
  make_manifest({good, missing, changed}, [&](const Fid& fid) { return fid == good ? 4U : 9U; });
  m_options.client = nullptr;
  const std::array<timespec, 2> before{timespec{0, 0}, timespec{0, 0}};  // the manifest's time, but for the size
  ASSERT_EQ(::utimensat(AT_FDCWD, object(changed).c_str(), before.data(), 0), 0);
  const auto planned = plan(ItemAction::import);
  ASSERT_TRUE(planned) << planned.error().describe();
  EXPECT_EQ(planned->to_do.items, 1U);
  EXPECT_EQ(planned->to_do.bytes, 4U);
  EXPECT_EQ(planned->obstacles.at("no object in the archive (ENOENT)").amount.items, 1U);
  EXPECT_EQ(planned->obstacles.at("import an object of another size than its file (ESTALE)").amount.items, 1U);
}

TEST_F(ForecastTest, without_a_mount_results_are_newer_than_the_scan) {
  make_manifest({new_file("a"), new_file("b")});
  EXPECT_EQ(do_job(ItemAction::archive).census.with(ItemResult::done), 2U);
  m_options.client = nullptr;
  m_options.object = {};
  const auto release = plan(ItemAction::release);
  ASSERT_TRUE(release) << release.error().describe();
  EXPECT_EQ(release->to_do.items, 2U);
  ASSERT_EQ(do_job(ItemAction::release).census.with(ItemResult::done), 2U);
  EXPECT_EQ(items()[0].hsm_state, k_archived) << "what the archive job told";
  EXPECT_EQ(plan(ItemAction::restore)->to_do.items, 2U);
  ASSERT_EQ(do_job(ItemAction::archive).census.with(ItemResult::already), 2U);
  EXPECT_EQ(items()[0].hsm_state, k_released);
  const auto again = plan(ItemAction::archive);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->finished.items, 2U) << "that job is done";
  EXPECT_EQ(again->to_do.items, 0U);
}

TEST_F(ForecastTest, what_failed_is_taken_up_when_asked_for) {
  const Fid missing = m_lustre.make_released(4);
  m_lustre.set_hsm_state(missing, k_released);
  make_manifest({missing, new_released("good")});
  EXPECT_EQ(do_job(ItemAction::restore).census.with(ItemResult::failed), 1U);
  EXPECT_EQ(plan(ItemAction::none)->given_up.items, 1U);
  EXPECT_EQ(plan(ItemAction::none)->hindered(), 0U);
  m_options.takes_up_failed = true;
  EXPECT_EQ(plan(ItemAction::none)->hindered(), 1U);
  make_object(missing, "back");
  EXPECT_EQ(plan(ItemAction::none)->to_do.items, 1U);
}

TEST_F(ForecastTest, what_a_run_refuses_a_plan_refuses) {
  make_manifest({new_released("x")});
  const auto nothing = plan(ItemAction::none);
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().kind, ErrorKind::invalid);
  open(ItemAction::restore);  // begun, and nothing done
  m_run->job().stop("test");
  m_run.reset();
  const auto other = plan(ItemAction::archive);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::invalid);
}

store::RunRecord record_of(const std::string& command_line, std::int64_t seconds, std::uint64_t files,
                           std::uint64_t bytes) {
  store::RunRecord record;
  record.command_line = command_line;
  record.begin_ns = 1'000'000'000;
  record.end_ns = record.begin_ns + seconds * 1'000'000'000;
  record.totals.results[static_cast<std::size_t>(ItemResult::done)] = files;
  record.totals.bytes_copied = bytes;
  return record;
}

TEST(RatesTest, are_those_of_finished_runs_of_the_action) {
  std::vector<store::RunRecord> runs{record_of("lhsmtool_mpi scan /mnt -o job.h5", 10, 1000, 0),
                                     record_of("/usr/bin/lhsmtool_mpi restore job.h5 /mnt", 10, 100, 1000),
                                     record_of("lhsmtool_mpi restore", 30, 100, 3000),
                                     record_of("lhsmtool_mpi archive job.h5 /mnt", 10, 7, 7),
                                     record_of("lhsmtool_mpi restore job.h5 /mnt", 10, 0, 0),
                                     record_of("", 10, 5, 5)};
  runs.push_back(runs[1]);
  runs.back().end_ns = 0;  // it was killed
  const std::vector<RunWork> works(runs.size());
  const auto rates = rates_of(runs, works, ItemAction::restore);
  ASSERT_TRUE(rates);
  EXPECT_EQ(rates->runs, 2U);
  EXPECT_DOUBLE_EQ(rates->files_per_second, 5);
  EXPECT_DOUBLE_EQ(rates->bytes_per_second, 100);
  EXPECT_FALSE(rates_of(runs, works, ItemAction::release));
  EXPECT_DOUBLE_EQ(*seconds_for({10, 1000}, *rates), 10) << "bytes take longer";
  EXPECT_DOUBLE_EQ(*seconds_for({100, 1000}, *rates), 20) << "files take longer";
  EXPECT_FALSE(seconds_for({1, 1}, Rates{}));
}

TEST(RatesTest, are_those_of_runs_without_an_end_and_of_retries_too) {
  const auto at = [](store::RunRecord run, std::int64_t begin_s) {
    run.end_ns += begin_s * 1'000'000'000 - run.begin_ns;
    run.begin_ns = begin_s * 1'000'000'000;
    return run;
  };
  std::vector<store::RunRecord> runs{at(record_of("lhsmtool_mpi restore job.h5 /mnt", 0, 0, 0), 10),  // of results that are not there any more
                                     at(record_of("lhsmtool_mpi archive job.h5 /mnt", 10, 7, 7), 100),
                                     at(record_of("lhsmtool_mpi retry job.h5 /mnt", 10, 700, 7), 200),
                                     at(record_of("lhsmtool_mpi restore job.h5 /mnt", 0, 0, 0), 300),
                                     at(record_of("lhsmtool_mpi retry job.h5 /mnt", 10, 100, 1000), 400)};
  runs[0].end_ns = runs[3].end_ns = 0;
  std::vector<RunWork> works(runs.size());
  works[3] = {99, 3000, 330'000'000'000};
  const auto rates = rates_of(runs, works, ItemAction::restore);
  ASSERT_TRUE(rates);
  EXPECT_EQ(rates->runs, 2U);
  EXPECT_EQ(rates->files, 199U);
  EXPECT_DOUBLE_EQ(rates->seconds, 40) << "30 until the last result of the one that was killed";
  EXPECT_DOUBLE_EQ(rates->bytes_per_second, 100);
  EXPECT_EQ(rates_of(runs, works, ItemAction::archive)->files, 7U) << "its retry cannot be told from others'";
}

TEST_F(ForecastTest, a_killed_run_has_a_rate) {
  std::vector<Fid> fids;
  for (int i = 0; i < 20; ++i) fids.push_back(new_released("object"));
  make_manifest(fids);
  m_run_options.command_line = "lhsmtool_mpi restore job.h5 /mnt";
  begin(ItemAction::restore);
  ASSERT_TRUE(wait_for_fulfilment());
  stop();
  m_run.reset();  // without its end
  auto job = store::look_at_job(m_run_options.manifest);
  ASSERT_TRUE(job);
  const auto runs = runs_of(*job);
  const auto works = work_of(*job, runs);
  ASSERT_TRUE(works);
  const auto rates = rates_of(runs, *works, ItemAction::restore);
  ASSERT_TRUE(rates);
  EXPECT_EQ(rates->files, 20U);
  EXPECT_GT(rates->bytes_per_second, 0);
}

TEST(StatesTest, results_change_them) {
  EXPECT_EQ(states_after(ItemAction::archive, ItemResult::done, abi::HS_DIRTY | abi::HS_NORELEASE),
            k_archived | abi::HS_NORELEASE);
  EXPECT_EQ(states_after(ItemAction::restore, ItemResult::done, k_released), k_archived);
  EXPECT_EQ(states_after(ItemAction::restore, ItemResult::done, 0), k_archived);
  EXPECT_EQ(states_after(ItemAction::restore, ItemResult::already, 0), 0U) << "it may never have been archived";
  EXPECT_EQ(states_after(ItemAction::release, ItemResult::already, k_archived), k_released);
  EXPECT_EQ(states_after(ItemAction::remove, ItemResult::done, k_archived), 0U);
  EXPECT_EQ(states_after(ItemAction::archive, ItemResult::failed, 0), 0U);
  EXPECT_EQ(state_words(k_released), "released exists archived");
  EXPECT_EQ(state_words(0), "none");
}

}  // namespace
}  // namespace lhsm::bulk
