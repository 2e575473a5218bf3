// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/plan/slot_index.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace lhsm::plan {
namespace {

TEST(SlotIndexTest, an_empty_one_finds_nothing) {
  const SlotIndex index;
  EXPECT_EQ(index.find(0, [](SlotIndex::Slot) { return true; }), std::nullopt);
}

/// Keys whose hashes are all but a few the same must be told apart, whatever was erased between them.
TEST(SlotIndexTest, it_agrees_with_a_map_whatever_collides) {
  for (const std::size_t hashes : {std::size_t{3}, std::size_t{20}, std::size_t{1} << 40U}) {
    SCOPED_TRACE(hashes);
    std::mt19937_64 random(hashes);
    const auto hash_of = [hashes](std::uint64_t key) { return key * 0x9e3779b97f4a7c15ULL % hashes; };
    SlotIndex index;
    std::map<std::uint64_t, SlotIndex::Slot> model;
    std::map<SlotIndex::Slot, std::uint64_t> keys;  // what the records would hold
    SlotIndex::Slot next_slot = 0;
    for (int step = 0; step < 4000; ++step) {
      const std::uint64_t key = random() % 200;
      const auto found = index.find(hash_of(key), [&](SlotIndex::Slot slot) { return keys.at(slot) == key; });
      const auto known = model.find(key);
      ASSERT_EQ(found, known == model.end() ? std::nullopt : std::optional(known->second)) << "step " << step;
      if (known == model.end()) {
        index.insert(hash_of(key), next_slot);
        model[key] = next_slot;
        keys[next_slot++] = key;
      } else if (random() % 4 == 0) {
        index.replace(hash_of(key), known->second, next_slot);
        keys.erase(known->second);
        keys[next_slot] = key;
        known->second = next_slot++;
      } else {
        index.erase(hash_of(key), known->second);
        keys.erase(known->second);
        model.erase(known);
      }
    }
  }
}

TEST(SlotIndexTest, cleared_it_can_be_filled_anew) {
  SlotIndex index;
  for (SlotIndex::Slot slot = 0; slot < 100; ++slot) index.insert(slot, slot);
  index.clear();
  EXPECT_EQ(index.find(7, [](SlotIndex::Slot) { return true; }), std::nullopt);
  index.insert(7, 4);
  EXPECT_EQ(index.find(7, [](SlotIndex::Slot) { return true; }), 4U);
}

}  // namespace
}  // namespace lhsm::plan
