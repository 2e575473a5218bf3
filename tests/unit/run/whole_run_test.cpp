// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Runs in which every action succeeds.
#include <sys/resource.h>

#include <random>

#include "unit/run/whole_run.hpp"

namespace lhsm::run {
namespace {

class WholeRunOf : public WholeRunTest, public ::testing::WithParamInterface<int> {};

TEST_P(WholeRunOf, small_files_go_there_and_back) {
  start(GetParam());
  std::vector<Fid> fids;
  std::map<Fid, std::string> contents;
  for (unsigned i = 0; i < 100; ++i) {
    const std::string content = pattern(i * 37 % 5000, i + 1);
    fids.push_back(m_lustre.make_file(content, static_cast<int>(i % 3)));
    contents[fids.back()] = content;
  }
  for (const ActionItem& item : carry_out(ActionKind::archive, fids)) EXPECT_EQ(result(item), 0);
  for (const Fid& fid : fids) {
    ASSERT_EQ(test::read_file(object(fid)), contents[fid]);
    const auto size = contents[fid].size();
    std::filesystem::resize_file(m_lustre.path(fid), 0);  // released
    std::filesystem::resize_file(m_lustre.path(fid), size);
  }
  for (const ActionItem& item : carry_out(ActionKind::restore, fids)) EXPECT_EQ(result(item), 0);
  for (const Fid& fid : fids) ASSERT_EQ(m_lustre.content(fid), contents[fid]);
  for (const ActionItem& item : carry_out(ActionKind::remove, fids)) EXPECT_EQ(result(item), 0);
  for (const Fid& fid : fids) ASSERT_FALSE(std::filesystem::exists(object(fid)));
  stop();
  EXPECT_EQ(m_fatal, "");
  EXPECT_EQ(state().archived, 100U);
  EXPECT_EQ(state().restored, 100U);
  EXPECT_EQ(state().removed, 100U);
  EXPECT_EQ(state().failed, 0U);
  EXPECT_EQ(state().received, 300U);
  EXPECT_EQ(state().final(), 300U);
  EXPECT_EQ(state().queued + state().running, 0U);
  EXPECT_FALSE(m_lustre.registered());
}

TEST_P(WholeRunOf, striped_files_go_there_and_back) {
  m_options.stripe_threshold = 3 * k_MiB;
  start(GetParam());
  std::vector<Fid> fids;
  std::vector<std::string> contents;
  for (const std::size_t size : {3 * k_MiB, 7 * k_MiB + 12345, 16 * k_MiB, 3 * k_MiB - 1}) {
    contents.push_back(pattern(size, static_cast<unsigned>(size)));
    fids.push_back(m_lustre.make_file(contents.back(), 1));
  }
  for (const ActionItem& item : carry_out(ActionKind::archive, fids)) EXPECT_EQ(result(item), 0);
  for (std::size_t i = 0; i < fids.size(); ++i) {
    EXPECT_TRUE(test::read_file(object(fids[i])) == contents[i]) << i;
    std::filesystem::resize_file(m_lustre.path(fids[i]), 0);
    std::filesystem::resize_file(m_lustre.path(fids[i]), contents[i].size());
  }
  const int whole_begins = m_lustre.calls(Call::copy_start);
  EXPECT_EQ(whole_begins, 4) << "each begun once";
  for (const ActionItem& item : carry_out(ActionKind::restore, fids)) EXPECT_EQ(result(item), 0);
  for (std::size_t i = 0; i < fids.size(); ++i) EXPECT_TRUE(m_lustre.content(fids[i]) == contents[i]) << i;
  stop();
  EXPECT_EQ(state().archived, 4U);
  EXPECT_EQ(state().restored, 4U);
  EXPECT_EQ(state().file_bytes, 2 * (29 * k_MiB + 12344));
  EXPECT_EQ(state().bytes_copied, state().file_bytes);
}

INSTANTIATE_TEST_SUITE_P(Workers, WholeRunOf, ::testing::Values(1, 2, 4));

TEST_F(WholeRunTest, striped_restore_of_a_sparse_object_stays_sparse) {
  constexpr std::uint64_t k_size = 64 * k_MiB;
  const Fid fid = m_lustre.make_released(k_size);
  make_object(fid, pattern(5000));
  std::filesystem::resize_file(object(fid), k_size);
  start(3);
  EXPECT_EQ(result(carry_out(ActionKind::restore, {fid}).front()), 0);
  stop();
  const struct stat status = test::stat_of(m_lustre.path(fid));
  EXPECT_EQ(static_cast<std::uint64_t>(status.st_size), k_size);
  EXPECT_LT(status.st_blocks * 512, static_cast<blkcnt_t>(k_MiB));
  EXPECT_EQ(m_lustre.content(fid).substr(0, 5000), pattern(5000));
}

TEST_F(WholeRunTest, empty_files_are_copied) {
  m_options.stripe_threshold = 1;
  const Fid fid = m_lustre.make_file("");
  start(2);
  EXPECT_EQ(result(carry_out(ActionKind::archive, {fid}).front()), 0);
  EXPECT_EQ(std::filesystem::file_size(object(fid)), 0U);
  EXPECT_EQ(result(carry_out(ActionKind::restore, {fid}).front()), 0);
  stop();
}

TEST_F(WholeRunTest, striped_progress_reaches_the_coordinator_while_it_runs) {
  const Fid fid = m_lustre.make_released(16 * k_MiB);
  make_object(fid, pattern(16 * k_MiB));
  Gate gate;
  std::atomic<int> opened = 0;
  // The tenth helper to open the volatile is held back until the others' extents are reported.
  m_lustre.before(Call::open_by_fid, [&](const Fid& opening) {
    return opening != fid && ++opened == 10 ? gate.pass() : 0;
  });
  start(2, 2);
  const auto items = m_lustre.send(ActionKind::restore, {fid});
  ASSERT_TRUE(gate.wait_for_arrivals(1));
  EXPECT_TRUE(m_lustre.wait_for([&](const auto& records) {
    std::uint64_t bytes = 0;
    for (const Extent& extent : records.begin()->second.reports) bytes += extent.length;
    return bytes == 15 * k_MiB;
  })) << "all but the extent of the gate";
  gate.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of(items));
  EXPECT_EQ(result(items.front()), 0);
  stop();
}

TEST_F(WholeRunTest, sustained_requests_of_one_file_are_carried_out_in_order) {
  const Fid fid = m_lustre.make_file("content");
  start(4);
  std::vector<ActionItem> items;
  for (int round = 0; round < 20; ++round) {
    items.push_back(m_lustre.request(ActionKind::archive, fid));
    items.push_back(m_lustre.request(ActionKind::remove, fid));
  }
  m_lustre.deliver(items);
  EXPECT_TRUE(m_lustre.wait_for_end_of(items));
  stop();
  for (const ActionItem& item : items) EXPECT_EQ(result(item), 0);
  EXPECT_FALSE(std::filesystem::exists(object(fid)));
}

TEST_F(WholeRunTest, duplicates_are_carried_out_once) {
  const Fid fid = m_lustre.make_file("content");
  Gate gate;
  m_lustre.before(Call::copy_start, [&](const Fid&) { return gate.pass(); });
  start(2);
  const auto items = m_lustre.send(ActionKind::archive, {fid});
  ASSERT_TRUE(gate.wait_for_arrivals(1));
  m_lustre.deliver(items);
  const auto other = m_lustre.send(ActionKind::remove, {m_lustre.make_file("x")});
  EXPECT_TRUE(m_lustre.wait_for_end_of(other)) << "so the duplicate was taken in, too";
  gate.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of(items));
  stop();
  EXPECT_EQ(m_lustre.calls(Call::copy_start), 1);
  EXPECT_EQ(state().received, 2U);
}

