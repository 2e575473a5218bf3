// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Calls that may take a file's last name: the daemon is told, for hsm.remove_archive_on_last_unlink.
#undef _FORTIFY_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include <cstdio>

#include "client/daemon_link.hpp"
#include "client/emulated_devices.hpp"
#include "client/own_io.hpp"
#include "library/interpose_io.hpp"

using namespace lhsm;
using namespace lhsm::emulator;

namespace {

/// Hold on to what a name means while the name is taken from it.
class Departing {
 public:
  Departing(int directory, const char* path) noexcept {
    if (OwnIo::is_active() || path == nullptr) return;
    const int before = errno;
    struct stat st {};
    if (::fstatat(directory, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
        is_emulated_device(st.st_dev))
      m_file = Fd(static_cast<int>(::syscall(SYS_openat, directory, path, O_PATH | O_NOFOLLOW | O_CLOEXEC)));
    errno = before;
  }

  /// Tell the daemon if the file has no name left; return the result of the call that took it.
  int gone(int result) noexcept {
    if (result != 0 || !m_file) return result;
    const int before = errno;
    const OwnIo own;
    struct stat st {};
    if (::fstat(*m_file, &st) == 0 && st.st_nlink == 0)
      if (const Mount* mount = find_mount(*m_file)) {
        Writer message;
        message.put(Op::last_unlink);
        std::ignore = DaemonLink(*mount).ask(message, *m_file);  // without a daemon nothing is removed
      }
    m_file.reset();
    errno = before;
    return result;
  }

 private:
  Fd m_file;
};

int unlink_at(int directory, const char* path, int flags) noexcept {
  const auto kernel = [=] { return static_cast<int>(::syscall(SYS_unlinkat, directory, path, flags)); };
  if ((flags & AT_REMOVEDIR) != 0) return kernel();
  Departing file(directory, path);
  return file.gone(kernel());
}

int rename_at(int from_directory, const char* from, int to_directory, const char* to, unsigned flags) noexcept {
  Departing replaced(to_directory, (flags & RENAME_EXCHANGE) != 0 ? nullptr : to);
  return replaced.gone(static_cast<int>(::syscall(SYS_renameat2, from_directory, from, to_directory, to, flags)));
}

}  // namespace

LHSM_EXPORT int unlink(const char* path) noexcept { return unlink_at(AT_FDCWD, path, 0); }
LHSM_EXPORT int unlinkat(int directory, const char* path, int flags) noexcept {
  return unlink_at(directory, path, flags);
}
LHSM_EXPORT int remove(const char* path) noexcept {
  const int before = errno;
  if (::unlink(path) == 0) return 0;
  if (errno != EISDIR && errno != EPERM) return -1;
  const int not_a_file = errno;
  if (unlink_at(AT_FDCWD, path, AT_REMOVEDIR) != 0) {
    if (errno == ENOTDIR) errno = not_a_file;
    return -1;
  }
  errno = before;
  return 0;
}
LHSM_EXPORT int rename(const char* from, const char* to) noexcept { return rename_at(AT_FDCWD, from, AT_FDCWD, to, 0); }
LHSM_EXPORT int renameat(int from_directory, const char* from, int to_directory, const char* to) noexcept {
  return rename_at(from_directory, from, to_directory, to, 0);
}
LHSM_EXPORT int renameat2(int from_directory, const char* from, int to_directory, const char* to,
                          unsigned flags) noexcept {
  return rename_at(from_directory, from, to_directory, to, flags);
}
