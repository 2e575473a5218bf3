// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a `struct llapi_layout *` points at: a layout as programs build and read it, component by
// component, with values that mean "default". The functions on it return -1 and set errno.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/mount.hpp"
#include "core/layout.hpp"

#define LHSM_LAYOUT_EXPORT extern "C" __attribute__((visibility("default")))

namespace lhsm::emulator {

inline constexpr std::uint64_t k_layout_invalid = 0x1000000000000001ULL;
inline constexpr std::uint64_t k_layout_default = k_layout_invalid + 1;
inline constexpr std::uint64_t k_layout_wide_min = k_layout_default + 1;  ///< on all OSTs, once
inline constexpr std::uint64_t k_layout_wide_max = k_layout_default + 32;
inline constexpr std::uint64_t k_layout_raid0 = 0;
inline constexpr std::uint64_t k_layout_mdt = 2;
inline constexpr std::uint64_t k_layout_overstriping = 4;
inline constexpr std::uint64_t k_layout_foreign = 8;
inline constexpr std::uint64_t k_layout_specific = 0x2000000000000000ULL;
inline constexpr std::uint64_t k_no_index = 0xffffffff;
inline constexpr std::uint64_t k_most_stripes = 2000;
inline constexpr int k_layout_get_expected = 1;
inline constexpr int k_layout_get_check = 4;
inline constexpr std::uint64_t k_extension_unit = 1024;  ///< of an extension component's size

struct LayoutPart {
  std::uint64_t pattern = k_layout_default;
  std::uint64_t stripe_size = k_layout_default;
  std::uint64_t stripe_count = k_layout_default;
  std::uint64_t stripe_offset = k_layout_default;
  std::string pool;
  std::vector<std::uint32_t> osts;
  std::uint64_t start = 0;
  std::uint64_t end = CompositeEntry::k_eof;
  std::uint32_t id = 0;
  std::uint32_t flags = 0;
  std::uint64_t timestamp = 0;
  std::string foreign;
  bool is_on_disk = false;  ///< read from a file, not made by the program

  [[nodiscard]] bool is_extension() const { return (flags & CompositeEntry::k_extension) != 0; }
  [[nodiscard]] bool is_mdt() const;
};

}  // namespace lhsm::emulator

struct llapi_layout {
  static constexpr std::uint32_t k_magic = 0x11AD1107;
  static constexpr std::size_t k_none = ~std::size_t{0};

  std::uint32_t magic = k_magic;
  std::uint32_t generation = 0;
  std::uint32_t flags = 0;
  bool is_composite = false;
  std::uint16_t mirror_count = 1;
  std::size_t current = 0;  ///< component that the functions work on
  std::vector<lhsm::emulator::LayoutPart> parts;
};

namespace lhsm::emulator {

/// Return the current component, or nullptr with errno set.
[[nodiscard]] LayoutPart* current_part(llapi_layout* layout);
[[nodiscard]] const LayoutPart* current_part(const llapi_layout* layout);

/// Return the bytes to set on a file. EINVAL.
Outcome<std::string> bytes_of(const llapi_layout& layout);

/// Set errno and return -1.
int layout_error(int sys_errno);

/// Return 0, or the number of the rule that the layout breaks, -1 with errno for others.
/// `pool_mount`: pools must exist there, if given.
int broken_rule(llapi_layout& layout, bool is_incomplete, bool has_mirrors, const Mount* pool_mount);

}  // namespace lhsm::emulator

extern "C" {
using llapi_layout_iter_cb = int (*)(llapi_layout* layout, void* data);
llapi_layout* llapi_layout_alloc();
void llapi_layout_free(llapi_layout* layout);
llapi_layout* llapi_layout_get_by_xattr(void* value, ssize_t size, int flags);
llapi_layout* llapi_layout_get_by_fd(int fd, int flags);
llapi_layout* llapi_layout_get_by_path(const char* path, int flags);
int llapi_layout_comp_iterate(llapi_layout* layout, llapi_layout_iter_cb callback, void* data);
int llapi_layout_ost_index_set(llapi_layout* layout, int stripe, std::uint64_t ost);
void llapi_layout_sanity_perror(int error);
}
