// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::store {

/// An HDF5 identifier that is owned; move-only. Made of what a call returned: negative is none.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);
  Handle() = default;
  Handle(hid_t id, Close how) noexcept : m_id(id), m_close(how) {}
  Handle(Handle&& other) noexcept : m_id(std::exchange(other.m_id, -1)), m_close(other.m_close) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      reset();
      m_id = std::exchange(other.m_id, -1);
      m_close = other.m_close;
    }
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { reset(); }

  [[nodiscard]] explicit operator bool() const noexcept { return m_id >= 0; }
  [[nodiscard]] hid_t operator*() const noexcept { return m_id; }
  /// Return whether closing, which may write, went well.
  [[nodiscard]] bool close() noexcept { return m_id < 0 || m_close(std::exchange(m_id, -1)) >= 0; }
  /// Never close it. After a write has failed (a full disk) the library crashes when it closes what it could not write:
  /// such files are left open until the process ends.
  void abandon() noexcept { m_id = -1; }
  void reset() noexcept {
    if (m_id >= 0) m_close(std::exchange(m_id, -1));
  }

 private:
  hid_t m_id = -1;
  Close m_close = nullptr;
};

/// Keeps the library from printing its errors in this thread, and forgets those of before. One in each function of ours
/// that calls it.
class QuietHdf5 {
 public:
  QuietHdf5();
};

/// Return the innermost error of the first call that failed since QuietHdf5 as one of ours, with the errno if it tells
/// one; otherwise `corrupt`.
[[nodiscard]] Failure hdf5_error(const char* operation, const std::string& path);

/// Texts as attributes and as columns of variable length.
[[nodiscard]] Handle text_type();
[[nodiscard]] bool write_attribute(hid_t object, const char* name, hid_t type, const void* value);
[[nodiscard]] bool read_attribute(hid_t object, const char* name, hid_t type, void* value);
[[nodiscard]] bool write_text(hid_t object, const char* name, const std::string& text);
[[nodiscard]] bool read_text(hid_t object, const char* name, std::string& text);
/// A dataset of one dimension that never grows.
[[nodiscard]] bool write_array(hid_t parent, const char* name, hid_t type, std::size_t count, const void* values);
[[nodiscard]] bool read_array(hid_t parent, const char* name, hid_t type, std::size_t count, void* values);
[[nodiscard]] bool write_texts(hid_t parent, const char* name, const std::vector<std::string>& texts);
[[nodiscard]] bool read_texts(hid_t parent, const char* name, std::vector<std::string>& texts);
/// Return how long a dataset of one dimension is, or nothing below 0 for what is none.
[[nodiscard]] std::int64_t array_length(hid_t parent, const char* name);

}  // namespace lhsm::store
