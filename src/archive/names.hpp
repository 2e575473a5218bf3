// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The names in the tree.
//   object       <fid>
//   layout       <fid>.lov
//   digest       <fid>.digest            only where the archive has no xattrs
//   in making    <fid>_tmp.<unique>      and its .lov and .digest
//   predecessor  <fid>_old.<unique>      and its .lov and .digest
//   tables       .lhsmtool_mpi/…        of what is in the making (making_record.hpp)
//   unique       hex digits, '-', hex digits
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "lhsmtool_mpi/archive/posix_backend.hpp"

namespace lhsm::archive {

inline constexpr std::string_view k_layout_suffix = ".lov";
inline constexpr std::string_view k_digest_suffix = ".digest";
inline constexpr const char* k_digest_xattr = "user.lhsmtool_mpi.digest";
inline constexpr std::string_view k_making_infix = "_tmp.";
inline constexpr std::string_view k_old_infix = "_old.";

/// Return the directory of the object, relative to the root.
[[nodiscard]] std::string object_directory(TreeFormat format, const Fid& fid);

/// Return whether `token` is the name of an object of `fid` in the making, and nothing else: it came
/// over the wire.
[[nodiscard]] bool is_making_name(const Fid& fid, std::string_view token);

/// Return whether `path` can stand below a directory: not empty, no NUL, no empty, "." or ".." component.
[[nodiscard]] bool is_plain_path(std::string_view path);

/// Makes names that no other process on any host makes: 64 random bits and a counter. Any thread.
class UniqueNames {
 public:
  UniqueNames();
  [[nodiscard]] std::string next() { return name(next_number()); }
  /// The two halves of next(): a name is the process' part, '-', and a number that it has not used yet.
  [[nodiscard]] std::uint64_t next_number() { return m_count.fetch_add(1, std::memory_order_relaxed); }
  [[nodiscard]] std::string name(std::uint64_t number) const;
  /// Return the process' part, 16 hex digits.
  [[nodiscard]] std::string process() const;

 private:
  std::uint64_t m_process;
  std::atomic<std::uint64_t> m_count{0};
};

}  // namespace lhsm::archive
