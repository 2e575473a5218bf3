// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "core/data_version.hpp"
#include "core/fid_space.hpp"
#include "library/llapi.hpp"

namespace lhsm::emulator {
namespace {

using namespace abi;

constexpr std::uint32_t k_archives_max = 1024;  // LL_HSM_MAX_ARCHIVES_PER_AGENT

template <class T>
T read_argument(const void* argument) {
  T value{};
  std::memcpy(static_cast<void*>(&value), argument, sizeof value);
  return value;
}

template <class T>
void write_argument(void* argument, const T& value) {
  std::memcpy(argument, static_cast<const void*>(&value), sizeof value);
}

int copy_start(Mount& mount, void* argument) {
  auto copy = read_argument<hsm_copy>(argument);
  Writer request;
  request.put(Op::copy_start).put_struct(copy);
  const auto answer = mount.call(request);
  if (answer.rc != 0) return answer.rc;
  copy.hc_data_version = answer.results().get<std::uint64_t>();
  write_argument(argument, copy);
  return 0;
}

template <class T>
int send_struct(Mount& mount, Op op, const void* argument) {
  Writer request;
  request.put(op).put_struct(read_argument<T>(argument));
  return mount.call(request).rc;
}

int request(Mount& mount, const void* argument) {
  const auto head = read_argument<hsm_request>(argument);
  const auto size = sizeof head + std::uint64_t{head.hr_itemcount} * sizeof(hsm_user_item) + head.hr_data_len;
  if (size >= k_request_max) return -E2BIG;
  if (head.hr_itemcount == 0) return 0;
  const auto* bytes = static_cast<const char*>(argument);
  if (head.hr_action == HUA_RELEASE) {
    // Done by the caller's client, one file after the other; the first error ends it.
    for (std::uint32_t i = 0; i < head.hr_itemcount; ++i) {
      const auto item = read_argument<hsm_user_item>(bytes + sizeof head + i * sizeof(hsm_user_item));
      if (const int rc = release_file(mount, from_abi(item.hui_fid)); rc != 0) return rc;
    }
    return 0;
  }
  Writer message;
  message.put(Op::request).put(std::string_view(bytes, static_cast<std::size_t>(size)));
  return mount.call(message).rc;
}

int state_get(Mount& mount, const Fid& fid, void* argument) {
  Writer message;
  message.put(Op::state_get).put(fid);
  const auto answer = mount.call(message);
  if (answer.rc != 0) return answer.rc;
  auto results = answer.results();
  hsm_user_state state{};
  state.hus_states = results.get<std::uint32_t>();
  state.hus_archive_id = results.get<std::uint32_t>();
  write_argument(argument, state);
  return 0;
}

int state_set(Mount& mount, const Fid& fid, const void* argument) {
  const auto change = read_argument<hsm_state_set>(argument);
  Writer message;
  message.put(Op::state_set).put(fid);
  message.put((change.hss_valid & 1U) != 0 ? change.hss_setmask : std::uint64_t{0});
  message.put((change.hss_valid & 2U) != 0 ? change.hss_clearmask : std::uint64_t{0});
  message.put((change.hss_valid & 4U) != 0 ? change.hss_archive_id : std::uint32_t{0});
  return mount.call(message).rc;
}

int current_action(Mount& mount, const Fid& fid, void* argument) {
  Writer message;
  message.put(Op::current_action).put(fid);
  const auto answer = mount.call(message);
  if (answer.rc != 0) return answer.rc;
  auto results = answer.results();
  hsm_current_action current{};
  current.hca_action = results.get<std::uint32_t>();
  current.hca_state = results.get<std::uint32_t>();
  current.hca_location.offset = results.get<std::uint64_t>();
  current.hca_location.length = results.get<std::uint64_t>();
  write_argument(argument, current);
  return 0;
}

int import_file(Mount& mount, int fd, const Fid& fid, const void* argument) {
  const auto import = read_argument<hsm_user_import>(argument);
  struct stat st {};
  if (::fstat(fd, &st) != 0) return -errno;
  if (!S_ISREG(st.st_mode)) return -EINVAL;
  if (::ftruncate(fd, static_cast<off_t>(import.hui_size)) != 0) return -errno;
  if (::fchown(fd, import.hui_uid, import.hui_gid) != 0) return -errno;
  if (::fchmod(fd, import.hui_mode & 0777) != 0) return -errno;
  const timespec times[2] = {{static_cast<time_t>(import.hui_atime), static_cast<long>(import.hui_atime_ns)},
                             {static_cast<time_t>(import.hui_mtime), static_cast<long>(import.hui_mtime_ns)}};
  if (::futimens(fd, times) != 0) return -errno;
  Writer message;
  message.put(Op::import_file).put(fid).put(import.hui_archive_id);
  return mount.call(message).rc;
}

int set_times(const Mount& mount, int fd, const void* argument) {
  const auto wanted = read_argument<ll_futimes_3>(argument);
  if (!mount.is_admin()) return -EPERM;
  // The change time is the kernel's own here.
  const timespec times[2] = {{static_cast<time_t>(wanted.lfu_atime_sec), static_cast<long>(wanted.lfu_atime_nsec)},
                             {static_cast<time_t>(wanted.lfu_mtime_sec), static_cast<long>(wanted.lfu_mtime_nsec)}};
  return ::futimens(fd, times) != 0 ? -errno : 0;
}

int get_data_version(int fd, void* argument) {
  auto query = read_argument<ioc_data_version>(argument);
  struct stat st {};
  if (::fstat(fd, &st) != 0) return -errno;
  query.idv_version = data_version(st);
  write_argument(argument, query);
  return 0;
}

int mdt_index(const Mount& mount, const void* argument) {
  const auto mdt = mdt_of(from_abi(read_argument<lu_fid>(argument)), mount.mdt_count());
  return mdt ? static_cast<int>(*mdt) : -ENOENT;
}

/// The argument is the group itself.
int change_group_lock(Mount& mount, int fd, Op op, const void* argument) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0) return -errno;
  if ((flags & O_PATH) != 0) return -EBADF;
  struct stat st {};
  if (::fstat(fd, &st) != 0) return -errno;
  if (!S_ISREG(st.st_mode)) return -ENOTTY;
  const std::uint64_t group = reinterpret_cast<std::uintptr_t>(argument);
  if (op == Op::group_lock && group == 0) return -EINVAL;
  Writer message;
  message.put(op).put(group).put(static_cast<std::uint8_t>((flags & O_NONBLOCK) != 0));
  return mount.call(message, fd).rc;
}

