// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Journals as crashes and bad disks leave them.
#include "../../../src/store/journal_frame.hpp"
#include "store_fixture.hpp"

namespace lhsm::store {
namespace {

constexpr std::size_t k_base = 64;
constexpr std::size_t k_result = 80;  // the frame of a result without digest

class ReplayTest : public JobTest {
 protected:
  /// A journal of `batches` batches of `each` results, of the rows 0, 1, 2 …
  void make_journal(std::uint64_t batches, std::uint64_t each) {
    make_job(batches * each);
    JournalBase base;
    base.manifest = ManifestReader::open(path)->identity();
    base.item_count = batches * each;
    good = base_bytes(base);
    for (std::uint64_t row = 0; row < batches * each; ++row)
      ASSERT_TRUE(append_frame(done(row), row % each == 0, seed_of(base), good.size(), good));
    ASSERT_EQ(good.size(), k_base + k_result * batches * each);
  }

  static ItemResultRecord done(std::uint64_t row) {
    ItemResultRecord record{row, {}, {}};
    record.outcome.result = ItemResult::done;
    return record;
  }

  Outcome<JournalState> replay(const std::string& bytes) const {
    test::write_file(journal, bytes);
    return JournalState::replay(journal);
  }

  std::string good;
};

TEST_F(ReplayTest, CutsATornEndOffWhereverItIsTorn) {
  make_journal(2, 4);
  for (std::size_t length = k_base; length < good.size(); ++length) {
    const auto state = replay(good.substr(0, length));
    ASSERT_TRUE(is_ok(state)) << length;
    const std::uint64_t whole = (length - k_base) / k_result;
    EXPECT_EQ(state->record_count(), whole) << length;
    EXPECT_EQ(state->valid_bytes(), k_base + whole * k_result);
    EXPECT_EQ(state->torn_bytes(), length - state->valid_bytes());
    for (std::uint64_t row = 0; row < 8; ++row) EXPECT_EQ(state->result(row).has_value(), row < whole) << length;
  }
}

TEST_F(ReplayTest, GoesOnAfterATornEnd) {
  make_journal(1, 4);
  test::write_file(journal, good.substr(0, good.size() - 3));
  {
    auto job = open();
    ASSERT_TRUE(is_ok(job));
    EXPECT_EQ(job->state.record_count(), 3U);
    ASSERT_TRUE(is_ok(job->journal->append(done(3))));
    ASSERT_TRUE(is_ok(job->journal->close()));
  }
  const auto state = JournalState::replay(journal);
  ASSERT_TRUE(is_ok(state));
  EXPECT_EQ(state->record_count(), 4U);
  EXPECT_EQ(state->torn_bytes(), 0U);
}

TEST_F(ReplayTest, AShortBaseIsAnError) {
  make_journal(1, 1);
  for (std::size_t length = 0; length < k_base; ++length) EXPECT_FALSE(replay(good.substr(0, length))) << length;
}

TEST_F(ReplayTest, TakesNoFlippedBitForARecord) {
  make_journal(3, 2);
  const std::size_t last_batch = k_base + 4 * k_result;
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    const auto state = replay(bad);
    if (at < last_batch) {
      ASSERT_FALSE(state) << at;
      if (at >= k_base) {
        const std::size_t record = (at - k_base) / k_result * k_result + k_base;
        EXPECT_EQ(state.error().kind, ErrorKind::corrupt);
        EXPECT_NE(state.error().describe().find("damaged at byte " + std::to_string(record) + ":"), std::string::npos)
            << state.error().describe();
      }
    } else {
      // Nobody can tell it from a write that was torn.
      ASSERT_TRUE(is_ok(state)) << at;
      EXPECT_EQ(state->record_count(), 4 + (at - last_batch) / k_result) << at;
    }
  }
}

TEST_F(ReplayTest, AnEndOfZerosOrOfOldBlocksIsTorn) {
  make_journal(2, 2);
  for (const std::string& end : {std::string(5000, '\0'), good, good.substr(k_base), good.substr(k_base + 8, 100)}) {
    const auto state = replay(good + end);
    ASSERT_TRUE(is_ok(state));
    EXPECT_EQ(state->record_count(), 4U);
    EXPECT_EQ(state->torn_bytes(), end.size());
  }
}

TEST_F(ReplayTest, TheLastBatchMayBeTornInItsMiddle) {
  make_journal(2, 3);
  // Blocks reach the disk in any order: the first record of the batch did not, those after it did.
  std::string torn = good;
  const std::size_t second = k_base + 3 * k_result;
  torn.replace(second + k_result, k_result, std::string(k_result, '\0'));
  const auto state = replay(torn);
  ASSERT_TRUE(is_ok(state));
  EXPECT_EQ(state->record_count(), 4U);
  EXPECT_EQ(state->torn_bytes(), 2 * k_result);
}

TEST_F(ReplayTest, RecordsDoNotCountAtAnotherPlace) {
  make_journal(2, 2);
  std::string swapped = good;
  swapped.replace(k_base, k_result, good.substr(k_base + 2 * k_result, k_result));
  EXPECT_FALSE(replay(swapped));
}

TEST_F(ReplayTest, TellsANewerFormat) {
  make_journal(1, 1);
  std::string newer = good;
  newer[8] = 2;
  const auto state = replay(newer);
  ASSERT_FALSE(state);
  EXPECT_EQ(state.error().kind, ErrorKind::unsupported);
}

}  // namespace
}  // namespace lhsm::store
