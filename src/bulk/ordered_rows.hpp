// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "row_sorter.hpp"

namespace lhsm::bulk {

/// How groups share.
struct GroupPolicy {
  std::size_t at_once = 1;   ///< groups that take turns
  bool until_final = false;  ///< one that is read makes room only when its rows are final, too
  std::function<std::uint32_t(std::uint32_t group)> weight;  ///< rows of a group in one turn; empty: 1
};

/// Sorted rows, group by group in their order, some groups in turns. Memory: for each group that takes turns some rows.
class OrderedRows final : public RowSource {
 public:
  OrderedRows(SortedRows rows, GroupPolicy policy);

  [[nodiscard]] Outcome<std::optional<Row>> next() override;
  [[nodiscard]] bool is_exhausted() const override { return m_unread == 0; }
  void over(const Row& row) override;

 private:
  struct Group {
    RowSection left;          // not in memory yet
    std::string bytes;        // read
    std::size_t at = 0;       // in them
    std::uint64_t open = 0;   // rows that were returned and are not final
    std::uint32_t turn = 0;   // rows that are left of this turn

    [[nodiscard]] bool has_more() const { return at < bytes.size() || left.begin < left.end; }
  };

  void admit();
  void go_on();
  [[nodiscard]] std::uint32_t weight_of(std::uint32_t group) const;
  [[nodiscard]] Outcome<Row> take(Group& group);

  SortedRows m_rows;
  GroupPolicy m_policy;
  std::size_t m_next_section = 0;
  std::size_t m_unread = 0;           // groups with more rows
  std::map<std::uint32_t, Group> m_groups;  // that take turns
  std::map<std::uint32_t, Group>::iterator m_turn;
};

}  // namespace lhsm::bulk
