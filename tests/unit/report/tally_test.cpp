// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/report/tally.hpp"

#include <gtest/gtest.h>

namespace lhsm::report {
namespace {

using namespace std::chrono_literals;

ActionItem item_of(ActionKind kind) {
  ActionItem item;
  item.kind = kind;
  return item;
}

run::ActionOutcome failed_with(ErrorKind kind, int sys_errno, const std::string& operation) {
  run::ActionOutcome outcome;
  outcome.error = Error{kind, sys_errno, operation, "file"};
  return outcome;
}

TEST(HistogramTest, values_are_counted_up_to_their_bounds) {
  static constexpr std::array k_bounds{1.0, 10.0, 100.0};
  Histogram values(k_bounds);
  for (const double value : {0.0, 1.0, 1.1, 10.0, 99.0, 100.5, 1e9}) values.add(value);
  EXPECT_EQ(values.up_to(0), 2U);
  EXPECT_EQ(values.up_to(1), 4U);
  EXPECT_EQ(values.up_to(2), 5U);
  EXPECT_EQ(values.count(), 7U);
  EXPECT_DOUBLE_EQ(values.sum(), 1e9 + 211.6);
}

TEST(TallyTest, ended_counts_by_kind_and_result) {
  Tally tally;
  run::ActionOutcome done;
  done.size = 5000;
  done.age = 2s;
  for (int i = 0; i < 3; ++i) tally.ended(item_of(ActionKind::restore), done);
  tally.ended(item_of(ActionKind::remove), done);
  tally.ended(item_of(ActionKind::archive), failed_with(ErrorKind::io, EIO, "pread"));
  tally.ended(item_of(ActionKind::archive), failed_with(ErrorKind::cancelled, ECANCELED, "cancelled"));
  run::ActionOutcome put_back = failed_with(ErrorKind::busy, EAGAIN, "stopped");
  put_back.put_back = true;
  tally.ended(item_of(ActionKind::archive), put_back);
  tally.ended(item_of(static_cast<ActionKind>(99)), failed_with(ErrorKind::invalid, EINVAL, "refused"));

  const auto& [archive, restore, remove] = tally.kinds;
  EXPECT_EQ(restore.done, 3U);
  EXPECT_EQ(restore.seconds.count(), 3U);
  EXPECT_DOUBLE_EQ(restore.seconds.sum(), 6);
  EXPECT_DOUBLE_EQ(restore.bytes.sum(), 15000);
  EXPECT_EQ(remove.done, 1U);
  EXPECT_EQ(remove.bytes.count(), 0U);
  EXPECT_EQ(archive.done, 0U);
  EXPECT_EQ(archive.failed, 1U);
  EXPECT_EQ(archive.cancelled, 1U);
  EXPECT_EQ(archive.put_back, 1U);
  EXPECT_EQ(tally.errnos, (std::map<std::pair<ActionKind, int>, std::uint64_t>{{{ActionKind::archive, EIO}, 1}}));
  EXPECT_EQ(tally.errors, (std::map<std::string, std::uint64_t>{{"ARCHIVE: pread (EIO)", 1}}));
}

TEST(TallyTest, ended_keeps_few_errors_whatever_they_are_called) {
  Tally tally;
  for (int i = 0; i < 10'000; ++i)
    tally.ended(item_of(ActionKind::restore), failed_with(ErrorKind::io, EIO, "operation " + std::to_string(i)));
  EXPECT_LE(tally.errors.size(), 257U);
  std::uint64_t sum = 0;
  for (const auto& [what, count] : tally.errors) sum += count;
  EXPECT_EQ(sum, 10'000U);
  EXPECT_EQ(tally.errnos.size(), 1U);
}

}  // namespace
}  // namespace lhsm::report
