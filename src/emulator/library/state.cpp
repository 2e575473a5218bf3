// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <unistd.h>

#include "core/directory_layout.hpp"
#include "core/layout.hpp"
#include "library/llapi.hpp"

LHSM_EXPORT int llapi_file_open_pool(const char* name, int flags, int mode, unsigned long long stripe_size,
                                     int stripe_offset, int stripe_count, int stripe_pattern, char* pool_name);

using namespace lhsm;
using namespace lhsm::emulator;

namespace {

int file_ioctl(int fd, unsigned long command, void* argument) {
  std::string relative;
  Mount* mount = find_mount(fd, &relative);
  return mount == nullptr ? -ENOTTY : serve_ioctl(*mount, fd, relative, command, argument);
}

/// Make the file that is imported, released from the beginning; a descriptor or a negative errno. An
/// existing one has a layout already and is left alone.
int open_imported(const char* path, int mode, unsigned long long size, int offset, int count, int pattern, char* pool) {
  const Mount* mount = find_mount(std::string(path));
  const bool is_usual = size == 0 && offset == -1 && count == 0 && pattern == 0 && pool == nullptr;
  // The usual layout need not be written down where no directory has another one.
  if (is_usual && mount != nullptr && ::faccessat(mount->root_fd(), k_layouts_in_use, F_OK, 0) != 0) {
    const int fd = ::open(path, O_CREAT | O_EXCL | O_WRONLY, mode);
    return fd < 0 ? -errno : fd;
  }
  const auto released = static_cast<std::uint32_t>(pattern != 0 ? pattern : 1) | LayoutHeader::k_released;
  return llapi_file_open_pool(path, O_CREAT | O_EXCL | O_WRONLY, mode, size, offset, count, static_cast<int>(released),
                              pool);
}

}  // namespace

LHSM_EXPORT int llapi_hsm_state_get_fd(int fd, abi::hsm_user_state* state) {
  return state == nullptr ? -EFAULT : file_ioctl(fd, abi::LL_IOC_HSM_STATE_GET, state);
}

LHSM_EXPORT int llapi_hsm_state_get(const char* path, abi::hsm_user_state* state) {
  const Fd fd(::open(path, O_RDONLY | O_NONBLOCK));
  return fd ? llapi_hsm_state_get_fd(*fd, state) : -errno;
}

LHSM_EXPORT int llapi_hsm_state_set_fd(int fd, std::uint64_t set, std::uint64_t clear, std::uint32_t archive_id) {
  abi::hsm_state_set change{};
  change.hss_valid = abi::HSS_SETMASK | abi::HSS_CLEARMASK | (archive_id > 0 ? abi::HSS_ARCHIVE_ID : 0U);
  change.hss_archive_id = archive_id;
  change.hss_setmask = set;
  change.hss_clearmask = clear;
  return file_ioctl(fd, abi::LL_IOC_HSM_STATE_SET, &change);
}

LHSM_EXPORT int llapi_hsm_state_set(const char* path, std::uint64_t set, std::uint64_t clear,
                                    std::uint32_t archive_id) {
  const Fd fd(::open(path, O_WRONLY | O_NONBLOCK));
  return fd ? llapi_hsm_state_set_fd(*fd, set, clear, archive_id) : -errno;
}

LHSM_EXPORT int llapi_get_data_version(int fd, std::uint64_t* version, std::uint64_t flags) {
  abi::ioc_data_version query{};
  query.idv_flags = static_cast<std::uint32_t>(flags);
  const int rc = file_ioctl(fd, abi::LL_IOC_DATA_VERSION, &query);
  if (rc == 0) *version = query.idv_version;
  return rc;
}

LHSM_EXPORT int llapi_hsm_data_version_set(int fd, std::uint64_t version) {
  Mount* mount = find_mount(fd);
  if (mount == nullptr) return -ENOTTY;
  const auto fid = mount->fid_of(fd);
  if (!fid) return to_rc(fid);
  Writer request;
  request.put(Op::set_data_version).put(*fid).put(version);
  return mount->call(request).rc;
}

LHSM_EXPORT int llapi_hsm_import(const char* dst, int archive, const struct stat* st, unsigned long long stripe_size,
                                 int stripe_offset, int stripe_count, int stripe_pattern, char* pool_name,
                                 abi::lu_fid* new_fid) {
  int rc = open_imported(dst, static_cast<int>(st->st_mode), stripe_size, stripe_offset, stripe_count, stripe_pattern,
                         pool_name);
  const Fd fd(rc);
  if (!fd) {
    llapi_error(k_message_error, -rc, "cannot create '%s' for import", dst);
    return rc;
  }
  rc = llapi_fd2fid(*fd, new_fid);
  if (rc != 0) {
    llapi_error(k_message_error, -rc, "cannot get fid of '%s' for import", dst);
  } else {
    abi::hsm_user_import import{};
    import.hui_uid = st->st_uid;
    import.hui_gid = st->st_gid;
    import.hui_mode = st->st_mode;
    import.hui_size = static_cast<std::uint64_t>(st->st_size);
    import.hui_archive_id = static_cast<std::uint32_t>(archive);
    import.hui_atime = static_cast<std::uint64_t>(st->st_atim.tv_sec);
    import.hui_atime_ns = static_cast<std::uint32_t>(st->st_atim.tv_nsec);
    import.hui_mtime = static_cast<std::uint64_t>(st->st_mtim.tv_sec);
    import.hui_mtime_ns = static_cast<std::uint32_t>(st->st_mtim.tv_nsec);
    rc = file_ioctl(*fd, abi::LL_IOC_HSM_IMPORT, &import);
    if (rc != 0) llapi_error(k_message_error, -rc, "cannot import '%s'", dst);
  }
  if (rc != 0) ::unlink(dst);
  return rc;
}
