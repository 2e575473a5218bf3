// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/fid.hpp"

#include <fmt/format.h>

#include <charconv>

namespace lhsm {

namespace {

/// Read "0x<hex>" from the front of `text`; nothing when it is not there or does not fit T.
template <class T>
std::optional<T> take_hex(std::string_view& text) {
  if (!text.starts_with("0x") && !text.starts_with("0X")) return std::nullopt;
  text.remove_prefix(2);
  T value{};
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (ec != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::string Fid::str() const { return fmt::format("{:#x}:{:#x}:{:#x}", seq, oid, ver); }

std::string Fid::bracketed() const { return '[' + str() + ']'; }

std::optional<Fid> Fid::parse(std::string_view text) {
  const bool bracket = take(text, '[');
  const auto seq = take_hex<std::uint64_t>(text);
  if (!seq || !take(text, ':')) return std::nullopt;
  const auto oid = take_hex<std::uint32_t>(text);
  if (!oid || !take(text, ':')) return std::nullopt;
  const auto ver = take_hex<std::uint32_t>(text);
  if (!ver) return std::nullopt;
  if (bracket && !take(text, ']')) return std::nullopt;
  if (!text.empty()) return std::nullopt;
  return Fid{*seq, *oid, *ver};
}

}  // namespace lhsm
