// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/lustre/action_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "lhsmtool_mpi/lustre/abi.hpp"

namespace lhsm::lustre {

namespace {

constexpr std::size_t round_up_8(std::size_t n) { return (n + 7) & ~std::size_t{7}; }

Fid to_fid(const abi::lu_fid& fid) { return {fid.f_seq, fid.f_oid, fid.f_ver}; }

/// Read on in `list` from `bytes`; return what is wrong with the rest of them, or nothing.
std::string read_list(std::span<const std::byte>& bytes, ActionList& list) {
  abi::hsm_action_list header{};
  if (bytes.size() < sizeof header) return "header cut short";
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.hal_version != abi::HAL_VERSION) return fmt::format("version {}", std::uint32_t{header.hal_version});

  const auto name = bytes.subspan(sizeof header);
  const void* const nul = name.empty() ? nullptr : std::memchr(name.data(), 0, name.size());
  if (nul == nullptr) return "fsname without an end";
  const std::string_view fsname(reinterpret_cast<const char*>(name.data()));
  const std::size_t name_bytes = round_up_8(fsname.size() + 1);
  if (name_bytes > name.size()) return "fsname cut short";
  list.fsname = fsname;
  bytes = name.subspan(name_bytes);

  // hal_count is not trusted for a reservation: each item is seen before it is counted.
  for (std::uint32_t i = 0; i < header.hal_count; ++i) {
    abi::hsm_action_item hai{};
    if (bytes.size() < sizeof hai) return fmt::format("item {} of {} cut short", i, std::uint32_t{header.hal_count});
    std::memcpy(&hai, bytes.data(), sizeof hai);
    const std::size_t length = hai.hai_len;
    if (length < sizeof hai || length > bytes.size()) return fmt::format("item {} of length {}", i, length);
    ActionItem& item = list.items.emplace_back();
    item.kind = static_cast<ActionKind>(std::uint32_t{hai.hai_action});
    item.fid = to_fid(hai.hai_fid);
    item.dfid = to_fid(hai.hai_dfid);
    item.extent = {hai.hai_extent.offset, hai.hai_extent.length};
    item.cookie = hai.hai_cookie;
    item.gid = hai.hai_gid;
    item.list_flags = header.hal_flags;
    item.archive_id = header.hal_archive_id;
    item.data.assign(reinterpret_cast<const char*>(bytes.data()) + sizeof hai, length - sizeof hai);
    bytes = bytes.subspan(std::min(round_up_8(length), bytes.size()));
  }
  return {};
}

}  // namespace

ActionList parse_action_list(std::span<const std::byte> bytes) {
  ActionList list;
  list.damage = read_list(bytes, list);
  if (!list.damage.empty()) list.unread_bytes = bytes.size();
  return list;
}

}  // namespace lhsm::lustre
