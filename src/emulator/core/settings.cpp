// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/settings.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <utility>

#include "core/record.hpp"

namespace lhsm::emulator {
namespace {

using NumberField = std::uint64_t Settings::*;
constexpr std::array<std::pair<std::string_view, NumberField>, 5> k_numbers{{
    {"max_requests", &Settings::max_requests},
    {"loop_period", &Settings::loop_period},
    {"grace_delay", &Settings::grace_delay},
    {"active_request_timeout", &Settings::active_request_timeout},
    {"default_archive_id", &Settings::default_archive_id},
}};
constexpr std::array<std::pair<std::string_view, NumberField>, 3> k_masks{{
    {"user_request_mask", &Settings::user_request_mask},
    {"group_request_mask", &Settings::group_request_mask},
    {"other_request_mask", &Settings::other_request_mask},
}};
constexpr std::array<std::uint32_t, 4> k_actions{abi::HSMA_ARCHIVE, abi::HSMA_RESTORE, abi::HSMA_REMOVE,
                                                 abi::HSMA_CANCEL};

struct PolicyWord {
  std::string_view shorthand;
  std::string_view name;
  std::uint32_t bit;
};
constexpr std::array<PolicyWord, 2> k_policies{{
    {"NBR", "NonBlockingRestore", POLICY_NON_BLOCKING_RESTORE},
    {"NRA", "NoRetryAction", POLICY_NO_RETRY_ACTION},
}};

std::string_view next_word(std::string_view& text) {
  const auto begin = text.find_first_not_of(" \t\n");
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin);
  const auto word = text.substr(0, text.find_first_of(" \t\n"));
  text.remove_prefix(word.size());
  return word;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  const auto word = next_word(text);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size() || word.empty()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> parse_mask(std::string_view text) {
  std::uint64_t mask = 0;
  for (auto word = next_word(text); !word.empty(); word = next_word(text)) {
    bool known = false;
    for (const auto action : k_actions)
      if (word == action_name(action)) {
        mask |= std::uint64_t{1} << action;
        known = true;
      }
    if (!known) return std::nullopt;
  }
  return mask;
}

/// "+NBR", "-NRA", "NRA NBR": a sign changes one word, words without sign replace the whole.
std::optional<std::uint32_t> parse_policy(std::string_view text, std::uint32_t policy) {
  bool replaced = false;
  for (auto word = next_word(text); !word.empty(); word = next_word(text)) {
    const char sign = word.front();
    if (sign == '+' || sign == '-') word.remove_prefix(1);
    std::uint32_t bit = 0;
    for (const auto& known : k_policies)
      if (word == known.shorthand || word == known.name) bit = known.bit;
    if (bit == 0) return std::nullopt;
    if (sign == '-') {
      policy &= ~bit;
    } else {
      if (sign != '+' && !std::exchange(replaced, true)) policy = 0;
      policy |= bit;
    }
  }
  return policy;
}

}  // namespace

int Settings::set(std::string_view name, std::string_view value) {
  for (const auto& [known, field] : k_numbers)
    if (name == known) {
      const auto number = parse_number(value);
      if (!number || *number == 0) return -EINVAL;
      this->*field = *number;
      return 0;
    }
  for (const auto& [known, field] : k_masks)
    if (name == known) {
      const auto mask = parse_mask(value);
      if (!mask) return -EINVAL;
      this->*field = *mask;
      return 0;
    }
  if (name == "policy") {
    const auto words = parse_policy(value, policy);
    if (!words) return -EINVAL;
    policy = *words;
    return 0;
  }
  if (name == "remove_archive_on_last_unlink") {
    const auto number = parse_number(value);
    if (!number || *number > 1) return -EINVAL;
    remove_archive_on_last_unlink = *number != 0;
    return 0;
  }
  return -ENOENT;
}

bool Settings::get(std::string_view name, std::string& text) const {
  for (const auto& [known, field] : k_numbers)
    if (name == known) {
      text = std::to_string(this->*field) + "\n";
      return true;
    }
  for (const auto& [known, field] : k_masks)
    if (name == known) {
      text.clear();
      for (const auto action : k_actions)
        if ((this->*field >> action) & 1U) text.append(text.empty() ? "" : " ").append(action_name(action));
      text += "\n";
      return true;
    }
  if (name == "policy") {
    text.clear();
    for (const auto& known : k_policies) {
      const bool is_set = (policy & known.bit) != 0;
      text.append(text.empty() ? "" : " ").append(is_set ? "[" : "").append(known.name).append(is_set ? "]" : "");
    }
    text += "\n";
    return true;
  }
  if (name == "remove_archive_on_last_unlink") {
    text = remove_archive_on_last_unlink ? "1\n" : "0\n";
    return true;
  }
  return false;
}

void Settings::reset_at_start() {
  const Settings fresh;
  policy = fresh.policy;
  user_request_mask = fresh.user_request_mask;
  group_request_mask = fresh.group_request_mask;
  other_request_mask = fresh.other_request_mask;
}

}  // namespace lhsm::emulator
