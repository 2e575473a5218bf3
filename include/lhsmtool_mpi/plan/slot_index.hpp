// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace lhsm::plan {

/// Finds the slots of a table by something that their records hold: a hash table of 8 bytes an entry
/// that leaves the keys where they are. The caller hashes, and says whether a slot is the one it means.
class SlotIndex {
 public:
  using Slot = std::uint32_t;

  /// Return the slot with this hash of which `is_wanted(slot)` holds.
  template <class IsWanted>
  [[nodiscard]] std::optional<Slot> find(std::size_t hash, IsWanted is_wanted) const {
    if (m_entries.empty()) return std::nullopt;
    const std::uint32_t folded = fold(hash);
    for (std::size_t at = home(folded); m_entries[at].slot != k_none; at = next(at))
      if (m_entries[at].hash == folded && is_wanted(m_entries[at].slot)) return m_entries[at].slot;
    return std::nullopt;
  }
  /// There must be none that find() would take for it.
  void insert(std::size_t hash, Slot slot) {
    if ((m_size + 1) * 4 > m_entries.size() * 3) grow();
    put({fold(hash), slot});
    ++m_size;
  }
  /// Both must have been inserted so.
  void erase(std::size_t hash, Slot slot) {
    std::size_t hole = place_of(hash, slot);
    // Those behind that would not be found across the hole move up into it.
    for (std::size_t at = next(hole); m_entries[at].slot != k_none; at = next(at)) {
      if (distance(home(m_entries[at].hash), at) < distance(hole, at)) continue;
      m_entries[hole] = m_entries[at];
      hole = at;
    }
    m_entries[hole] = {};
    --m_size;
  }
  /// Let an entry lead to another slot with the same key.
  void replace(std::size_t hash, Slot from, Slot to) { m_entries[place_of(hash, from)].slot = to; }
  /// Drop all, and the memory.
  void clear() { *this = {}; }

 private:
  static constexpr Slot k_none = ~Slot{0};
  struct Entry {
    std::uint32_t hash = 0;
    Slot slot = k_none;
  };

  static std::uint32_t fold(std::size_t hash) { return static_cast<std::uint32_t>(hash ^ (hash >> 32U)); }
  [[nodiscard]] std::size_t home(std::uint32_t folded) const { return folded & (m_entries.size() - 1); }
  [[nodiscard]] std::size_t next(std::size_t at) const { return (at + 1) & (m_entries.size() - 1); }
  [[nodiscard]] std::size_t distance(std::size_t from, std::size_t to) const {
    return (to - from) & (m_entries.size() - 1);
  }
  [[nodiscard]] std::size_t place_of(std::size_t hash, Slot slot) const {
    std::size_t at = home(fold(hash));
    while (m_entries[at].slot != slot) at = next(at);
    return at;
  }
  void put(Entry entry) {
    std::size_t at = home(entry.hash);
    while (m_entries[at].slot != k_none) at = next(at);
    m_entries[at] = entry;
  }
  void grow() {
    std::vector<Entry> old(m_entries.empty() ? 16 : 2 * m_entries.size());
    old.swap(m_entries);
    for (const Entry& entry : old)
      if (entry.slot != k_none) put(entry);
  }

  std::vector<Entry> m_entries;  // a power of two of them
  std::size_t m_size = 0;
};

}  // namespace lhsm::plan
