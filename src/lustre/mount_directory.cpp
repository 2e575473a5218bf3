// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mount_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>

#include "lhsmtool_mpi/base/log.hpp"

namespace lhsm::lustre {

namespace {

Outcome<Fd> open_directory(const std::string& path) {
  Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return errno_error("open", path);
  return directory;
}

Outcome<std::string> fsname_of(const LlapiTable& api, const std::string& path) {
  std::array<char, abi::MAX_OBD_NAME + 1> fsname{};
  if (const int rc = api.search_fsname(path.c_str(), fsname.data()); rc != 0)
    return errno_error("find the file system name of", path, -rc);
  return std::string(fsname.data());
}

/// Lustre's root has the same inode in every mount, and may have the same device.
bool is_same_mount(const Fd& a, const Fd& b) {
  const auto look = [](const Fd& fd, struct statx& status) {
    return ::statx(*fd, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &status) == 0;
  };
  struct statx first {};
  struct statx second {};
  return look(a, first) && look(b, second) && first.stx_ino == second.stx_ino &&
         first.stx_dev_major == second.stx_dev_major && first.stx_dev_minor == second.stx_dev_minor &&
         first.stx_mnt_id == second.stx_mnt_id;
}

}  // namespace

Outcome<std::unique_ptr<MountDirectory>> MountDirectory::open(const LlapiTable& api, std::string path) {
  LHSM_TRY_ASSIGN(std::string fsname, fsname_of(api, path));
  LHSM_TRY_ASSIGN(Fd directory, open_directory(path));
  return std::unique_ptr<MountDirectory>(
      new MountDirectory(api, std::move(path), std::move(fsname), std::move(directory)));
}

MountDirectory::Shared MountDirectory::descriptor() const {
  const std::lock_guard lock(m_mutex);
  return m_directory;
}

/// What an MDT that was reached says of files and requests is not; there are many of these.
bool MountDirectory::may_be_of_dead_mount(int sys_errno) {
  switch (sys_errno) {
    case ENOENT:
    case ECANCELED:
    case EAGAIN:
    case EBUSY:
    case EPERM:
      return false;
    default:
      return true;
  }
}

/// Return whether there is another mount than the one that was held by now.
bool MountDirectory::follow(const Shared& held) {
  auto now = open_directory(m_path);
  if (!now || is_same_mount(*held, *now)) return false;
  // While nothing is mounted the path leads to an empty directory of somebody else.
  if (const auto fsname = fsname_of(m_api, m_path); !fsname || *fsname != m_fsname) return false;
  const std::lock_guard lock(m_mutex);
  if (m_directory == held) {  // else another thread was here first
    log::info("{} was mounted anew", m_path);
    m_directory = std::make_shared<const Fd>(std::move(*now));
  }
  return true;
}

}  // namespace lhsm::lustre
