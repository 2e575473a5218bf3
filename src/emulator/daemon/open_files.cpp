// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/open_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <string>

namespace lhsm::emulator {

std::vector<OpenFile> open_files(pid_t pid, dev_t device) {
  std::vector<OpenFile> files;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(("/proc/" + std::to_string(pid) + "/fd").c_str()),
                                                    &::closedir);
  if (!listing) return files;
  while (const dirent* entry = ::readdir(listing.get())) {
    if (entry->d_name[0] == '.') continue;
    OpenFile file;
    struct stat link {};
    if (::fstatat(::dirfd(listing.get()), entry->d_name, &file.st, 0) != 0 || !S_ISREG(file.st.st_mode) ||
        file.st.st_dev != device || ::fstatat(::dirfd(listing.get()), entry->d_name, &link, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    file.pid = pid;
    file.number = std::atoi(entry->d_name);
    file.is_writable = (link.st_mode & S_IWUSR) != 0;  // proc shows the way it was opened as the link's mode
    files.push_back(file);
  }
  return files;
}

Fd reopen(const OpenFile& file) {
  const auto path = "/proc/" + std::to_string(file.pid) + "/fd/" + std::to_string(file.number);
  return Fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
}

Fd share(int pidfd, const OpenFile& file) {
  return Fd(static_cast<int>(::syscall(SYS_pidfd_getfd, pidfd, file.number, 0)));
}

}  // namespace lhsm::emulator
