// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <utility>

namespace lhsm::plan {

/// Cancels whose action is not here (yet): a CANCEL may stand before its target in a list, or come by
/// another one. Most are of actions that ended long ago, so they are kept for two rounds only, and only
/// the last few thousand.
class EarlyCancels {
 public:
  void remember(std::int32_t mdt_index, std::uint64_t cookie) {
    const Key key{mdt_index, cookie};
    m_rounds[key] = m_round;
    m_order.emplace_back(key, m_round);
    while (m_order.size() > k_most) forget_first();
  }
  /// Whether the action was cancelled before it came; forgotten with that.
  [[nodiscard]] bool take(std::int32_t mdt_index, std::uint64_t cookie) {
    return m_rounds.erase(Key{mdt_index, cookie}) > 0;
  }
  void next_round() {
    ++m_round;
    while (!m_order.empty() && m_order.front().second + 2 <= m_round) forget_first();
  }

 private:
  using Key = std::pair<std::int32_t, std::uint64_t>;
  static constexpr std::size_t k_most = 4096;

  void forget_first() {
    // Remembered again later, it stays.
    const auto [key, round] = m_order.front();
    if (const auto it = m_rounds.find(key); it != m_rounds.end() && it->second == round) m_rounds.erase(it);
    m_order.pop_front();
  }

  std::uint64_t m_round = 0;
  std::map<Key, std::uint64_t> m_rounds;
  std::deque<std::pair<Key, std::uint64_t>> m_order;
};

}  // namespace lhsm::plan
