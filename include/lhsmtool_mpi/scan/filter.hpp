// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which files a scan keeps, in the words of lfs find. Conditions are joined by "and". Pure code but for the look-up of
// users and groups.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/scan/row.hpp"

namespace lhsm::scan {

enum class Relation { equal, more, less };

/// [+-]N with a unit: as find and lfs find compare, in whole units.
struct Comparison {
  Relation relation = Relation::equal;
  std::uint64_t count = 0;  ///< units
  std::uint64_t unit = 1;   ///< bytes, seconds

  /// Return whether it holds for so many whole units.
  [[nodiscard]] bool holds(std::uint64_t units) const;
};

/// Read [+-]N[kMGTP]: bytes, or powers of 1024. `invalid` otherwise.
[[nodiscard]] Outcome<Comparison> parse_size_condition(std::string_view text);
/// Read [+-]N[smhdwy]: days where there is no unit, a year has 365 of them. `invalid` otherwise.
[[nodiscard]] Outcome<Comparison> parse_age_condition(std::string_view text);

/// Some numbers of which one must be that of the file, and some of which none may be.
class NumberSet {
 public:
  void add(std::uint32_t number, bool negated) { (negated ? m_forbidden : m_wanted).push_back(number); }
  [[nodiscard]] bool holds(std::uint32_t number) const;
  [[nodiscard]] bool empty() const { return m_wanted.empty() && m_forbidden.empty(); }

 private:
  std::vector<std::uint32_t> m_wanted;
  std::vector<std::uint32_t> m_forbidden;
};

/// A word of --state, '!' before it negates: released, archived, exists, dirty, lost, norelease, noarchive, none.
struct StateCondition {
  std::uint32_t bits = 0;  ///< 0: none at all
  bool negated = false;

  [[nodiscard]] bool holds(std::uint32_t state) const {
    return (bits == 0 ? state == 0 : (state & bits) != 0) != negated;
  }
};
[[nodiscard]] Outcome<StateCondition> parse_state(std::string_view text);

/// A user or group by name or number, '!' before it negates.
[[nodiscard]] Outcome<void> add_user(NumberSet& users, const std::string& text);
[[nodiscard]] Outcome<void> add_group(NumberSet& groups, const std::string& text);
[[nodiscard]] Outcome<void> add_number(NumberSet& numbers, const std::string& text);

struct Filter {
  std::vector<Comparison> sizes;
  std::vector<Comparison> ages;
  NumberSet users;
  NumberSet groups;
  NumberSet projects;
  NumberSet archives;
  std::vector<StateCondition> states;
  std::vector<std::string> name_globs;  ///< of the last part of the path; one must match
  std::vector<std::string> path_globs;  ///< of the path below the mount point; '*' matches '/', too; one must match
  std::int64_t now_ns = 0;              ///< that ages are counted from

  /// Whether a path may be one of those kept, before anything else is known.
  [[nodiscard]] bool keeps_path(const std::string& path) const;
  [[nodiscard]] bool keeps(const Row& row) const;
  /// Whether nothing is kept that is not released.
  [[nodiscard]] bool wants_released() const;
};

}  // namespace lhsm::scan
