// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/scan/filter.hpp"

#include <fnmatch.h>
#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "lhsmtool_mpi/lustre/abi.hpp"

namespace lhsm::scan {

namespace {

Failure not_understood(std::string_view what, std::string_view text) {
  return failure(ErrorKind::invalid, EINVAL, what, text);
}

template <class T>
std::optional<T> whole_number(std::string_view text) {
  T value{};
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

struct Unit {
  char letter;
  std::uint64_t worth;
};

Outcome<Comparison> parse_comparison(std::string_view what, std::string_view text, const std::vector<Unit>& units,
                                     std::uint64_t usual_unit) {
  const std::string_view all = text;
  Comparison comparison;
  comparison.unit = usual_unit;
  if (text.starts_with('+') || text.starts_with('-')) {
    comparison.relation = text.front() == '+' ? Relation::more : Relation::less;
    text.remove_prefix(1);
  }
  for (const Unit& unit : units) {
    if (!text.ends_with(unit.letter)) continue;
    comparison.unit = unit.worth;
    text.remove_suffix(1);
    break;
  }
  const auto count = whole_number<std::uint64_t>(text);
  if (!count) return not_understood(what, all);
  comparison.count = *count;
  return comparison;
}

/// Take a leading '!' away.
bool take_negation(std::string& text) {
  if (!text.starts_with('!')) return false;
  text.erase(0, 1);
  return true;
}

template <class LookUp>
Status add_named(NumberSet& numbers, std::string text, std::string_view what, LookUp look_up) {
  const bool negated = take_negation(text);
  auto number = whole_number<std::uint32_t>(text);
  if (!number) number = look_up(text);
  if (!number) return not_understood(what, text);
  numbers.add(*number, negated);
  return {};
}

bool any_matches(const std::vector<std::string>& globs, const std::string& text) {
  return globs.empty() || std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
           return ::fnmatch(glob.c_str(), text.c_str(), 0) == 0;
         });
}

}  // namespace

bool Comparison::holds(std::uint64_t units) const {
  switch (relation) {
    case Relation::more: return units > count;
    case Relation::less: return units < count;
    default: return units == count;
  }
}

Outcome<Comparison> parse_size_condition(std::string_view text) {
  return parse_comparison("not a size such as +1M:", text,
                          {{'k', 1ULL << 10U}, {'K', 1ULL << 10U}, {'M', 1ULL << 20U}, {'G', 1ULL << 30U},
                           {'T', 1ULL << 40U}, {'P', 1ULL << 50U}, {'c', 1}},
                          1);
}

Outcome<Comparison> parse_age_condition(std::string_view text) {
  constexpr std::uint64_t k_day = 86400;
  return parse_comparison("not an age such as +30d:", text,
                          {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', k_day}, {'w', 7 * k_day}, {'y', 365 * k_day}}, k_day);
}

bool NumberSet::holds(std::uint32_t number) const {
  if (std::find(m_forbidden.begin(), m_forbidden.end(), number) != m_forbidden.end()) return false;
  return m_wanted.empty() || std::find(m_wanted.begin(), m_wanted.end(), number) != m_wanted.end();
}

Outcome<StateCondition> parse_state(std::string_view text) {
  struct Word {
    std::string_view text;
    std::uint32_t bits;
  };
  static constexpr std::array<Word, 8> k_words{{{"none", 0},
                                                {"exists", abi::HS_EXISTS},
                                                {"dirty", abi::HS_DIRTY},
                                                {"released", abi::HS_RELEASED},
                                                {"archived", abi::HS_ARCHIVED},
                                                {"norelease", abi::HS_NORELEASE},
                                                {"noarchive", abi::HS_NOARCHIVE},
                                                {"lost", abi::HS_LOST}}};
  std::string word(text);
  StateCondition condition;
  condition.negated = take_negation(word);
  const auto* const found = std::find_if(k_words.begin(), k_words.end(), [&](const Word& w) { return w.text == word; });
  if (found == k_words.end())
    return not_understood("not one of released, archived, exists, dirty, lost, norelease, noarchive, none:", text);
  condition.bits = found->bits;
  return condition;
}

Outcome<void> add_user(NumberSet& users, const std::string& text) {
  return add_named(users, text, "there is no user", [](const std::string& name) -> std::optional<std::uint32_t> {
    const passwd* const entry = ::getpwnam(name.c_str());  // before there are threads
    return entry != nullptr ? std::optional<std::uint32_t>(entry->pw_uid) : std::nullopt;
  });
}

Outcome<void> add_group(NumberSet& groups, const std::string& text) {
  return add_named(groups, text, "there is no group", [](const std::string& name) -> std::optional<std::uint32_t> {
    const group* const entry = ::getgrnam(name.c_str());
    return entry != nullptr ? std::optional<std::uint32_t>(entry->gr_gid) : std::nullopt;
  });
}

Outcome<void> add_number(NumberSet& numbers, const std::string& text) {
  return add_named(numbers, text, "not a number:",
                   [](const std::string&) -> std::optional<std::uint32_t> { return std::nullopt; });
}

bool Filter::keeps_path(const std::string& path) const {
  if (!name_globs.empty() && !any_matches(name_globs, path.substr(path.rfind('/') + 1))) return false;
  return any_matches(path_globs, path);
}

bool Filter::keeps(const Row& row) const {
  constexpr std::int64_t k_second = 1'000'000'000;
  const auto age = static_cast<std::uint64_t>(std::max<std::int64_t>(0, (now_ns - row.mtime_ns) / k_second));
  return std::all_of(sizes.begin(), sizes.end(),
                     // A begun unit counts.
                     [&](const Comparison& c) { return c.holds(row.size / c.unit + (row.size % c.unit != 0 ? 1 : 0)); }) &&
         std::all_of(ages.begin(), ages.end(), [&](const Comparison& c) { return c.holds(age / c.unit); }) &&
         std::all_of(states.begin(), states.end(), [&](const StateCondition& c) { return c.holds(row.hsm_state); }) &&
         users.holds(row.uid) && groups.holds(row.gid) && projects.holds(row.project_id) && archives.holds(row.archive_id);
}

bool Filter::wants_released() const {
  return std::any_of(states.begin(), states.end(),
                     [](const StateCondition& c) { return c.bits == abi::HS_RELEASED && !c.negated; });
}

}  // namespace lhsm::scan