/// As clients do, tell how many indices there may be, not how many MDTs there are.
int count_targets(const Mount& mount, void* argument) {
  if (read_argument<std::uint32_t>(argument) == 0) return -EOPNOTSUPP;
  constexpr std::uint32_t k_least_table = 64;
  write_argument(argument, std::max(mount.mdt_count(), k_least_table));
  return 0;
}

/// Register this process's client as a copytool, or take it away. As in the kernel the pipe stays the
/// caller's, who may go on reading it, or give it again.
int copytool_start(Mount& mount, const void* argument) {
  const auto given = read_argument<lustre_kernelcomm>(argument);
  if (given.lk_group != KUC_GRP_HSM) return -EINVAL;
  Writer message;
  if ((given.lk_flags & LK_FLG_STOP) != 0) {
    message.put(Op::unregister_agent).put(static_cast<std::int32_t>(given.lk_uid));
    return mount.call(message).rc;
  }
  if (!mount.is_admin()) return -EPERM;
  // Without DATANR the count is a bit mask of ids, as older programs have it.
  std::vector<std::uint32_t> archives;
  if ((given.lk_flags & LK_FLG_DATANR) != 0) {
    if (given.lk_data_count > k_archives_max) return -EINVAL;
    for (std::uint32_t i = 0; i < given.lk_data_count; ++i)
      archives.push_back(
          read_argument<std::uint32_t>(static_cast<const char*>(argument) + sizeof given + i * sizeof(std::uint32_t)));
  } else {
    for (std::uint32_t bit = 0; bit < 32; ++bit)
      if ((given.lk_data_count >> bit & 1U) != 0) archives.push_back(bit + 1);
  }
  const int write_end = static_cast<int>(given.lk_wfd);
  if (::fcntl(write_end, F_GETFD) < 0) return -EBADF;
  message.put(Op::register_agent).put(static_cast<std::int32_t>(given.lk_uid));
  message.put(static_cast<std::uint32_t>(archives.size()));
  for (const auto id : archives) message.put(id);
  return mount.call(message, write_end).rc;
}

