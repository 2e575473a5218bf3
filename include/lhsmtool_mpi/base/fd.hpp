// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <unistd.h>

#include <cassert>
#include <string_view>
#include <utility>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm {

/// A file descriptor that is owned; move-only. The destructor closes and ignores the result: where
/// close can lose data, call close() or fsync first.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) noexcept : m_fd(fd) {}
  Fd(Fd&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      m_fd = std::exchange(other.m_fd, -1);
    }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  [[nodiscard]] explicit operator bool() const noexcept { return m_fd >= 0; }
  [[nodiscard]] int operator*() const noexcept {
    assert(m_fd >= 0);
    return m_fd;
  }
  [[nodiscard]] int release() noexcept { return std::exchange(m_fd, -1); }

  void reset() noexcept {
    if (m_fd >= 0) ::close(std::exchange(m_fd, -1));
  }

  /// Close and return what close(2) said; the descriptor is gone in any case.
  Status close(std::string_view subject) {
    if (m_fd >= 0 && ::close(std::exchange(m_fd, -1)) != 0) return errno_error("close", subject);
    return {};
  }

 private:
  int m_fd = -1;
};

}  // namespace lhsm
