// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm {

inline constexpr std::uint64_t k_KiB = 1024;
inline constexpr std::uint64_t k_MiB = 1024 * k_KiB;
inline constexpr std::uint64_t k_GiB = 1024 * k_MiB;

/// Read a size in bytes: a number with an optional fraction and one of K, M, G, T, P (powers of
/// 1024), each also as "KB", "KiB"; a bare number counts `bare_unit` bytes. `invalid` otherwise.
[[nodiscard]] Outcome<std::uint64_t> parse_size(std::string_view text, std::uint64_t bare_unit = 1);

/// Return bytes for people: "0 B", "999 B", "1.5 KiB", "12 MiB", "3.2 GiB".
[[nodiscard]] std::string format_size(std::uint64_t bytes);

/// Return whole seconds for people: "59s", "3m12s", "2h05m", "3d04h".
[[nodiscard]] std::string format_duration(std::uint64_t seconds);
/// Return the same of a time that is still to come: rounded up, or "centuries".
[[nodiscard]] std::string format_estimate(double seconds);

}  // namespace lhsm
