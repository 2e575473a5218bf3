// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/record.hpp"

namespace lhsm::emulator {

/// Records that will go to an agent in one message: all of one archive id, at most 5120 bytes.
class ActionList {
 public:
  ActionList(std::string_view fsname, const Record& first);

  [[nodiscard]] std::uint32_t archive_id() const { return m_archive_id; }
  [[nodiscard]] std::uint64_t flags() const { return m_flags; }
  [[nodiscard]] const std::vector<RecordId>& records() const { return m_records; }
  [[nodiscard]] bool has_room_for(const Record& record) const;
  void add(const Record& record);

  /// Take the last record out again; null when there is none.
  void drop_last(std::size_t its_data_length);

  static constexpr std::size_t k_max_bytes = abi::k_hal_sent_max;

 private:
  std::uint32_t m_archive_id;
  std::uint64_t m_flags;
  std::size_t m_bytes;
  std::vector<RecordId> m_records;
};

/// Return hsm_action_list with these items behind a kuc_hdr, as the kernel writes it into the pipe of
/// a copytool. The header's fields are the caller's to choose: archive id and flags.
[[nodiscard]] std::string encode_action_list(std::string_view fsname, std::uint32_t archive_id, std::uint64_t flags,
                                             const std::vector<const Record*>& items);

[[nodiscard]] abi::lu_fid to_abi(const Fid& fid);
[[nodiscard]] Fid from_abi(const abi::lu_fid& fid);

}  // namespace lhsm::emulator
