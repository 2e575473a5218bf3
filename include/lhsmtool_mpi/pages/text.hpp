// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Values as text for people and for programs. Pure code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace lhsm::pages {

/// Return a field of RFC 4180: quoted where it holds a comma, a quote or a line end. All bytes stay as they are.
[[nodiscard]] std::string csv_field(std::string_view text);

[[nodiscard]] bool is_utf8(std::string_view text);
/// Return text that can stand in HTML, in attributes, too: markup is escaped, control characters and what is no UTF-8
/// become U+FFFD.
[[nodiscard]] std::string html_text(std::string_view text);

/// Return nanoseconds since the epoch as "2026-11-22T12:00:00.123Z"; nothing for 0.
[[nodiscard]] std::string iso_time(std::int64_t ns);
/// The same to the second, for people: "2026-11-22 12:00:00 UTC".
[[nodiscard]] std::string plain_time(std::int64_t ns);

/// Return "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t number);
/// Return seconds with three digits or so: "0.4 ms", "12 ms", "1.5 s", "3m12s".
[[nodiscard]] std::string short_duration(double seconds);

}  // namespace lhsm::pages
