// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "library/llapi.hpp"

using namespace lhsm;
using namespace lhsm::emulator;

namespace {

constexpr int k_copytool_magic = static_cast<int>(0xC0BE2001U);
constexpr std::size_t k_hal_buffer = abi::HAL_MAXSIZE + sizeof(abi::kuc_hdr);

void free_handle(hsm_copytool_private* ct) {
  for (const int fd : {ct->pipe_fd, ct->open_by_fid_fd, ct->mnt_fd})
    if (fd >= 0) ::close(fd);
  std::free(ct->mnt);
  std::free(ct->buffer);
  std::free(ct->archives);
  std::free(ct);
}

/// Read exactly `size` bytes of a message whose first byte may not be there yet. The rest of it is
/// there or on its way, so once begun the message is read whole, also on a non-blocking pipe.
int read_all(int fd, char* to, std::size_t size, bool has_begun) {
  for (std::size_t done = 0; done < size;) {
    const auto got = ::read(fd, to + done, size - done);
    if (got == 0) return -EPROTO;
    if (got > 0) {
      done += static_cast<std::size_t>(got);
      continue;
    }
    if (errno == EAGAIN && (has_begun || done > 0)) {
      ::sched_yield();
      continue;
    }
    if (errno == EINTR && (has_begun || done > 0)) continue;
    return -errno;
  }
  return 0;
}

bool is_for(const hsm_copytool_private& ct, std::uint32_t archive_id) {
  const auto* end = ct.archives + ct.archive_count;
  return ct.archive_count == 0 || std::find(static_cast<const std::uint32_t*>(ct.archives), end, archive_id) != end;
}

int register_with_daemon(Mount& mount, hsm_copytool_private& ct, int archive_count, const int* archives, int flags) {
  int ends[2];
  if (::pipe(ends) != 0) return -errno;
  ct.pipe_fd = ends[0];
  const Fd write_end(ends[1]);
  if (flags != 0 && ::fcntl(ct.pipe_fd, F_SETFL, ::fcntl(ct.pipe_fd, F_GETFL) | flags) != 0) return -errno;
  ct.pid = ::getpid();
  Writer request;
  request.put(Op::register_agent).put(std::int32_t{ct.pid}).put(static_cast<std::uint32_t>(std::max(archive_count, 0)));
  for (int i = 0; i < archive_count; ++i) request.put(static_cast<std::uint32_t>(archives[i]));
  return mount.call(request, *write_end).rc;
}

}  // namespace

LHSM_EXPORT int llapi_hsm_copytool_register(hsm_copytool_private** priv, const char* mnt, int archive_count,
                                            int* archives, int rfd_flags) {
  if (archive_count > 0 && archives == nullptr) {
    llapi_error(k_message_error, EINVAL, "NULL archive numbers");
    return -EINVAL;
  }
  for (int i = 0; i < archive_count; ++i)
    if (archives[i] < 0) return -EINVAL;
  auto* ct = static_cast<hsm_copytool_private*>(std::calloc(1, sizeof(hsm_copytool_private)));
  if (ct == nullptr) return -ENOMEM;
  ct->magic = k_copytool_magic;
  ct->mnt_fd = ct->open_by_fid_fd = ct->pipe_fd = -1;
  ct->mnt = ::strdup(mnt);
  ct->buffer = static_cast<abi::kuc_hdr*>(std::malloc(k_hal_buffer));
  int rc = ct->mnt == nullptr || ct->buffer == nullptr ? -ENOMEM : 0;
  if (rc == 0 && (ct->mnt_fd = ::open(mnt, O_RDONLY)) < 0) rc = -errno;
  if (rc == 0 && (ct->open_by_fid_fd = ::openat(ct->mnt_fd, k_fid_dir, O_RDONLY)) < 0) rc = -errno;
  Mount* mount = rc == 0 ? find_mount(ct->mnt_fd) : nullptr;
  if (rc == 0 && mount == nullptr) rc = -ENOTTY;
  // An id of 0 among them means all of them.
  const bool all = archive_count <= 0 || std::find(archives, archives + archive_count, 0) != archives + archive_count;
  if (rc == 0 && !all) {
    ct->archives =
        static_cast<std::uint32_t*>(std::calloc(static_cast<std::size_t>(archive_count), sizeof(std::uint32_t)));
    if (ct->archives == nullptr) rc = -ENOMEM;
    for (int i = 0; rc == 0 && i < archive_count; ++i) ct->archives[i] = static_cast<std::uint32_t>(archives[i]);
    ct->archive_count = static_cast<std::uint32_t>(archive_count);
  }
  if (rc == 0) rc = register_with_daemon(*mount, *ct, all ? 0 : archive_count, archives, rfd_flags);
  if (rc != 0) {
    free_handle(ct);
    return rc;
  }
  log_registration(*ct, true);
  *priv = ct;
  return 0;
}

LHSM_EXPORT int llapi_hsm_copytool_unregister(hsm_copytool_private** priv) {
  if (priv == nullptr || *priv == nullptr || (*priv)->magic != k_copytool_magic) return -EINVAL;
  auto* ct = *priv;
  ::close(ct->pipe_fd);
  ct->pipe_fd = -1;
  if (Mount* mount = find_mount(ct->mnt_fd)) {
    Writer request;
    request.put(Op::unregister_agent).put(std::int32_t{ct->pid});
    std::ignore = mount->call(request);  // as with Lustre, what the MDT thinks of it changes nothing here
  }
  log_registration(*ct, false);
  ct->magic = 0;
  free_handle(ct);
  *priv = nullptr;
  return 0;
}

LHSM_EXPORT int llapi_hsm_copytool_get_fd(hsm_copytool_private* ct) {
  if (ct == nullptr || ct->magic != k_copytool_magic) return -EINVAL;
  return ct->pipe_fd;
}

LHSM_EXPORT int llapi_hsm_copytool_recv(hsm_copytool_private* ct, abi::hsm_action_list** list, int* size) {
  if (ct == nullptr || ct->magic != k_copytool_magic || list == nullptr || size == nullptr) return -EINVAL;
  *list = nullptr;
  *size = 0;
  for (;;) {
    auto* header = ct->buffer;
    auto* bytes = reinterpret_cast<char*>(header);
    // Whoever still reads the last list must notice: it is gone from here on.
    std::memset(bytes, 0xDB, abi::k_hal_sent_max + sizeof *header);
    if (const int rc = read_all(ct->pipe_fd, bytes, sizeof *header, false); rc != 0) return rc;
    if (header->kuc_magic != abi::KUC_MAGIC || header->kuc_msglen < sizeof *header) return -EPROTO;
    const std::size_t payload = header->kuc_msglen - sizeof *header;
    if (const int rc = read_all(ct->pipe_fd, bytes + sizeof *header, payload, true); rc != 0) return rc;
    if (header->kuc_transport == abi::KUC_TRANSPORT_GENERIC && header->kuc_msgtype == abi::KUC_MSG_SHUTDOWN)
      return -ESHUTDOWN;
    if (header->kuc_transport != abi::KUC_TRANSPORT_HSM || header->kuc_msgtype != abi::HMT_ACTION_LIST ||
        payload < sizeof(abi::hsm_action_list))
      return -EPROTO;
    auto* received = reinterpret_cast<abi::hsm_action_list*>(bytes + sizeof *header);
    // Every pipe of a client gets every list of it.
    if (!is_for(*ct, received->hal_archive_id)) continue;
    *list = received;
    *size = static_cast<int>(payload);
    return 0;
  }
}
