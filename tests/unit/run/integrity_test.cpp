// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What was archived is what is restored, or nothing is.
#include <fstream>

#include "unit/run/whole_run.hpp"

namespace lhsm::run {
namespace {

constexpr std::size_t k_small = 100'000;
const std::size_t k_large = 6 * k_MiB + 12345;

class IntegrityTest : public WholeRunTest, public ::testing::WithParamInterface<std::size_t> {
 protected:
  void SetUp() override {
    start(3);
    m_content = pattern(GetParam(), 7);
    m_fid = m_lustre.make_file(m_content);
  }
  ActionItem one(ActionKind kind) { return carry_out(kind, {m_fid}).at(0); }
  void archive_and_release() {
    ASSERT_EQ(result(one(ActionKind::archive)), 0);
    std::filesystem::resize_file(m_lustre.path(m_fid), 0);
    std::filesystem::resize_file(m_lustre.path(m_fid), m_content.size());
  }
  void damage(std::uint64_t offset) const {
    std::fstream file(object(m_fid), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put('\0');  // no byte of a pattern is
  }
  void expect_corrupt() {
    EXPECT_EQ(result(one(ActionKind::restore)), EIO);
    EXPECT_EQ(m_lustre.content(m_fid), std::string(m_content.size(), '\0')) << "still released";
    stop();
    ASSERT_EQ(m_observer.failures().size(), 1U);
    EXPECT_EQ(m_observer.failures()[0].second.kind, ErrorKind::corrupt);
  }
  std::string m_content;
  Fid m_fid;
};

TEST_P(IntegrityTest, good_object_is_verified) {
  archive_and_release();
  EXPECT_EQ(result(one(ActionKind::restore)), 0);
  EXPECT_TRUE(m_lustre.content(m_fid) == m_content);
  stop();
  EXPECT_EQ(state().restored, 1U);
  EXPECT_EQ(state().unverified, 0U);
}

TEST_P(IntegrityTest, one_wrong_byte_anywhere_costs_the_file) {
  archive_and_release();
  damage(GetParam() / 2);
  expect_corrupt();
}

TEST_P(IntegrityTest, wrong_byte_at_the_end) {
  archive_and_release();
  damage(GetParam() - 1);
  expect_corrupt();
}

TEST_P(IntegrityTest, pages_that_a_crash_lost_cost_the_file) {
  archive_and_release();
  std::filesystem::resize_file(object(m_fid), GetParam() / 2);
  std::filesystem::resize_file(object(m_fid), GetParam());
  expect_corrupt();
}

TEST_P(IntegrityTest, object_without_a_digest_is_restored_and_counted) {
  make_object(m_fid, m_content);
  std::filesystem::resize_file(m_lustre.path(m_fid), 0);
  std::filesystem::resize_file(m_lustre.path(m_fid), m_content.size());
  EXPECT_EQ(result(one(ActionKind::restore)), 0);
  EXPECT_TRUE(m_lustre.content(m_fid) == m_content);
  stop();
  EXPECT_EQ(state().unverified, 1U);
}

TEST_P(IntegrityTest, digest_is_that_of_the_present_object) {
  archive_and_release();
  // Another copytool replaces the object, without a digest.
  const std::string other(m_content.rbegin(), m_content.rend());
  std::filesystem::remove(object(m_fid));
  make_object(m_fid, other);
  EXPECT_EQ(result(one(ActionKind::restore)), 0);
  EXPECT_TRUE(m_lustre.content(m_fid) == other);
}

/// So does who imports by hand: an empty file is marked as archived and released, then the object is given its FID.
TEST_P(IntegrityTest, empty_file_gets_all_of_the_object) {
  archive_and_release();
  std::filesystem::resize_file(m_lustre.path(m_fid), 0);
  EXPECT_EQ(result(one(ActionKind::restore)), 0);
  EXPECT_TRUE(m_lustre.content(m_fid) == m_content);
  stop();
  EXPECT_EQ(state().restored, 1U);
  EXPECT_EQ(state().unverified, 0U);
}

TEST_P(IntegrityTest, empty_file_does_not_get_a_damaged_object) {
  archive_and_release();
  damage(GetParam() - 1);
  std::filesystem::resize_file(m_lustre.path(m_fid), 0);
  EXPECT_EQ(result(one(ActionKind::restore)), EIO);
  EXPECT_EQ(m_lustre.content(m_fid), "");
}

TEST_P(IntegrityTest, file_of_any_other_size_does_not_get_the_object) {
  archive_and_release();
  const auto resize = [this](std::uint64_t size) {
    std::filesystem::resize_file(m_lustre.path(m_fid), size);
    // Not as who truncates it just now.
    std::filesystem::last_write_time(m_lustre.path(m_fid), std::filesystem::file_time_type::clock::now() - 24h);
  };
  for (const std::uint64_t size : {std::uint64_t{1}, m_content.size() + 1}) {
    resize(size);
    EXPECT_EQ(result(one(ActionKind::restore)), EIO) << size;
  }
  resize(m_content.size());
  std::filesystem::resize_file(object(m_fid), 0);
  EXPECT_EQ(result(one(ActionKind::restore)), EIO) << "an empty object";
}

INSTANTIATE_TEST_SUITE_P(Sizes, IntegrityTest, ::testing::Values(k_small, k_large));

TEST_F(WholeRunTest, digest_does_not_depend_on_ranks_or_holes) {
  std::vector<std::string> digests;
  const std::string content = pattern(2 * k_MiB) + std::string(5 * k_MiB, '\0') + pattern(123'457);
  for (const int workers : {1, 4}) {
    for (const std::uint64_t threshold : {k_MiB, k_GiB}) {
      m_options.stripe_threshold = threshold;
      m_stop.count = 0;
      start(workers);
      const Fid fid = m_lustre.make_file(content);
      EXPECT_EQ(result(carry_out(ActionKind::archive, {fid}).at(0)), 0);
      auto reader = m_backend->open(fid);
      ASSERT_TRUE(reader.has_value());
      const auto digest = (*reader)->digest();
      ASSERT_TRUE(digest.has_value() && digest->has_value());
      digests.push_back((*digest)->text());
      stop();
    }
  }
  for (const auto& digest : digests) EXPECT_EQ(digest, digests.front());
}

}  // namespace
}  // namespace lhsm::run
