// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Messages between the library and the daemon, over a SOCK_SEQPACKET socket of one machine: native
// byte order, no alignment, strings with a 32-bit length. A request is an Op and its arguments, a
// reply an int32 (0 or more, or a negative errno) and its results. One request at a time per
// connection. A Reader of a bad message yields zeros and ok() == false; it never throws.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::emulator {

inline constexpr std::uint32_t k_protocol = 2;
inline constexpr std::size_t k_message_max = 64 * 1024;  ///< longer results go through a memfd

enum class Op : std::uint16_t {
  hello = 1,         // u32 protocol, str uuid -> str fsname, u32 mdt count
  fid_of,            // i32 mdt or -1, [fd] -> fid
  open_fid,          // fid, u8 wants descriptor -> str file handle (type, bytes), or "" and [fd, O_PATH]
  path_of,           // fid, u32 link number -> str, u32 next link, the same number when there is none
  volatile_fids,     // u32 mdt, u32 how many -> fid of the first, u32 how many; their oids follow one another
  request,           // bytes of hsm_user_request
  state_get,         // fid -> u32 flags, u32 archive id
  state_set,         // fid, u64 set, u64 clear, u32 archive id
  current_action,    // fid -> u32 action, u32 state, u64 offset, u64 length
  copy_start,        // bytes of hsm_copy -> u64 data version
  progress,          // bytes of hsm_progress
  copy_end,          // bytes of hsm_copy
  register_agent,    // i32 pid, u32 count, u32 ids..., [fd of the pipe]
  unregister_agent,  // i32 pid
  release,           // fid -> 1: released already; 0: flagged, now drop the data
  import_file,       // fid, u32 archive id
  set_data_version,  // fid, u64
  get_param,         // str pattern -> [fd of a memfd: per name str "name", str "text"]
  set_param,         // str pattern, str value -> str names that were set, one a line
  status,            // -> str (JSON)
  wait_restore,      // fid -> answered when no restore of the file is registered
  restart_mdt,       // u32 mdt
  released_of,       // [fd] -> u8 is released, fid; gives no FID to a file that has none
  last_unlink,       // [fd, O_PATH] of a file that has no name any more
  kill_client,       // str who, str uuid of the node of that name, u8 really -> u32 count, i32 pids...
  evict_client,      // str who, str uuid of the node of that name -> str uuid, u32 volatiles lost, u32 files dirty
  group_lock,        // u64 group, u8 does not wait, [fd]
  group_unlock,      // u64 group, u8 ignored, [fd]
};

class Writer {
 public:
  template <class T>
  requires std::is_arithmetic_v<T> || std::is_enum_v<T> Writer& put(T value) {
    m_bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Writer& put(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    m_bytes.append(text);
    return *this;
  }
  Writer& put(const Fid& fid) { return put(fid.seq).put(fid.oid).put(fid.ver); }
  /// Append a structure of the ABI as it stands in memory.
  template <class T>
  Writer& put_struct(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    return put(std::string_view(reinterpret_cast<const char*>(&value), sizeof value));
  }
  [[nodiscard]] const std::string& bytes() const { return m_bytes; }

 private:
  std::string m_bytes;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : m_left(bytes) {}

  template <class T>
  T get() {
    if constexpr (std::is_same_v<T, Fid>) {
      Fid fid;
      fid.seq = get<std::uint64_t>();
      fid.oid = get<std::uint32_t>();
      fid.ver = get<std::uint32_t>();
      return fid;
    } else {
      T value{};
      if (take(sizeof value)) std::memcpy(&value, m_taken.data(), sizeof value);
      return value;
    }
  }
  std::string_view get_text() {
    const auto size = get<std::uint32_t>();
    return m_ok && take(size) ? m_taken : std::string_view{};
  }
  template <class T>
  T get_struct() {
    T value{};
    const auto bytes = get_text();
    if (bytes.size() == sizeof value)
      std::memcpy(static_cast<void*>(&value), bytes.data(), sizeof value);
    else
      m_ok = false;
    return value;
  }
  [[nodiscard]] bool ok() const { return m_ok; }
  [[nodiscard]] bool at_end() const { return m_left.empty(); }

 private:
  bool take(std::size_t size) {
    m_ok = m_ok && size <= m_left.size();
    if (!m_ok) return false;
    m_taken = m_left.substr(0, size);
    m_left.remove_prefix(size);
    return true;
  }

  std::string_view m_left;
  std::string_view m_taken;
  bool m_ok = true;
};

}  // namespace lhsm::emulator
