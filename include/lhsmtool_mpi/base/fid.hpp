// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace lhsm {

/// The identity of a Lustre file for all its life, whatever its names. The value type of our own;
/// lustre/abi.hpp has the packed one of the kernel.
struct Fid {
  std::uint64_t seq = 0;
  std::uint32_t oid = 0;
  std::uint32_t ver = 0;

  friend auto operator<=>(const Fid&, const Fid&) = default;

  /// Return "0x200000401:0x1:0x0", the form used in archive object names and under .lustre/fid.
  [[nodiscard]] std::string str() const;

  /// Return "[0x200000401:0x1:0x0]", the form of messages.
  [[nodiscard]] std::string bracketed() const;

  /// Read either form; the whole text must be one FID. Nothing when it is none.
  [[nodiscard]] static std::optional<Fid> parse(std::string_view text);
};

}  // namespace lhsm

template <>
struct std::hash<lhsm::Fid> {
  std::size_t operator()(const lhsm::Fid& fid) const noexcept {
    // oids run consecutively inside a sequence: multiply to spread them, shift to bring the spread down.
    std::uint64_t mixed = fid.seq ^ ((std::uint64_t{fid.oid} << 32U) | fid.ver);
    mixed = (mixed ^ (mixed >> 32U)) * 0x9e3779b97f4a7c15ULL;
    return static_cast<std::size_t>(mixed ^ (mixed >> 32U));
  }
};
