// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/handle_table.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cstring>

namespace lhsm::emulator {
namespace {

constexpr const char* k_table = ".lustre/handles";
constexpr std::size_t k_slots = std::size_t{1} << 16U;  // a sparse file of 4 MiB

struct Slot {
  std::uint64_t seq = 0;
  std::uint32_t oid = 0;
  std::uint32_t size = 0;  ///< of the handle; 0: none
  std::array<char, 40> handle{};
  std::uint64_t check = 0;  ///< over all of the above: a read while it is written fits nothing
};
static_assert(sizeof(Slot) == 64);

std::uint64_t checksum(const Slot& slot) {
  const auto words = std::bit_cast<std::array<std::uint64_t, sizeof(Slot) / 8>>(slot);
  std::uint64_t sum = 0x9e3779b97f4a7c15ULL;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    sum = (sum ^ words[i]) * 0xff51afd7ed558ccdULL;
    sum ^= sum >> 32U;
  }
  return sum;
}

std::size_t slot_of(const Fid& fid) { return (fid.oid + fid.seq * 7919) % k_slots; }

off_t place_of(std::size_t slot) { return static_cast<off_t>(slot * sizeof(Slot)); }

}  // namespace

Outcome<HandleTable> HandleTable::create(int mount_fd) {
  HandleTable table;
  table.m_file = Fd(::openat(mount_fd, k_table, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!table.m_file) return errno_error("open", k_table);
  table.m_entered.resize(k_slots);
  return table;
}

void HandleTable::put(const Fid& fid, std::string_view handle) {
  const auto index = slot_of(fid);
  if (!m_file || handle.empty() || m_entered[index] == fid) return;
  Slot slot;
  if (handle.size() > slot.handle.size()) return;
  slot.seq = fid.seq;
  slot.oid = fid.oid;
  slot.size = static_cast<std::uint32_t>(handle.size());
  std::memcpy(slot.handle.data(), handle.data(), handle.size());
  slot.check = checksum(slot);
  // After a failure the old entry stands there still, or one that fits nothing.
  if (::pwrite(*m_file, &slot, sizeof slot, place_of(index)) == sizeof slot) m_entered[index] = fid;
}

void HandleTable::erase(const Fid& fid) {
  const auto index = slot_of(fid);
  if (!m_file || m_entered[index] != fid) return;
  const Slot empty;
  // A wrong entry must not stay: where even zeros cannot be written, all of them go.
  if (::pwrite(*m_file, &empty, sizeof empty, place_of(index)) == sizeof empty)
    m_entered[index] = {};
  else
    clear();
}

void HandleTable::clear() {
  if (!m_file) return;
  if (::ftruncate(*m_file, 0) != 0) m_file.reset();
  m_entered.assign(k_slots, {});
}

HandleTableReader HandleTableReader::open(int mount_fd) {
  HandleTableReader reader;
  reader.m_file = Fd(::openat(mount_fd, k_table, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  return reader;
}

std::string HandleTableReader::find(const Fid& fid) const {
  if (!m_file || fid.ver != 0) return {};
  Slot slot;
  if (::pread(*m_file, &slot, sizeof slot, place_of(slot_of(fid))) != sizeof slot) return {};
  if (slot.seq != fid.seq || slot.oid != fid.oid || slot.size > slot.handle.size() || slot.check != checksum(slot))
    return {};
  return {slot.handle.data(), slot.size};
}

}  // namespace lhsm::emulator
