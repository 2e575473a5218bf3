// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/pools.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "client/layout.hpp"

namespace lhsm::emulator {
namespace {

std::string file_of(std::string_view pool) { return std::string(k_pools_dir) + "/" + std::string(pool); }

}  // namespace

bool is_pool_name(std::string_view name) {
  return !name.empty() && name.size() < LayoutHeader::k_pool_size && !is_reserved_pool(name) &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
}

bool is_reserved_pool(std::string_view name) { return name == "none" || name == "inherit" || name == "ignore"; }

std::vector<std::string> pool_names(const Mount& mount) {
  std::vector<std::string> names;
  const int fd = ::openat(mount.root_fd(), k_pools_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(fd), &::closedir);
  while (const dirent* entry = ::readdir(listing.get()))
    if (is_pool_name(entry->d_name)) names.emplace_back(entry->d_name);
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<std::vector<std::uint16_t>> pool_members(const Mount& mount, std::string_view name) {
  if (!is_pool_name(name)) return std::nullopt;
  const Fd file(::openat(mount.root_fd(), file_of(name).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return std::nullopt;
  char text[4096];
  const auto size = ::read(*file, text, sizeof text - 1);
  if (size < 0) return std::nullopt;
  text[size] = '\0';
  std::vector<std::uint16_t> osts;
  for (const char* at = text; *at != '\0';) {
    char* end = nullptr;
    const auto index = std::strtoul(at, &end, 10);
    if (end == at) break;
    if (index < mount.ost_count()) osts.push_back(static_cast<std::uint16_t>(index));
    at = *end == '\n' ? end + 1 : end;
  }
  return osts;
}

Status make_pool(const Mount& mount, std::string_view name) {
  if (!is_pool_name(name)) return errno_error("make pool", name, EINVAL);
  if (::mkdirat(mount.root_fd(), k_pools_dir, 0755) != 0 && errno != EEXIST) return errno_error("mkdir", k_pools_dir);
  const Fd file(::openat(mount.root_fd(), file_of(name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file) return errno_error("make pool", name);
  return {};
}

Status remove_pool(const Mount& mount, std::string_view name) {
  const auto osts = pool_members(mount, name);
  if (!osts) return errno_error("remove pool", name, ENOENT);
  if (!osts->empty()) return errno_error("remove pool", name, ENOTEMPTY);
  if (::unlinkat(mount.root_fd(), file_of(name).c_str(), 0) != 0) return errno_error("remove pool", name);
  return {};
}

Status set_pool_members(const Mount& mount, std::string_view name, const std::vector<std::uint16_t>& osts) {
  if (!pool_members(mount, name)) return errno_error("change pool", name, ENOENT);
  std::string text;
  for (const auto index : osts) text += std::to_string(index) + "\n";
  // Another name first: a reader sees the old pool or the new one. '.' is in no pool's name.
  const auto fresh = file_of(name) + ".new";
  const Fd file(::openat(mount.root_fd(), fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file || ::write(*file, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::renameat(mount.root_fd(), fresh.c_str(), mount.root_fd(), file_of(name).c_str()) != 0)
    return errno_error("change pool", name);
  return {};
}

std::string ost_uuid(const Mount& mount, std::uint16_t index) {
  char number[8];
  std::snprintf(number, sizeof number, "%04x", static_cast<unsigned>(index));
  return mount.fsname() + "-OST" + number + "_UUID";
}

std::optional<std::uint16_t> ost_index(const Mount& mount, std::string_view name) {
  if (name.ends_with("_UUID")) name.remove_suffix(5);
  if (const auto prefix = mount.fsname() + "-"; name.starts_with(prefix)) name.remove_prefix(prefix.size());
  if (!name.starts_with("OST") || name.size() == 3 || name.size() > 7) return std::nullopt;
  const std::string digits(name.substr(3));
  char* end = nullptr;
  const auto index = std::strtoul(digits.c_str(), &end, 16);
  if (*end != '\0' || index >= mount.ost_count()) return std::nullopt;
  return static_cast<std::uint16_t>(index);
}

}  // namespace lhsm::emulator
