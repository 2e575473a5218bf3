// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/report/tally.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace lhsm::report {

namespace {

constexpr std::array k_seconds{0.01, 0.1, 1.0, 10.0, 60.0, 300.0, 1800.0, 3600.0, 14400.0, 86400.0};
constexpr std::array k_bytes{4096.0,       65536.0,       1048576.0,      16777216.0,     268435456.0,
                             1073741824.0, 17179869184.0, 274877906944.0, 1099511627776.0};
static_assert(std::max(k_seconds.size(), k_bytes.size()) <= Histogram::k_most_bounds);
constexpr std::size_t k_most_errors = 256;  // operations are few, but nobody counts them

}  // namespace

void Histogram::add(double value) {
  const auto bound = std::lower_bound(m_bounds.begin(), m_bounds.end(), value);
  if (bound != m_bounds.end()) ++m_in.at(static_cast<std::size_t>(bound - m_bounds.begin()));
  ++m_count;
  m_sum += value;
}

std::uint64_t Histogram::up_to(std::size_t i) const {
  std::uint64_t count = 0;
  for (std::size_t j = 0; j <= i; ++j) count += m_in.at(j);
  return count;
}

KindTally::KindTally() : seconds(k_seconds), bytes(k_bytes) {}

void Tally::ended(const ActionItem& item, const run::ActionOutcome& outcome) {
  const auto known = std::find(k_kinds.begin(), k_kinds.end(), item.kind);
  if (known == k_kinds.end()) return;  // refused, as nobody knows what it is
  KindTally& kind = kinds.at(static_cast<std::size_t>(known - k_kinds.begin()));
  if (!outcome.error) {
    ++kind.done;
    kind.seconds.add(std::chrono::duration<double>(outcome.age).count());
    if (item.kind != ActionKind::remove) kind.bytes.add(static_cast<double>(outcome.size));
    return;
  }
  if (outcome.put_back) {
    ++kind.put_back;
  } else if (outcome.error->kind == ErrorKind::cancelled) {
    ++kind.cancelled;
  } else {
    ++kind.failed;
    ++errnos[{item.kind, outcome.error->sys_errno}];
    std::string what = fmt::format("{}: {} ({})", to_string(item.kind), outcome.error->operation,
                                   errno_name(outcome.error->sys_errno));
    if (errors.size() >= k_most_errors && !errors.contains(what)) what = "others";
    ++errors[what];
  }
}

}  // namespace lhsm::report
