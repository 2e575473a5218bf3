// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/pools.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "library/llapi.hpp"

using namespace lhsm;
using namespace lhsm::emulator;

LHSM_EXPORT void llapi_printf(int level, const char* format, ...) __attribute__((format(printf, 2, 3)));

namespace {

constexpr int k_message_normal = 4;

/// Return the mount of this name: that of LHSM_EMULATOR_MOUNT or of the working directory.
Mount* mount_of_fsname(std::string_view fsname) {
  const char* directory = std::getenv("LHSM_EMULATOR_MOUNT");
  Mount* mount = find_mount(std::string(directory != nullptr ? directory : "."));
  return mount != nullptr && mount->fsname() == fsname ? mount : nullptr;
}

/// Put texts one after the other into a caller's buffer and their addresses into an array; their number,
/// or -EOVERFLOW.
int fill(const std::vector<std::string>& texts, char** list, int list_size, char* buffer, int buffer_size) {
  int used = 0;
  int count = 0;
  for (const auto& text : texts) {
    const int size = static_cast<int>(text.size()) + 1;
    if (count >= list_size || used + size > buffer_size) return -EOVERFLOW;
    std::memcpy(buffer + used, text.c_str(), static_cast<std::size_t>(size));
    list[count++] = buffer + used;
    used += size;
  }
  return count;
}

}  // namespace

/// `name`: "fsname.pool".
LHSM_EXPORT int llapi_get_poolmembers(const char* name, char** members, int list_size, char* buffer, int buffer_size) {
  const std::string_view text(name);
  const auto dot = text.find('.');
  if (dot == std::string_view::npos) return -EINVAL;
  const auto fsname = std::string(text.substr(0, dot));
  const auto pool = std::string(text.substr(dot + 1));
  const Mount* mount = mount_of_fsname(fsname);
  if (mount == nullptr) {
    llapi_error(k_message_error, ENOENT, "Lustre filesystem '%s' not found", fsname.c_str());
    return -ENOENT;
  }
  llapi_printf(k_message_normal, "Pool: %s.%s\n", fsname.c_str(), pool.c_str());
  const auto osts = pool_members(*mount, pool);
  if (!osts) {
    llapi_error(k_message_error, ENOENT, "cannot open %s", pool.c_str());
    return -ENOENT;
  }
  std::vector<std::string> texts;
  for (const auto index : *osts) texts.push_back(ost_uuid(*mount, index));
  return fill(texts, members, list_size, buffer, buffer_size);
}

/// `name`: an fsname or a path.
LHSM_EXPORT int llapi_get_poollist(const char* name, char** list, int list_size, char* buffer, int buffer_size) {
  std::fill_n(list, list_size, nullptr);
  const Mount* mount = std::strchr(name, '/') != nullptr ? find_mount(std::string(name)) : mount_of_fsname(name);
  if (mount == nullptr) {
    llapi_error(k_message_error, ENOENT, "Lustre filesystem '%s' not found", name);
    return -ENOENT;
  }
  std::vector<std::string> texts;
  for (const auto& pool : pool_names(*mount)) texts.push_back(mount->fsname() + "." + pool);
  const int count = fill(texts, list, list_size, buffer, buffer_size);
  if (count >= 0) llapi_printf(k_message_normal, "Pools from %s:\n", mount->fsname().c_str());
  return count;
}

/// Print a file system's pools, or the OSTs of one pool.
LHSM_EXPORT int llapi_poollist(const char* name) {
  std::vector<char> buffer(64 * 1024);
  std::vector<char*> list(4096);
  const bool is_pool = name[0] != '/' && std::strchr(name, '.') != nullptr;
  const auto get = is_pool ? llapi_get_poolmembers : llapi_get_poollist;
  const int count =
      get(name, list.data(), static_cast<int>(list.size()), buffer.data(), static_cast<int>(buffer.size()));
  for (int i = 0; i < count; ++i) llapi_printf(k_message_normal, "%s\n", list[static_cast<std::size_t>(i)]);
  return std::min(count, 0);
}

/// 1: the OST is in the pool, or exists if no pool is given; 0: not; without an OST 0 or 1: the pool is empty
/// or not.
LHSM_EXPORT int llapi_search_ost(const char* fsname, const char* pool, const char* ost) {
  const Mount* mount = fsname != nullptr ? mount_of_fsname(fsname) : nullptr;
  if (mount == nullptr) return -ENODEV;
  const auto index = ost != nullptr ? ost_index(*mount, ost) : std::nullopt;
  if (pool == nullptr) return ost == nullptr || index ? 1 : 0;
  const auto osts = pool_members(*mount, pool);
  if (!osts) return -ENOENT;
  if (ost == nullptr) return osts->empty() ? 0 : 1;
  return index && std::find(osts->begin(), osts->end(), *index) != osts->end() ? 1 : 0;
}