TEST_F(WholeRunTest, no_update_interval_does_not_spin) {
  m_options.update_interval = m_dispatcher_options.update_interval = 0ms;
  Gate gate;
  m_lustre.before(Call::copy_start, [&](const Fid&) { return gate.pass(); });
  start(1);
  const auto items = m_lustre.send(ActionKind::archive, {m_lustre.make_file("x")});
  ASSERT_TRUE(gate.wait_for_arrivals(1));
  const auto processor = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return 1e6 * static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
  };
  const double before = processor();
  std::this_thread::sleep_for(300ms);
  EXPECT_LT(processor() - before, 100e3) << "microseconds, in 300 ms of waiting";
  gate.open();
  EXPECT_TRUE(m_lustre.wait_for_end_of(items));
  stop();
}

TEST_F(WholeRunTest, registers_for_the_archives_it_was_told) {
  m_dispatcher_options.archive_ids = {1, 7};
  start(1);
  carry_out(ActionKind::archive, {m_lustre.make_file("x")});
  EXPECT_TRUE(m_lustre.registered());
  stop();
  EXPECT_EQ(m_lustre.registered_for, (std::vector<std::uint32_t>{1, 7}));
}

/// Everything at random, with failures and cancels in between: each action is ended exactly once.
TEST_F(WholeRunTest, random_actions_are_each_ended_once) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::atomic<unsigned> calls = 0;
  for (const Call call : {Call::open_by_fid, Call::copy_start, Call::progress, Call::create_volatile})
    m_lustre.before(call, [&calls](const Fid&) { return ++calls % 23 == 0 ? EIO : 0; });
  start(3, 3);
  std::vector<Fid> fids;
  for (unsigned i = 0; i < 40; ++i) {
    const std::string content = pattern(random() % (i % 8 == 0 ? 9 * k_MiB : 9000), i);
    fids.push_back(m_lustre.make_file(content, static_cast<int>(i % 2)));
    if (i % 2 == 0) make_object(fids.back(), content);
  }
  constexpr std::array k_kinds = {ActionKind::archive, ActionKind::restore, ActionKind::remove};
  std::vector<ActionItem> items;
  for (int i = 0; i < 400; ++i) {
    items.push_back(m_lustre.request(k_kinds.at(random() % 3), fids.at(random() % fids.size())));
    m_lustre.deliver({items.back()});
    if (random() % 10 == 0) m_lustre.cancel(items.at(random() % items.size()));
  }
  EXPECT_TRUE(m_lustre.wait_for_end_of(items));
  stop();
  EXPECT_EQ(m_fatal, "");
  EXPECT_EQ(state().final(), 400U);
  for (const ActionItem& item : items) EXPECT_EQ(m_lustre.record(item).ends.size(), 1U) << item.describe();
}

}  // namespace
}  // namespace lhsm::run
