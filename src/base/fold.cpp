// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/fold.hpp"

namespace lhsm {

bool Fold::admit(std::string_view kind, std::string_view line) {
  // Kinds that come when no line is left share one count, so that the table stays as short as the log.
  const bool is_full = m_admitted >= k_of_all;
  auto known = m_kinds.find(kind);
  if (known == m_kinds.end()) known = m_kinds.try_emplace(is_full ? std::string() : std::string(kind)).first;
  Count& count = known->second;
  if (is_full || count.admitted >= k_of_a_kind) {
    ++count.folded;
    count.last = line;
    return false;
  }
  ++count.admitted;
  ++m_admitted;
  return true;
}

std::vector<Fold::Folded> Fold::pass(TimePoint now) {
  if (now - m_window < k_window) return {};
  m_window = now;
  return close();
}

std::vector<Fold::Folded> Fold::close() {
  std::vector<Folded> all;
  for (auto& [kind, count] : m_kinds)
    if (count.folded > 0) all.push_back({kind, count.folded, std::move(count.last)});
  m_kinds.clear();
  m_admitted = 0;
  return all;
}

}  // namespace lhsm
