// SPDX-License-Identifier: LGPL-2.1-or-later
// Whether a restore fits into OSTs and quotas.
#include "lhsmtool_mpi/bulk/room.hpp"

#include <gtest/gtest.h>

#include "lhsmtool_mpi/base/size.hpp"
#include "support/fake_lustre.hpp"

namespace lhsm::bulk {
namespace {

using lustre::OstSpace;
using lustre::QuotaKind;
using test::Call;

OstSpace ost(std::uint32_t index, std::uint64_t free, std::uint32_t states = 0) {
  return {index, "fs-OST000" + std::to_string(index), 0, states, 100 * k_GiB, free, 1000};
}

/// One file of each size, all of the same stripe count.
Forecast files(std::uint32_t stripe_count, const std::vector<std::uint64_t>& sizes, Forecast forecast = {}) {
  for (const std::uint64_t size : sizes) {
    forecast.to_do.add(size);
    Striped& striped = forecast.striped[stripe_count];
    striped.amount.add(size);
    if (size > striped.largest) {
      striped.largest = size;
      striped.largest_path = "of " + format_size(size);
    }
  }
  return forecast;
}

TEST(OstForecast, osts_that_take_nothing_are_named_and_not_counted) {
  std::vector<OstSpace> osts{ost(0, 10 * k_GiB),
                             ost(1, 10 * k_GiB, abi::OS_STATFS_DEGRADED),
                             ost(2, 10 * k_GiB, abi::OS_STATFS_READONLY),
                             ost(3, 10 * k_GiB, abi::OS_STATFS_NOCREATE),
                             ost(4, 10 * k_GiB, abi::OS_STATFS_ENOSPC),
                             ost(5, 0),
                             ost(6, 10 * k_GiB, abi::OS_STATFS_ENOINO)};
  osts.push_back({7, "fs-OST0007", ENODATA, 0, 0, 0, 0});
  osts.push_back({8, "fs-OST0008", EIO, 0, 0, 0, 0});
  const OstForecast told = judge_osts(osts, files(1, {k_GiB}));
  EXPECT_EQ(told.all, 9U);
  EXPECT_EQ(told.usable, 1U);
  EXPECT_EQ(told.free_bytes, 10 * k_GiB);
  const std::map<std::string, std::vector<std::string>> expected{
      {"degraded", {"fs-OST0001"}},        {"read-only", {"fs-OST0002"}},
      {"closed for new objects", {"fs-OST0003"}}, {"full", {"fs-OST0004", "fs-OST0005"}},
      {"out of objects", {"fs-OST0006"}},  {"inactive", {"fs-OST0007"}},
      {"no answer (EIO)", {"fs-OST0008"}}};
  EXPECT_EQ(told.unusable, expected);
  EXPECT_TRUE(told.fits());
}

TEST(OstForecast, bytes_and_objects_have_to_fit_as_a_whole) {
  const std::vector<OstSpace> osts{ost(0, 3 * k_GiB), ost(1, 3 * k_GiB)};
  EXPECT_TRUE(judge_osts(osts, files(1, {3 * k_GiB, 3 * k_GiB})).fits());
  EXPECT_FALSE(judge_osts(osts, files(1, {3 * k_GiB, 3 * k_GiB, 1})).fits());
  const OstForecast small = judge_osts(osts, files(2, std::vector<std::uint64_t>(1001, 1)));
  EXPECT_EQ(small.needed_objects, 2002U);
  EXPECT_FALSE(small.fits()) << "2000 objects are free";
  EXPECT_TRUE(judge_osts(osts, files(0, std::vector<std::uint64_t>(1001, 1))).fits()) << "one object each at least";
}

TEST(OstForecast, no_file_may_need_more_of_an_ost_than_any_has) {
  const std::vector<OstSpace> osts{ost(0, 3 * k_GiB), ost(1, 4 * k_GiB), ost(2, 4 * k_GiB)};
  const OstForecast one = judge_osts(osts, files(1, {k_GiB, 5 * k_GiB}));
  EXPECT_EQ(one.largest_piece, 5 * k_GiB);
  EXPECT_EQ(one.largest_file, "of 5.0 GiB");
  EXPECT_EQ(one.most_free, 4 * k_GiB);
  EXPECT_EQ(one.least_free, 3 * k_GiB);
  EXPECT_FALSE(one.fits());
  EXPECT_TRUE(judge_osts(osts, files(2, {5 * k_GiB})).fits()) << "2.5 GiB on each";
  EXPECT_EQ(judge_osts(osts, files(65535, {9 * k_GiB})).largest_piece, 3 * k_GiB);
  EXPECT_EQ(judge_osts(osts, files(8, {9 * k_GiB})).largest_piece, 3 * k_GiB) << "more stripes than OSTs";
  EXPECT_EQ(judge_osts(osts, files(0, {5 * k_GiB})).largest_piece, 0U) << "nothing is known of the layout";
  const OstForecast two = judge_osts(osts, files(1, {k_GiB}, files(2, {4 * k_GiB})));
  EXPECT_EQ(two.largest_piece, 2 * k_GiB);
  EXPECT_EQ(two.largest_file, "of 4.0 GiB");
}

TEST(OstForecast, an_ost_that_would_run_over_is_foreseen) {
  // Alike: as much on each.
  std::vector<OstSpace> osts{ost(0, 10 * k_GiB), ost(1, 9 * k_GiB)};
  EXPECT_EQ(judge_osts(osts, files(1, {9 * k_GiB, 9 * k_GiB})).overrun_bytes, 0U);
  const OstForecast alike = judge_osts(osts, files(1, {9 * k_GiB, 9 * k_GiB, k_GiB}));
  EXPECT_EQ(alike.overrun, "fs-OST0001");
  EXPECT_EQ(alike.overrun_bytes, k_GiB / 2);
  EXPECT_TRUE(alike.fits()) << "it is a warning";
  // Not alike: by free space, but for files on all of them.
  osts = {ost(0, 10 * k_GiB), ost(1, 2 * k_GiB)};
  EXPECT_EQ(judge_osts(osts, files(1, {6 * k_GiB, 5 * k_GiB})).overrun_bytes, 0U);
  const OstForecast wide = judge_osts(osts, files(65535, {8 * k_GiB}));
  EXPECT_EQ(wide.overrun, "fs-OST0001");
  EXPECT_EQ(wide.overrun_bytes, 2 * k_GiB);
}

TEST(OstForecast, without_a_usable_ost_nothing_fits) {
  const std::vector<OstSpace> osts{ost(0, 0)};
  EXPECT_FALSE(judge_osts(osts, files(1, {1})).fits());
  EXPECT_TRUE(judge_osts(osts, {}).fits()) << "nothing is to be restored";
}

class QuotaForecastTest : public ::testing::Test {
 protected:
  test::FakeLustre m_lustre;
  Forecast m_forecast;
};

TEST_F(QuotaForecastTest, who_would_be_over_is_named_the_worst_first) {
  m_forecast.owners = {{0, k_GiB}, {1000, 5 * k_GiB}, {1001, k_GiB}};
  m_forecast.groups = {{20, 6 * k_GiB}};
  m_forecast.projects = {{0, 7 * k_GiB}};
  m_lustre.quotas[{QuotaKind::user, 1000}] = {6 * k_GiB, 3 * k_GiB, 0, 0};
  m_lustre.quotas[{QuotaKind::user, 1001}] = {2 * k_GiB, k_GiB, 10, 13};
  m_lustre.quotas[{QuotaKind::group, 20}] = {k_GiB, 0, 0, 0};
  const QuotaForecast told = ask_quotas(m_lustre, m_forecast);
  EXPECT_EQ(m_lustre.calls(Call::quota), 3) << "id 0 has no limits";
  EXPECT_FALSE(told.fits());
  ASSERT_EQ(told.excesses.size(), 3U);
  EXPECT_EQ(told.excesses[0].kind, QuotaKind::group);
  EXPECT_EQ(told.excesses[0].bytes, 5 * k_GiB);
  EXPECT_EQ(told.excesses[1].id, 1000U);
  EXPECT_EQ(told.excesses[1].bytes, 2 * k_GiB);
  EXPECT_EQ(told.excesses[2].id, 1001U);
  EXPECT_EQ(told.excesses[2].bytes, 0U) << "exactly at the limit";
  EXPECT_EQ(told.excesses[2].files, 3U);
  EXPECT_EQ(told.kinds.at(QuotaKind::user).told, 2U);
  EXPECT_EQ(told.kinds.count(QuotaKind::project), 0U);
}

TEST_F(QuotaForecastTest, files_over_a_limit_hinder_no_restore) {
  m_forecast.owners = {{1000, k_GiB}};
  m_lustre.quotas[{QuotaKind::user, 1000}] = {0, k_GiB, 10, 11};
  const QuotaForecast told = ask_quotas(m_lustre, m_forecast);
  EXPECT_TRUE(told.fits());
  EXPECT_EQ(told.excesses.size(), 1U);
}

TEST_F(QuotaForecastTest, where_there_are_none_one_question_tells) {
  m_forecast.owners = {{1, 1}, {2, 2}, {3, 3}};
  m_forecast.groups = {{1, 6}};
  m_lustre.fail(Call::quota, EOPNOTSUPP);
  const QuotaForecast told = ask_quotas(m_lustre, m_forecast);
  EXPECT_TRUE(told.fits());
  EXPECT_EQ(m_lustre.calls(Call::quota), 2);
  EXPECT_EQ(told.kinds.at(QuotaKind::user).untold, 3U);
  EXPECT_EQ(told.kinds.at(QuotaKind::user).sys_errno, EOPNOTSUPP);
  EXPECT_EQ(told.kinds.at(QuotaKind::group).untold, 1U);
}

TEST_F(QuotaForecastTest, who_may_ask_for_himself_only_is_told_of_himself) {
  m_forecast.owners = {{1, 30}, {2, 20}, {3, 10}};
  m_lustre.before(Call::quota, [](const Fid& question) { return question.oid == 2 ? 0 : EPERM; });
  m_lustre.quotas[{QuotaKind::user, 2}] = {15, 0, 0, 0};
  const QuotaForecast told = ask_quotas(m_lustre, m_forecast);
  EXPECT_EQ(told.kinds.at(QuotaKind::user).told, 1U);
  EXPECT_EQ(told.kinds.at(QuotaKind::user).untold, 2U);
  EXPECT_EQ(told.kinds.at(QuotaKind::user).sys_errno, EPERM);
  ASSERT_EQ(told.excesses.size(), 1U);
  EXPECT_EQ(told.excesses[0].bytes, 5U);
}

TEST_F(QuotaForecastTest, those_that_need_most_are_asked) {
  for (std::uint32_t id = 1; id <= QuotaForecast::k_most_asked + 5; ++id) {
    m_forecast.owners[id] = id;
    m_lustre.quotas[{QuotaKind::user, id}] = {1, 0, 0, 0};
  }
  const QuotaForecast told = ask_quotas(m_lustre, m_forecast);
  EXPECT_EQ(told.left_out, 5U);
  EXPECT_EQ(m_lustre.calls(Call::quota), static_cast<int>(QuotaForecast::k_most_asked));
  EXPECT_EQ(told.excesses.front().id, QuotaForecast::k_most_asked + 5);
  EXPECT_EQ(told.excesses.back().id, 6U);
}

}  // namespace
}  // namespace lhsm::bulk
