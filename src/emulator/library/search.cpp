// SPDX-License-Identifier: LGPL-2.1-or-later
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "library/llapi.hpp"

using namespace lhsm;
using namespace lhsm::emulator;

LHSM_EXPORT int llapi_search_fsname(const char* path, char* fsname) {
  const Mount* mount = find_mount(std::string(path));
  if (mount == nullptr) return -ENODEV;
  std::strcpy(fsname, mount->fsname().c_str());
  return 0;
}

LHSM_EXPORT int llapi_search_mounts(const char* path, int index, char* mount_dir, char* fsname) {
  const Mount* mount = find_mount(std::string(path));
  if (mount == nullptr || index > 0) return -ENODEV;
  if (mount_dir != nullptr) std::strcpy(mount_dir, mount->path().c_str());
  if (fsname != nullptr) std::strcpy(fsname, mount->fsname().c_str());
  return 0;
}

LHSM_EXPORT int llapi_get_agent_uuid(char* path, char* buffer, std::size_t size) {
  if (find_mount(std::string(path)) == nullptr) return -ENODEV;
  const auto& uuid = client_uuid();
  if (size <= uuid.size()) return -ENOSPC;
  std::memcpy(buffer, uuid.c_str(), uuid.size() + 1);
  return 0;
}

/// Say whether an MDT of this name exists: 1, 0, or an error. Only mounts that this process has met
/// are known by name.
LHSM_EXPORT int llapi_search_mdt(const char* fsname, const char* /*pool*/, const char* mdt_name) {
  const char* directory = std::getenv("LHSM_EMULATOR_MOUNT");
  const Mount* mount = directory != nullptr ? find_mount(std::string(directory)) : nullptr;
  if (mount == nullptr || fsname == nullptr || mount->fsname() != fsname) return -ENODEV;
  if (mdt_name == nullptr) return 1;
  const std::string_view name(mdt_name);
  const auto dash = name.rfind("-MDT");
  if (dash == std::string_view::npos) return 0;
  return std::strtoul(mdt_name + dash + 4, nullptr, 16) < mount->mdt_count() ? 1 : 0;
}

/// "4M", "1.5g", "2b" (blocks of 512 unless `bytes_spec`); a bare number counts `*units`.
LHSM_EXPORT int llapi_parse_size(const char* text, unsigned long long* size, unsigned long long* units,
                                 int bytes_spec) {
  if (text[0] == '-') return -EINVAL;
  if (*units == 0) *units = 1;
  char* end = nullptr;
  *size = std::strtoull(text, &end, 0);
  unsigned long long fraction = 0;
  unsigned long long scale = 1;
  if (*end == '.') {
    const char* begin = end + 1;
    fraction = std::strtoull(begin, &end, 10);
    for (const char* digit = begin; digit < end; ++digit) scale *= 10;
  }
  if (*end != '\0') {
    constexpr std::string_view powers = "kmgtpe";
    const char unit = static_cast<char>(std::tolower(static_cast<unsigned char>(*end)));
    const char next = end[1] == '\0' ? '\0' : static_cast<char>(std::tolower(static_cast<unsigned char>(end[1])));
    unsigned shift = 0;
    if (unit == 'b')
      shift = bytes_spec != 0 ? 0 : 9;
    else if (const auto power = powers.find(unit); power != std::string_view::npos)
      shift = 10 * static_cast<unsigned>(power + 1);
    else if (unit != 'c')
      return -EINVAL;
    if (shift != 0 && (*size >> (64 - shift)) != 0) return -EINVAL;
    if (next != '\0' && next != 'i' && next != 'b') return -EINVAL;
    *units = 1ULL << shift;
  }
  *size = *size * *units + fraction * *units / scale;
  return 0;
}

LHSM_EXPORT int llapi_group_lock(int fd, int group) {
  Mount* mount = find_mount(fd);
  if (mount == nullptr) return -ENOTTY;
  return serve_ioctl(*mount, fd, "", abi::LL_IOC_GROUP_LOCK,
                     reinterpret_cast<void*>(static_cast<std::intptr_t>(group)));
}

LHSM_EXPORT int llapi_group_unlock(int fd, int group) {
  Mount* mount = find_mount(fd);
  if (mount == nullptr) return -ENOTTY;
  return serve_ioctl(*mount, fd, "", abi::LL_IOC_GROUP_UNLOCK,
                     reinterpret_cast<void*>(static_cast<std::intptr_t>(group)));
}

LHSM_EXPORT int llapi_group_lock64(int fd, std::uint64_t group) {
  Mount* mount = find_mount(fd);
  if (mount == nullptr) return -ENOTTY;
  return serve_ioctl(*mount, fd, "", abi::LL_IOC_GROUP_LOCK, reinterpret_cast<void*>(group));
}

LHSM_EXPORT int llapi_group_unlock64(int fd, std::uint64_t group) {
  Mount* mount = find_mount(fd);
  if (mount == nullptr) return -ENOTTY;
  return serve_ioctl(*mount, fd, "", abi::LL_IOC_GROUP_UNLOCK, reinterpret_cast<void*>(group));
}
