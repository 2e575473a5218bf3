// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>

namespace lhsm::copy {

/// Whether to go round the page cache (O_DIRECT). A tail that is not aligned, and file systems that
/// refuse, go through the cache.
enum class Direct { no, yes };

/// What memory, offset and length must be multiples of for O_DIRECT: the page size serves every
/// file system and device.
inline constexpr std::size_t k_direct_alignment = 4096;

/// O_DIRECT of a borrowed descriptor: on at the first access that is aligned, off for those that are
/// not, and as it was found when this object goes. Costs nothing with Direct::no. One thread.
class DirectMode {
 public:
  DirectMode(int fd, Direct wanted) : m_fd(fd), m_wanted(wanted == Direct::yes) {}
  ~DirectMode();
  DirectMode(const DirectMode&) = delete;
  DirectMode& operator=(const DirectMode&) = delete;

  /// Switch as the next access needs it. Return how many of its `length` bytes one call may take.
  [[nodiscard]] std::size_t prepare(const void* address, std::uint64_t offset, std::size_t length);

  /// Told that a call failed with EINVAL. Return whether it went directly, so that it is to be made
  /// again; from then on all accesses go through the cache.
  [[nodiscard]] bool refused();

  [[nodiscard]] bool active() const { return m_on; }

 private:
  [[nodiscard]] bool set(bool on);

  int m_fd;
  bool m_wanted;
  bool m_on = false;
  bool m_changed = false;
  int m_flags = -1;  // as found; -1 = not asked yet
};

}  // namespace lhsm::copy
