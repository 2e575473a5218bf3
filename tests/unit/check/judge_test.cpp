// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/check/judge.hpp"

#include <gmock/gmock.h>

namespace lhsm::check {
namespace {

using ::testing::HasSubstr;

Plan plan() {
  Plan plan;
  plan.fsname = "scratch";
  plan.copies = 32;
  plan.archive_ids = {1, 2};
  return plan;
}

std::vector<Parameter> good(const std::string& mdt = "MDT0000") {
  const std::string prefix = "mdt.scratch-" + mdt + ".";
  return {{prefix + "hsm_control", "enabled"},          {prefix + "hsm.max_requests", "1000"},
          {prefix + "hsm.active_request_timeout", "3600"}, {prefix + "hsm.grace_delay", "60"},
          {prefix + "hsm.loop_period", "10"},              {prefix + "hsm.default_archive_id", "1"}};
}

std::vector<Parameter> good_but(const std::string& name, const std::string& value) {
  auto parameters = good();
  for (Parameter& parameter : parameters)
    if (parameter.name.ends_with(name)) parameter.value = value;
  return parameters;
}

std::vector<CheckFinding> about(const std::vector<CheckFinding>& findings, const std::string& subject) {
  std::vector<CheckFinding> some;
  for (const CheckFinding& finding : findings)
    if (finding.subject == subject) some.push_back(finding);
  return some;
}

TEST(JudgeTunables, AcceptsGoodOnes) {
  const auto findings = judge_tunables(good(), plan());
  EXPECT_EQ(findings.size(), 6U);
  for (const CheckFinding& finding : findings) {
    EXPECT_EQ(finding.verdict, CheckVerdict::ok) << finding.text;
    EXPECT_THAT(finding.text, HasSubstr("on MDT0000"));
  }
}

TEST(JudgeTunables, NeverSaysOkOfWhatItDoesNotSee) {
  auto others = good();
  for (Parameter& parameter : others) parameter.name.replace(parameter.name.find("scratch"), 7, "scratch2");
  for (const auto& seen : {std::vector<Parameter>{}, others}) {
    const auto findings = judge_tunables(seen, plan());
    EXPECT_EQ(findings.size(), 6U);
    for (const CheckFinding& finding : findings) {
      EXPECT_EQ(finding.verdict, CheckVerdict::warn);
      EXPECT_EQ(finding.text, "not visible from here");
      EXPECT_THAT(finding.remedy, HasSubstr("lctl get_param mdt.scratch-MDT*."));
    }
  }
}

TEST(JudgeTunables, SaysTheCommandThatRaisesAValue) {
  const struct {
    const char* name;
    const char* value;
    const char* remedy;
  } cases[] = {{"max_requests", "3", "lctl set_param mdt.scratch-MDT*.hsm.max_requests=1000"},
               {"active_request_timeout", "700", "lctl set_param mdt.scratch-MDT*.hsm.active_request_timeout=3600"},
               {"grace_delay", "1", "lctl set_param mdt.scratch-MDT*.hsm.grace_delay=60"},
               {"loop_period", "600", "lctl set_param mdt.scratch-MDT*.hsm.loop_period=10"},
               {"default_archive_id", "3", "lctl set_param mdt.scratch-MDT*.hsm.default_archive_id=1"}};
  for (const auto& c : cases) {
    const auto findings = judge_tunables(good_but(c.name, c.value), plan());
    for (const CheckFinding& finding : findings)
      EXPECT_EQ(finding.verdict, finding.subject == c.name ? CheckVerdict::warn : CheckVerdict::ok) << c.name << ": " << finding.text;
    const auto found = about(findings, c.name);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_THAT(found[0].remedy, HasSubstr(c.remedy));
  }
}

TEST(JudgeTunables, MeasuresRequestsByTheRun) {
  Plan large = plan();
  large.copies = 4096;
  const auto found = about(judge_tunables(good(), large), "max_requests");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].verdict, CheckVerdict::warn);
  EXPECT_THAT(found[0].remedy, HasSubstr("max_requests=16384"));
}

TEST(JudgeTunables, FailsWhereHsmIsNotEnabled) {
  for (const char* state : {"stopped", "disabled", "shutdown", "init", ""}) {
    const auto found = about(judge_tunables(good_but("hsm_control", state), plan()), "hsm_control");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].verdict, CheckVerdict::fail);
    EXPECT_THAT(found[0].remedy, HasSubstr("lctl set_param mdt.scratch-MDT*.hsm_control=enabled"));
  }
}

TEST(JudgeTunables, NamesTheMdtsThatDiffer) {
  auto seen = good();
  for (const Parameter& parameter : good("MDT0001")) seen.push_back(parameter);
  seen.push_back(seen.front());  // two ranks see the same
  seen.back().name = "mdt.scratch-MDT0002.hsm_control";
  seen.back().value = "stopped";
  seen.push_back(seen.front());
  const auto found = about(judge_tunables(seen, plan()), "hsm_control");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].text, "enabled on MDT0000, MDT0001");
  EXPECT_EQ(found[1].verdict, CheckVerdict::fail);
  EXPECT_THAT(found[1].text, HasSubstr("stopped on MDT0002"));
}

