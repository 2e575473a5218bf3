// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ordered_rows.hpp"

#include <unistd.h>

#include <algorithm>

namespace lhsm::bulk {

namespace {

constexpr std::size_t k_read_ahead = std::size_t{4} << 20;   // bytes, of all groups that take turns
constexpr std::size_t k_most_bytes = std::size_t{256} << 10;  // of one
constexpr std::size_t k_least_bytes = 4096;
constexpr std::size_t k_longest_row = 65536;  // with its path

}  // namespace

OrderedRows::OrderedRows(SortedRows rows, GroupPolicy policy)
    : m_rows(std::move(rows)), m_policy(std::move(policy)), m_unread(m_rows.sections.size()), m_turn(m_groups.end()) {
  m_policy.at_once = std::max<std::size_t>(m_policy.at_once, 1);
}

std::uint32_t OrderedRows::weight_of(std::uint32_t group) const {
  return m_policy.weight ? std::max(m_policy.weight(group), 1U) : 1;
}

/// Let groups in as far as there is room, and those that are done out.
void OrderedRows::admit() {
  for (auto at = m_groups.begin(); at != m_groups.end();) {
    const bool is_done = !at->second.has_more() && (!m_policy.until_final || at->second.open == 0);
    if (is_done && m_turn == at) ++m_turn;
    at = is_done ? m_groups.erase(at) : std::next(at);
  }
  while (m_groups.size() < m_policy.at_once && m_next_section < m_rows.sections.size()) {
    const RowSection& section = m_rows.sections[m_next_section++];
    Group group;
    group.left = section;
    group.turn = weight_of(section.group);
    m_groups.emplace(section.group, std::move(group));
  }
  if (m_turn == m_groups.end()) m_turn = m_groups.begin();
}

/// It is the next group's turn.
void OrderedRows::go_on() {
  m_turn->second.turn = weight_of(m_turn->first);
  if (++m_turn == m_groups.end()) m_turn = m_groups.begin();
}

Outcome<std::optional<Row>> OrderedRows::next() {
  if (m_turn == m_groups.end() || !m_turn->second.has_more()) admit();
  for (std::size_t looks = m_groups.size(); looks > 0; --looks) {
    Group& group = m_turn->second;
    if (!group.has_more()) {
      go_on();
      continue;
    }
    LHSM_TRY_ASSIGN(const Row row, take(group));
    ++group.open;
    if (!group.has_more()) --m_unread;
    if (--group.turn == 0) go_on();
    return row;
  }
  return std::nullopt;
}

Outcome<Row> OrderedRows::take(Group& group) {
  for (;;) {
    std::string_view bytes = std::string_view(group.bytes).substr(group.at);
    if (const auto row = take_row(bytes)) {
      group.at = group.bytes.size() - bytes.size();
      return *row;
    }
    const std::size_t share = std::clamp(k_read_ahead / std::max<std::size_t>(m_groups.size(), 1), k_least_bytes, k_most_bytes);
    const std::size_t kept = bytes.size();
    const std::uint64_t want =
        std::min<std::uint64_t>(group.left.end - group.left.begin, kept == 0 ? share : share + k_longest_row);
    if (want == 0) return failure(ErrorKind::corrupt, EIO, "read order beside", m_rows.path);
    std::string text(bytes);
    text.resize(kept + static_cast<std::size_t>(want));
    const ssize_t n = ::pread(*m_rows.file, text.data() + kept, static_cast<std::size_t>(want), static_cast<off_t>(group.left.begin));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read order beside", m_rows.path);
    if (n == 0) return failure(ErrorKind::corrupt, EIO, "read order beside", m_rows.path);
    text.resize(kept + static_cast<std::size_t>(n));
    group.left.begin += static_cast<std::uint64_t>(n);
    group.bytes = std::move(text);
    group.at = 0;
  }
}

void OrderedRows::over(const Row& row) {
  const auto group = m_groups.find(row.group);
  if (group == m_groups.end() || group->second.open == 0) return;
  --group->second.open;
  if (m_policy.until_final && group->second.open == 0 && !group->second.has_more()) admit();
}

}  // namespace lhsm::bulk
