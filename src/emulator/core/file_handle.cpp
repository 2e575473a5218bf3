// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/file_handle.hpp"

#include <fcntl.h>

#include <cstring>

namespace lhsm::emulator {
namespace {

struct Handle {
  alignas(file_handle) char bytes[sizeof(file_handle) + MAX_HANDLE_SZ];
  file_handle* get() { return reinterpret_cast<file_handle*>(bytes); }
};

}  // namespace

std::string make_handle(int fd) {
  Handle handle{};
  handle.get()->handle_bytes = MAX_HANDLE_SZ;
  int mount_id = 0;
  if (::name_to_handle_at(fd, "", handle.get(), &mount_id, AT_EMPTY_PATH) != 0) return {};
  std::string packed(sizeof(int) + handle.get()->handle_bytes, '\0');
  std::memcpy(packed.data(), &handle.get()->handle_type, sizeof(int));
  std::memcpy(packed.data() + sizeof(int), handle.get()->f_handle, handle.get()->handle_bytes);
  return packed;
}

Fd open_handle(int mount_fd, std::string_view packed, int flags) {
  if (packed.size() < sizeof(int) || packed.size() > sizeof(int) + MAX_HANDLE_SZ) {
    errno = EINVAL;
    return {};
  }
  Handle handle{};
  handle.get()->handle_bytes = static_cast<unsigned>(packed.size() - sizeof(int));
  std::memcpy(&handle.get()->handle_type, packed.data(), sizeof(int));
  std::memcpy(handle.get()->f_handle, packed.data() + sizeof(int), handle.get()->handle_bytes);
  return Fd(::open_by_handle_at(mount_fd, handle.get(), flags));
}

}  // namespace lhsm::emulator
