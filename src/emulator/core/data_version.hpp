// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/stat.h>

#include <cstdint>

namespace lhsm::emulator {

/// Return a number that changes when a file's content does, never 0: made of modification time and
/// size, which is what an ordinary file system tells of a change.
[[nodiscard]] inline std::uint64_t data_version(const struct stat& st) {
  auto mix = [](std::uint64_t value) {
    value = (value ^ (value >> 31U)) * 0x7fb5d329728ea185ULL;
    value = (value ^ (value >> 27U)) * 0x81dadef4bc2dd44dULL;
    return value ^ (value >> 33U);
  };
  const auto seconds = static_cast<std::uint64_t>(st.st_mtim.tv_sec);
  const auto nanoseconds = static_cast<std::uint64_t>(st.st_mtim.tv_nsec);
  const auto version = mix(mix(seconds * 1'000'000'000ULL + nanoseconds) + static_cast<std::uint64_t>(st.st_size));
  return version == 0 ? 1 : version;
}

}  // namespace lhsm::emulator
