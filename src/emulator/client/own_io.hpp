// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace lhsm::emulator {

/// While one lives, this thread's file accesses are the emulator's own: the library's interposed calls
/// leave them alone. Without it the library would wait for itself.
class OwnIo {
 public:
  OwnIo() : m_before(t_is_own) { t_is_own = true; }
  ~OwnIo() { t_is_own = m_before; }
  OwnIo(const OwnIo&) = delete;
  OwnIo& operator=(const OwnIo&) = delete;

  [[nodiscard]] static bool is_active() { return t_is_own; }

 private:
  static inline thread_local bool t_is_own = false;
  bool m_before;
};

}  // namespace lhsm::emulator