bool needs_fid(unsigned long command) {
  return command == LL_IOC_HSM_STATE_GET || command == LL_IOC_HSM_STATE_SET || command == LL_IOC_HSM_ACTION ||
         command == LL_IOC_HSM_IMPORT || command == LL_IOC_PATH2FID;
}

}  // namespace

bool is_served_ioctl(unsigned long command) {
  switch (command) {
    case LL_IOC_HSM_STATE_GET:
    case LL_IOC_HSM_STATE_SET:
    case LL_IOC_HSM_CT_START:
    case LL_IOC_HSM_COPY_START:
    case LL_IOC_HSM_COPY_END:
    case LL_IOC_HSM_PROGRESS:
    case LL_IOC_HSM_REQUEST:
    case LL_IOC_HSM_ACTION:
    case LL_IOC_HSM_IMPORT:
    case LL_IOC_FUTIMES_3:
    case LL_IOC_DATA_VERSION:
    case LL_IOC_FID2MDTIDX:
    case LL_IOC_PATH2FID:
    case LL_IOC_GETOBDCOUNT:
    case LL_IOC_GROUP_LOCK:
    case LL_IOC_GROUP_UNLOCK:
    case OBD_IOC_QUOTACTL: return true;
    default: return is_attribute_ioctl(command);
  }
}

int serve_ioctl(Mount& mount, int fd, const std::string& relative, unsigned long command, void* argument) {
  if (argument == nullptr && command != LL_IOC_GROUP_LOCK && command != LL_IOC_GROUP_UNLOCK) return -EFAULT;
  Fid fid;
  if (needs_fid(command)) {
    const auto found = mount.fid_of(fd);
    if (!found) return to_rc(found);
    fid = *found;
  }
  switch (command) {
    case LL_IOC_HSM_CT_START: return copytool_start(mount, argument);
    case LL_IOC_HSM_COPY_START: return copy_start(mount, argument);
    case LL_IOC_HSM_COPY_END: return send_struct<hsm_copy>(mount, Op::copy_end, argument);
    case LL_IOC_HSM_PROGRESS: return send_struct<hsm_progress>(mount, Op::progress, argument);
    case LL_IOC_HSM_REQUEST: return request(mount, argument);
    case LL_IOC_HSM_STATE_GET: return state_get(mount, fid, argument);
    case LL_IOC_HSM_STATE_SET: return state_set(mount, fid, argument);
    case LL_IOC_HSM_ACTION: return current_action(mount, fid, argument);
    case LL_IOC_HSM_IMPORT: return import_file(mount, fd, fid, argument);
    case LL_IOC_FUTIMES_3: return set_times(mount, fd, argument);
    case LL_IOC_DATA_VERSION: return get_data_version(fd, argument);
    case LL_IOC_FID2MDTIDX: return mdt_index(mount, argument);
    case LL_IOC_PATH2FID: write_argument(argument, to_abi(fid)); return 0;
    case LL_IOC_GETOBDCOUNT: return count_targets(mount, argument);
    case LL_IOC_GROUP_LOCK: return change_group_lock(mount, fd, Op::group_lock, argument);
    case LL_IOC_GROUP_UNLOCK: return change_group_lock(mount, fd, Op::group_unlock, argument);
    case OBD_IOC_QUOTACTL: return serve_quotactl(mount, argument);
    default: return serve_attribute_ioctl(mount, fd, relative, command, argument);
  }
}

}  // namespace lhsm::emulator
