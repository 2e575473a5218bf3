// SPDX-License-Identifier: LGPL-2.1-or-later
#include "deadline.hpp"

#include <charconv>
#include <cstdint>

namespace lhsm::cli {

namespace {

/// Farther than any walltime, and small enough to be added to.
constexpr std::int64_t k_most = std::int64_t{1} << 40U;

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > k_most) return std::nullopt;
  return value;
}

/// [DAYS-]HH:MM:SS in seconds; hours may be more than 23.
std::optional<std::int64_t> span(std::string_view text) {
  std::int64_t days = 0;
  if (const auto dash = text.find('-'); dash != std::string_view::npos) {
    const auto some = number(text.substr(0, dash));
    if (!some || *some > k_most / 86400) return std::nullopt;
    days = *some;
    text.remove_prefix(dash + 1);
  }
  const auto first = text.find(':');
  const auto second = text.find(':', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto hours = number(text.substr(0, first));
  const auto minutes = number(text.substr(first + 1, second - first - 1));
  const auto seconds = number(text.substr(second + 1));
  if (!hours || !minutes || !seconds || *hours > k_most / 3600 || *minutes > 59 || *seconds > 59) return std::nullopt;
  return days * 86400 + *hours * 3600 + *minutes * 60 + *seconds;
}

}  // namespace

Outcome<std::optional<WallTime>> parse_deadline(std::string_view text, WallTime now) {
  if (text == "none") return std::optional<WallTime>{};
  std::optional<std::int64_t> from_now;
  if (text.starts_with('+'))
    from_now = number(text.substr(1));
  else if (text.find(':') != std::string_view::npos)
    from_now = span(text);
  else if (const auto epoch = number(text))
    return WallTime(std::chrono::seconds(*epoch));
  if (!from_now) return failure(ErrorKind::invalid, EINVAL, "read the time", text);
  return now + std::chrono::seconds(*from_now);
}

std::optional<WallTime> scheduler_deadline(const std::function<const char*(const char*)>& variable) {
  const char* const end = variable("SLURM_JOB_END_TIME");
  if (end == nullptr) return std::nullopt;
  const auto seconds = number(end);
  if (!seconds || *seconds == 0) return std::nullopt;
  return WallTime(std::chrono::seconds(*seconds));
}

}  // namespace lhsm::cli
