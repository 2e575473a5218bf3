// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/copy/direct_mode.hpp"

#include <fcntl.h>

#include <bit>
#include <tuple>

namespace lhsm::copy {

DirectMode::~DirectMode() {
  if (m_changed) std::ignore = ::fcntl(m_fd, F_SETFL, m_flags);  // nothing depends on it
}

std::size_t DirectMode::prepare(const void* address, std::uint64_t offset, std::size_t length) {
  if (!m_wanted) return length;
  constexpr std::uint64_t k_mask = k_direct_alignment - 1;
  const bool aligned = ((std::bit_cast<std::uintptr_t>(address) | offset) & k_mask) == 0;
  const std::size_t whole = aligned ? length & ~std::size_t{k_mask} : 0;
  if (!set(whole != 0)) m_wanted = false;
  return m_on && whole != 0 ? whole : length;
}

bool DirectMode::refused() {
  if (!m_on) return false;
  m_wanted = false;
  return set(false);
}

bool DirectMode::set(bool on) {
  if (m_flags < 0) {
    m_flags = ::fcntl(m_fd, F_GETFL);
    if (m_flags < 0) return false;
    m_on = (m_flags & O_DIRECT) != 0;
  }
  if (on == m_on) return true;
  if (::fcntl(m_fd, F_SETFL, on ? m_flags | O_DIRECT : m_flags & ~O_DIRECT) != 0) return false;
  m_on = on;
  m_changed = true;
  return true;
}

}  // namespace lhsm::copy
