// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/lustre/layout.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

namespace lhsm::lustre {

namespace {

// struct lov_user_md_v1/v3 and lov_comp_md_v1 of <linux/lustre/lustre_user.h>, little endian.
constexpr std::uint32_t k_magic_v1 = 0x0BD10BD0;
constexpr std::uint32_t k_magic_v3 = 0x0BD30BD0;
constexpr std::uint32_t k_magic_composite = 0x0BD60BD0;
constexpr std::size_t k_pattern_at = 4;
constexpr std::uint32_t k_raid0 = 1;
constexpr std::uint32_t k_released = 0x80000000;
constexpr std::uint32_t k_lost_objects = 0x40000000;  // LOV_PATTERN_F_HOLE
constexpr std::size_t k_stripe_size_at = 24;
constexpr std::size_t k_stripe_count_at = 28;
constexpr std::size_t k_stripe_offset_at = 30;
constexpr std::uint16_t k_any_ost = 0xffff;
constexpr std::size_t k_plain_bytes = 32;
constexpr std::size_t k_pool_at = 32;  // of v3
constexpr std::size_t k_pool_bytes = 16;
constexpr std::size_t k_entry_count_at = 14;
constexpr std::size_t k_composite_header_bytes = 32;
constexpr std::size_t k_entry_bytes = 48;
constexpr std::size_t k_entry_flags_at = 4;
constexpr std::uint32_t k_instantiated = 0x10;
constexpr std::size_t k_entry_lov_offset_at = 24;

template <class T>
std::optional<T> read(std::string_view bytes, std::size_t at) {
  if (at > bytes.size() || bytes.size() - at < sizeof(T)) return std::nullopt;
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

bool is_plain(std::string_view lov) {
  const auto magic = read<std::uint32_t>(lov, 0);
  return magic && (*magic == k_magic_v1 || *magic == k_magic_v3) && lov.size() >= k_plain_bytes;
}

/// Call `function` with the flags and the place of each plain component that can be read.
template <class Function>
void for_each_component(std::string_view lov, Function function) {
  if (read<std::uint32_t>(lov, 0) != k_magic_composite) return;
  const std::uint16_t entries = read<std::uint16_t>(lov, k_entry_count_at).value_or(0);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = k_composite_header_bytes + i * k_entry_bytes;
    const auto at = read<std::uint32_t>(lov, entry + k_entry_lov_offset_at);
    if (!at || *at >= lov.size()) break;
    if (is_plain(lov.substr(*at))) function(*read<std::uint32_t>(lov, entry + k_entry_flags_at), std::size_t{*at});
  }
}

}  // namespace

std::uint64_t stripe_size_of(std::string_view lov) {
  if (is_plain(lov)) return *read<std::uint32_t>(lov, k_stripe_size_at);
  std::uint64_t largest = 0;
  for_each_component(lov, [&](std::uint32_t, std::size_t at) {
    largest = std::max<std::uint64_t>(largest, *read<std::uint32_t>(lov, at + k_stripe_size_at));
  });
  return largest;
}

std::uint32_t stripe_count_of(std::string_view lov) {
  if (is_plain(lov)) return *read<std::uint16_t>(lov, k_stripe_count_at);
  std::uint32_t largest = 0;
  for_each_component(lov, [&](std::uint32_t, std::size_t at) {
    largest = std::max<std::uint32_t>(largest, *read<std::uint16_t>(lov, at + k_stripe_count_at));
  });
  return largest;
}

std::optional<bool> is_released(std::string_view lov) {
  const auto has_flag = [lov](std::size_t at) { return (*read<std::uint32_t>(lov, at + k_pattern_at) & k_released) != 0; };
  if (lov.empty()) return false;
  if (is_plain(lov)) return has_flag(0);
  bool is = false;
  std::size_t readable = 0;
  for_each_component(lov, [&](std::uint32_t, std::size_t at) {
    is = is || has_flag(at);
    ++readable;
  });
  const bool is_whole = readable != 0 && readable == read<std::uint16_t>(lov, k_entry_count_at);
  return is || is_whole ? std::optional(is) : std::nullopt;
}

bool has_lost_objects(std::string_view lov) {
  const auto has_flag = [lov](std::size_t at) { return (*read<std::uint32_t>(lov, at + k_pattern_at) & k_lost_objects) != 0; };
  if (is_plain(lov)) return has_flag(0);
  bool has = false;
  for_each_component(lov, [&](std::uint32_t, std::size_t at) { has = has || has_flag(at); });
  return has;
}

std::string default_layout() {
  std::string lov(k_plain_bytes, '\0');
  const auto put = [&lov](std::size_t at, auto value) { std::memcpy(lov.data() + at, &value, sizeof value); };
  put(0, k_magic_v1);
  put(k_pattern_at, k_raid0);
  put(k_stripe_offset_at, k_any_ost);
  return lov;
}

std::string layout_for_new_file(std::string lov) {
  const auto choose_anew = [&lov](std::size_t at) {
    std::memcpy(lov.data() + at + k_stripe_offset_at, &k_any_ost, sizeof k_any_ost);
  };
  const auto fill = [&lov](std::size_t at) {
    const std::uint32_t pattern = *read<std::uint32_t>(lov, at + k_pattern_at) & ~k_released;
    std::memcpy(lov.data() + at + k_pattern_at, &pattern, sizeof pattern);
  };
  if (is_plain(lov)) {
    choose_anew(0);
    fill(0);
  }
  for_each_component(lov, [&](std::uint32_t flags, std::size_t at) {
    fill(at);
    if ((flags & k_instantiated) != 0) choose_anew(at);
  });
  return lov;
}

std::string layout_without_pools(std::string lov) {
  const auto clear = [&lov](std::size_t at) {
    if (read<std::uint32_t>(lov, at) != k_magic_v3 || lov.size() - at < k_pool_at + k_pool_bytes) return;
    std::fill_n(lov.begin() + static_cast<std::ptrdiff_t>(at + k_pool_at), k_pool_bytes, '\0');
  };
  if (is_plain(lov)) clear(0);
  for_each_component(lov, [&](std::uint32_t, std::size_t at) { clear(at); });
  return lov;
}

}  // namespace lhsm::lustre
