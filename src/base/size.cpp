// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/size.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

namespace lhsm {

Outcome<std::uint64_t> parse_size(std::string_view text, std::uint64_t bare_unit) {
  const auto bad = [&] { return failure(ErrorKind::invalid, EINVAL, "parse size", text); };
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, ec] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (ec != std::errc{} || !std::isfinite(number) || number < 0) return bad();

  std::string suffix;
  for (const char* p = rest; p != end; ++p)
    suffix.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(*p))));
  if (suffix.ends_with("IB")) {
    suffix.resize(suffix.size() - 2);
    if (suffix.empty()) return bad();
  } else if (suffix.ends_with('B')) {
    suffix.pop_back();
    if (suffix.empty()) bare_unit = 1;
  }
  std::uint64_t unit = bare_unit;
  if (!suffix.empty()) {
    constexpr std::string_view k_units = "KMGTP";
    const auto power = k_units.find(suffix);
    if (suffix.size() != 1 || power == std::string_view::npos) return bad();
    unit = std::uint64_t{1} << (10 * (power + 1));
  }
  const double bytes = number * static_cast<double>(unit);
  if (bytes >= 0x1p63) return bad();
  // A whole number stays exact beyond 2^53.
  std::uint64_t whole = 0;
  const auto [whole_end, whole_ec] = std::from_chars(text.data(), end, whole);
  if (whole_ec == std::errc{} && whole_end == rest) return whole * unit;
  return static_cast<std::uint64_t>(std::llround(bytes));
}

std::string format_size(std::uint64_t bytes) {
  if (bytes < k_KiB) return fmt::format("{} B", bytes);
  constexpr std::array k_names = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024.0;
  std::size_t i = 0;
  for (; value >= 999.95 && i + 1 < k_names.size(); ++i) value /= 1024.0;
  return value < 9.95 ? fmt::format("{:.1f} {}", value, k_names.at(i)) : fmt::format("{:.0f} {}", value, k_names.at(i));
}

std::string format_duration(std::uint64_t seconds) {
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  if (seconds < 86400) return fmt::format("{}h{:02}m", seconds / 3600, seconds % 3600 / 60);
  return fmt::format("{}d{:02}h", seconds / 86400, seconds % 86400 / 3600);
}

std::string format_estimate(double seconds) {
  constexpr double k_too_long = 1e10;
  return seconds < k_too_long ? format_duration(static_cast<std::uint64_t>(std::ceil(std::max(seconds, 0.0)))) : "centuries";
}

}  // namespace lhsm
