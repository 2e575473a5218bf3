// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/action_list.hpp"

#include <cstring>

namespace lhsm::emulator {
namespace {

constexpr std::size_t round_up_8(std::size_t size) { return (size + 7) & ~std::size_t{7}; }

std::size_t item_bytes(std::size_t data_length) { return round_up_8(sizeof(abi::hsm_action_item) + data_length); }

std::size_t header_bytes(std::string_view fsname) {
  return sizeof(abi::hsm_action_list) + round_up_8(fsname.size() + 1);
}

template <class T>
void put(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

ActionList::ActionList(std::string_view fsname, const Record& first)
    : m_archive_id(first.archive_id), m_flags(first.flags), m_bytes(header_bytes(fsname)) {
  add(first);
}

bool ActionList::has_room_for(const Record& record) const {
  return m_bytes + item_bytes(record.data.size()) <= k_max_bytes;
}

void ActionList::add(const Record& record) {
  m_bytes += item_bytes(record.data.size());
  m_records.push_back(record.id);
}

void ActionList::drop_last(std::size_t its_data_length) {
  m_bytes -= item_bytes(its_data_length);
  m_records.pop_back();
}

std::string encode_action_list(std::string_view fsname, std::uint32_t archive_id, std::uint64_t flags,
                               const std::vector<const Record*>& items) {
  std::size_t size = sizeof(abi::kuc_hdr) + header_bytes(fsname);
  for (const auto* record : items) size += item_bytes(record->data.size());

  std::string out;
  out.reserve(size);
  abi::kuc_hdr kuc{};
  kuc.kuc_magic = abi::KUC_MAGIC;
  kuc.kuc_transport = abi::KUC_TRANSPORT_HSM;
  kuc.kuc_msgtype = abi::HMT_ACTION_LIST;
  kuc.kuc_msglen = static_cast<std::uint16_t>(size);
  put(out, kuc);
  abi::hsm_action_list list{};
  list.hal_version = abi::HAL_VERSION;
  list.hal_count = static_cast<std::uint32_t>(items.size());
  list.hal_flags = flags;
  list.hal_archive_id = archive_id;
  put(out, list);
  out.append(fsname);
  out.append(round_up_8(fsname.size() + 1) - fsname.size(), '\0');
  for (const auto* record : items) {
    abi::hsm_action_item item{};
    item.hai_len = static_cast<std::uint32_t>(sizeof item + record->data.size());
    item.hai_action = record->action;
    item.hai_fid = item.hai_dfid = to_abi(record->fid);
    item.hai_extent = record->extent;
    item.hai_cookie = record->cookie;
    put(out, item);
    out.append(record->data);
    out.append(item_bytes(record->data.size()) - item.hai_len, '\0');
  }
  return out;
}

abi::lu_fid to_abi(const Fid& fid) { return {fid.seq, fid.oid, fid.ver}; }
Fid from_abi(const abi::lu_fid& fid) { return {fid.f_seq, fid.f_oid, fid.f_ver}; }

}  // namespace lhsm::emulator