TEST(JudgeTunables, DoesNotTakeWordsForNumbers) {
  const auto found = about(judge_tunables(good_but("max_requests", "many"), plan()), "max_requests");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].verdict, CheckVerdict::warn);
}

TEST(JudgeClock, AllowsForTheWayThereAndBack) {
  constexpr std::int64_t k_second = 1'000'000'000;
  EXPECT_EQ(judge_clock(0, 0).verdict, CheckVerdict::ok);
  EXPECT_EQ(judge_clock(-k_second, 0).verdict, CheckVerdict::ok);
  EXPECT_EQ(judge_clock(3 * k_second, 2 * k_second).verdict, CheckVerdict::ok);
  const auto ahead = judge_clock(3 * k_second, k_second);
  EXPECT_EQ(ahead.verdict, CheckVerdict::warn);
  EXPECT_THAT(ahead.text, HasSubstr("3.0 s ahead of"));
  EXPECT_THAT(judge_clock(-90 * k_second, 0).text, HasSubstr("90.0 s behind"));
}

TEST(JudgeLinks, FindsTheSlowHost) {
  EXPECT_TRUE(judge_links({}).empty());
  std::vector<Link> links;
  for (int i = 1; i < 8; ++i) links.push_back({i, "node" + std::to_string(i), 20.0 + i, 1000.0 + i});
  EXPECT_EQ(judge_links(links).size(), 1U);
  EXPECT_THAT(judge_links(links)[0].text, HasSubstr("latency 21.0 to 27.0 us, bandwidth 1001 to 1007 MiB/s"));
  links[3].mib_per_s = 100;
  links[5].latency_us = 400;
  const auto findings = judge_links(links);
  ASSERT_EQ(findings.size(), 3U);
  EXPECT_EQ(findings[1].verdict, CheckVerdict::warn);
  EXPECT_THAT(findings[1].text, HasSubstr("node4 (rank 4) is far slower than most: latency 24.0 us, bandwidth 100 MiB/s"));
  EXPECT_THAT(findings[2].text, HasSubstr("node6 (rank 6)"));
}

TEST(JudgeLinks, FindsASlowNetwork) {
  EXPECT_EQ(judge_links({{1, "a", 9000, 10}, {2, "b", 9000, 10}}).size(), 2U);
  // Some microseconds more are nothing to speak of.
  EXPECT_EQ(judge_links({{1, "a", 1, 1000}, {2, "b", 1, 1000}, {3, "c", 150, 1000}}).size(), 1U);
}

TEST(JudgeRoom, WarnsBeforeItIsFull) {
  constexpr std::uint64_t k_TiB = std::uint64_t{1} << 40U;
  EXPECT_EQ(judge_room("archive", "/a", {k_TiB, 2 * k_TiB, 10, 20}).verdict, CheckVerdict::ok);
  EXPECT_EQ(judge_room("archive", "/a", {k_TiB, 2 * k_TiB, 0, 0}).verdict, CheckVerdict::ok);
  EXPECT_EQ(judge_room("archive", "/a", {k_TiB / 30, k_TiB, 0, 0}).verdict, CheckVerdict::warn);
  EXPECT_EQ(judge_room("archive", "/a", {k_TiB, 2 * k_TiB, 1, 1000}).verdict, CheckVerdict::warn);
  EXPECT_EQ(judge_room("archive", "/a", {0, k_TiB, 1000, 1000}).verdict, CheckVerdict::fail);
  EXPECT_EQ(judge_room("archive", "/a", {k_TiB, k_TiB, 0, 1000}).verdict, CheckVerdict::fail);
  EXPECT_EQ(judge_room("archive", "/a", {0, 0, 0, 0}).verdict, CheckVerdict::warn);
}

TEST(JudgeVersion, KnowsWhatIsTooOld) {
  EXPECT_EQ(judge_version("clients", "2.16.1").verdict, CheckVerdict::ok);
  EXPECT_EQ(judge_version("clients", "2.15.8_dirty").verdict, CheckVerdict::ok);
  EXPECT_EQ(judge_version("MDS", "2.12.9.0").verdict, CheckVerdict::warn);
  EXPECT_EQ(judge_version("MDS", "unknown").verdict, CheckVerdict::warn);
}

TEST(CheckReport, FoldsEqualFindings) {
  Report report;
  const CheckFinding good{CheckVerdict::ok, "archive", "fine", ""};
  for (int rank = 0; rank < 8; ++rank) report.add(rank, rank == 5 ? CheckFinding{CheckVerdict::fail, "archive", "bad", "mend it"} : good);
  report.add(3, {CheckVerdict::warn, "mount", "odd", "look"});
  const auto lines = report.lines();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].finding.subject, "mount");  // in the order of subjects, the worst first
  EXPECT_EQ(lines[1].finding.text, "bad");
  EXPECT_EQ(ranks_text(lines[1].ranks), "5");
  EXPECT_EQ(ranks_text(lines[2].ranks), "0-4,6-7");
  EXPECT_EQ(report.worst(), CheckVerdict::fail);
  EXPECT_EQ(report.count(CheckVerdict::ok), 1U);
  EXPECT_EQ(report.count(CheckVerdict::warn), 1U);
  EXPECT_EQ(report.count(CheckVerdict::fail), 1U);
}

}  // namespace
}  // namespace lhsm::check
