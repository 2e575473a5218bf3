// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/striped_copies.hpp"

#include <gtest/gtest.h>

#include "lhsmtool_mpi/base/size.hpp"
#include "support/memory_bytes.hpp"

namespace lhsm::run {
namespace {

constexpr JobId k_job = 7;

/// Remembers all archives, as long as it is told to.
class Memory final : public UnfinishedCopies {
 public:
  [[nodiscard]] std::set<std::string> wanted_objects() const override { return {}; }
  [[nodiscard]] std::optional<CopyVersion> known(const ActionItem&) const override { return earlier; }
  [[nodiscard]] std::vector<CopiedPiece> take(const ActionItem&) override { return std::exchange(pieces, {}); }
  [[nodiscard]] bool piece_done(const ActionItem&, const CopyVersion& version, CopiedPiece piece) override {
    versions.push_back(version);
    done.push_back(piece.extent);
    return remembers;
  }
  std::optional<CopyVersion> earlier = CopyVersion{5, "object 1"};
  std::vector<CopiedPiece> pieces;
  std::vector<CopyVersion> versions;
  std::vector<Extent> done;
  bool remembers = true;
};

class StripedCopiesTest : public ::testing::Test {
 protected:
  StripedCopiesTest() {
    m_item.kind = ActionKind::archive;
    m_item.fid = m_item.dfid = {0x200000401, 1, 0};
  }
  [[nodiscard]] comm::Begun begun(bool is_resumed) const { return {k_job, m_item.fid, k_size, k_MiB, "token", "object 2", 5, is_resumed}; }
  [[nodiscard]] CopiedPiece piece(Extent extent) const {
    copy::LeafDigester digester(extent, k_size);
    digester.add(std::as_bytes(std::span(m_content)).subspan(extent.offset, extent.length), extent.offset);
    return {extent, digester.finish()};
  }
  [[nodiscard]] comm::ExtentDone extent_done(Extent extent) const { return {k_job, extent, extent.length, piece(extent).leaves, {}}; }
  [[nodiscard]] std::string digest() const {
    copy::DigestCollector collector(k_size);
    EXPECT_TRUE(collector.add({0, k_size}, piece({0, k_size}).leaves));
    return collector.digest()->text();
  }

  static constexpr std::uint64_t k_size = 6 * k_MiB + 5;
  const std::string m_content = test::pattern(k_size);
  const Error m_stopped{ErrorKind::busy, EAGAIN, "stopped", "file"};
  ActionItem m_item;
  Memory m_memory;
  StripedCopies m_copies{&m_memory};
};

TEST_F(StripedCopiesTest, the_digest_is_that_of_what_was_and_of_what_is_copied) {
  m_memory.pieces = {piece({4 * k_MiB, 2 * k_MiB + 5}), piece({0, k_MiB})};
  const comm::Begin begin = m_copies.begin({k_job, 0, m_item});
  EXPECT_EQ(begin.object, "object 1");
  EXPECT_EQ(begin.data_version, 5U);
  const std::vector<Extent> expected{{0, k_MiB}, {4 * k_MiB, 2 * k_MiB + 5}};
  EXPECT_EQ(m_copies.begun(begun(true), m_item), expected);
  EXPECT_EQ(m_memory.done, expected) << "noted anew, as the object has another name now";
  EXPECT_EQ(m_memory.versions, std::vector(2, (CopyVersion{5, "object 2"})));
  EXPECT_TRUE(m_copies.extent_done(extent_done({k_MiB, 3 * k_MiB}), m_item));
  EXPECT_EQ(m_memory.done.size(), 3U);
  EXPECT_EQ(m_copies.finish(k_job, std::nullopt, false)->digest, digest());
}

TEST_F(StripedCopiesTest, pieces_that_do_not_fit_are_copied_again) {
  CopiedPiece torn = piece({k_MiB, k_MiB});
  torn.leaves.pop_back();
  const std::string leaf(16, 'x');
  m_memory.pieces = {torn,
                     {{2 * k_MiB, 0}, {}},
                     {{2 * k_MiB, 5}, leaf},
                     {{2 * k_MiB + 1, k_MiB}, leaf},
                     {{6 * k_MiB, k_MiB}, leaf},
                     {{8 * k_MiB, k_MiB}, leaf},
                     {{6 * k_MiB, ~0ULL - 5 * k_MiB}, leaf},
                     piece({3 * k_MiB, 2 * k_MiB}),
                     piece({4 * k_MiB, k_MiB}),
                     piece({3 * k_MiB, 2 * k_MiB})};
  EXPECT_EQ(m_copies.begun(begun(true), m_item), (std::vector<Extent>{{3 * k_MiB, 2 * k_MiB}}));
  EXPECT_FALSE(m_copies.finish(k_job, std::nullopt, false)) << "the others' leaves are missing";
}

TEST_F(StripedCopiesTest, nothing_of_the_old_counts_on_a_new_object) {
  m_memory.pieces = {piece({0, k_MiB})};
  EXPECT_TRUE(m_copies.begun(begun(false), m_item).empty());
  EXPECT_TRUE(m_memory.done.empty());
  EXPECT_TRUE(m_memory.pieces.empty()) << "and it is forgotten";
}

TEST_F(StripedCopiesTest, what_is_put_back_is_kept_when_somebody_remembers_it) {
  for (const bool remembers : {true, false}) {
    m_memory.remembers = remembers;
    std::ignore = m_copies.begun(begun(false), m_item);
    EXPECT_TRUE(m_copies.extent_done(extent_done({0, k_MiB}), m_item));
    const auto finish = m_copies.finish(k_job, m_stopped, true);
    EXPECT_EQ(finish->is_kept, remembers);
    EXPECT_EQ(finish->error, m_stopped);
  }
}

TEST_F(StripedCopiesTest, what_failed_or_has_nothing_done_is_not_kept) {
  std::ignore = m_copies.begun(begun(false), m_item);
  EXPECT_FALSE(m_copies.finish(k_job, m_stopped, true)->is_kept);
  std::ignore = m_copies.begun(begun(false), m_item);
  EXPECT_TRUE(m_copies.extent_done(extent_done({0, k_MiB}), m_item));
  EXPECT_FALSE(m_copies.finish(k_job, m_stopped, false)->is_kept);
  EXPECT_FALSE(m_copies.finish(k_job, m_stopped, true)->is_kept) << "it is over already";
}

TEST_F(StripedCopiesTest, restores_and_runs_without_a_memory_begin_anew) {
  StripedCopies forgetful(nullptr);
  EXPECT_TRUE(forgetful.begin({k_job, 0, m_item}).object.empty());
  EXPECT_TRUE(forgetful.begun(begun(true), m_item).empty());
  EXPECT_TRUE(forgetful.extent_done(extent_done({0, k_size}), m_item));
  EXPECT_EQ(forgetful.finish(k_job, std::nullopt, false)->digest, digest());
  m_item.kind = ActionKind::restore;
  EXPECT_TRUE(m_copies.begin({k_job, 0, m_item}).object.empty());
  EXPECT_TRUE(m_copies.begun(begun(true), m_item).empty());
  EXPECT_TRUE(m_copies.extent_done(extent_done({0, k_size}), m_item));
  EXPECT_TRUE(m_memory.done.empty());
}

TEST_F(StripedCopiesTest, leaves_that_do_not_fit_are_told) {
  std::ignore = m_copies.begun(begun(false), m_item);
  comm::ExtentDone wrong = extent_done({0, k_MiB});
  wrong.leaves += 'x';
  EXPECT_FALSE(m_copies.extent_done(wrong, m_item));
}

}  // namespace
}  // namespace lhsm::run
