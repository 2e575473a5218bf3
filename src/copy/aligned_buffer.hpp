// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>

#include "lhsmtool_mpi/copy/direct_mode.hpp"

namespace lhsm::copy {

/// Memory fit for O_DIRECT, taken at the first use; a multiple of the alignment.
class AlignedBuffer {
 public:
  explicit AlignedBuffer(std::size_t bytes) : m_bytes(bytes) {}

  /// Return the whole buffer; empty when there is no memory.
  [[nodiscard]] std::span<std::byte> get() {
    if (!m_memory) m_memory.reset(static_cast<std::byte*>(std::aligned_alloc(k_direct_alignment, m_bytes)));
    return m_memory ? std::span(m_memory.get(), m_bytes) : std::span<std::byte>{};
  }

  /// Return the first `bytes` of a buffer that get() gave before.
  [[nodiscard]] std::span<const std::byte> first(std::size_t bytes) const { return {m_memory.get(), bytes}; }

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept { std::free(memory); }
  };
  std::size_t m_bytes;
  std::unique_ptr<std::byte, Free> m_memory;
};

}  // namespace lhsm::copy
