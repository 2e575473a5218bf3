// SPDX-License-Identifier: LGPL-2.1-or-later
#include "file_at_mdt.hpp"

#include <fcntl.h>
#include <linux/limits.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstring>

namespace lhsm::lustre {

namespace {

/// What the kernel writes, which is not told how much room there is.
struct Answer {
  abi::lov_user_mds_data data;
  char layout[XATTR_SIZE_MAX];
};

timespec seconds_of(const statx_timestamp& time) { return {time.tv_sec, 0}; }

struct stat to_stat(const struct statx& told) {
  struct stat attributes {};
  attributes.st_dev = makedev(told.stx_dev_major, told.stx_dev_minor);
  attributes.st_ino = told.stx_ino;
  attributes.st_mode = told.stx_mode;
  attributes.st_nlink = told.stx_nlink;
  attributes.st_uid = told.stx_uid;
  attributes.st_gid = told.stx_gid;
  attributes.st_size = static_cast<off_t>(told.stx_size);
  attributes.st_blksize = told.stx_blksize;
  attributes.st_blocks = static_cast<blkcnt_t>(told.stx_blocks);
  attributes.st_atim = seconds_of(told.stx_atime);
  attributes.st_mtim = seconds_of(told.stx_mtime);
  attributes.st_ctim = seconds_of(told.stx_ctime);
  return attributes;
}

bool cannot_be_asked(int sys_errno) { return sys_errno == ENOTTY || sys_errno == EOPNOTSUPP; }

}  // namespace

MdtAsker::Shared MdtAsker::names_of(int mount) {
  const std::lock_guard lock(m_mutex);
  if (m_names == nullptr) {
    Fd names(::openat(mount, ".lustre/fid", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!names) return nullptr;
    m_names = std::make_shared<const Fd>(std::move(names));
  }
  return m_names;
}

void MdtAsker::forget(const Shared& names) {
  const std::lock_guard lock(m_mutex);
  if (m_names == names) m_names.reset();
}

Outcome<std::optional<Client::FileAtMdt>> MdtAsker::ask(MountDirectory& mount, const Fid& fid) {
  const auto answer = std::make_unique_for_overwrite<Answer>();
  const int rc = mount.with([&](int directory) {
    const Shared names = names_of(directory);
    if (names == nullptr) return errno == ENOENT ? -ENOTTY : -errno;  // a mounted subdirectory has no such names
    const std::string name = fid.str();
    std::memcpy(static_cast<void*>(answer.get()), name.c_str(), name.size() + 1);
    if (m_api.ioctl(**names, abi::IOC_MDC_GETFILEINFO_V2, answer.get()) == 0) return 0;
    const int sys_errno = errno;
    // It may be of a dead mount; then it is opened anew below the next one.
    if (sys_errno != ENOENT && !cannot_be_asked(sys_errno)) forget(names);
    return -sys_errno;
  });
  if (rc != 0 && cannot_be_asked(-rc)) return std::optional<Client::FileAtMdt>();
  if (rc != 0) return errno_error("ask the MDT about", fid.bracketed(), -rc);
  Client::FileAtMdt file;
  const struct statx told = answer->data.lmd_stx;  // it lies unaligned
  // The size of an encrypted file is not told to who has no key.
  if ((told.stx_mask & STATX_SIZE) == 0 || (told.stx_attributes & STATX_ATTR_ENCRYPTED) != 0) return std::optional<Client::FileAtMdt>();
  file.attributes = to_stat(told);
  if (answer->data.lmd_lmmsize <= sizeof answer->layout) file.layout.assign(answer->layout, answer->data.lmd_lmmsize);
  return std::optional(std::move(file));
}

}  // namespace lhsm::lustre
