// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>
#include <sstream>
#include <unordered_map>

#include "client/mount.hpp"
#include "client/own_io.hpp"
#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::emulator {
namespace {

constexpr int k_descriptor_min = 512;

/// All mounts that this process has met, by path. Never emptied: calls hold pointers.
struct Known {
  std::mutex mutex;
  std::vector<std::unique_ptr<Mount>> mounts;
};

Known& known() {
  // It outlives every thread and destructor that may still call. A child must not inherit the lock taken.
  static auto* mounts = [] {
    static auto* all = new Known;
    std::ignore = ::pthread_atfork([] { all->mutex.lock(); }, [] { all->mutex.unlock(); }, [] { all->mutex.unlock(); });
    return all;
  }();
  return *mounts;
}

bool lies_in(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

/// Read the marker file of a directory; nothing when it is no emulated mount.
std::unique_ptr<Mount> read_marker(const std::string& directory) {
  const OwnIo own;  // a caller holds the lock that another look for a mount would want
  const auto marker_path = directory + "/" + k_marker;
  const Fd marker(::open(marker_path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!marker) return nullptr;
  char buffer[4096];
  const auto size = ::read(*marker, buffer, sizeof buffer);
  if (size <= 0) return nullptr;
  std::istringstream lines(std::string(buffer, static_cast<std::size_t>(size)));
  std::string fsname;
  std::string name_space = "trusted";
  std::uint32_t mdt_count = 1;
  std::uint32_t ost_count = k_default_osts;
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find('=');
    if (equals == std::string::npos) continue;
    const auto key = line.substr(0, equals);
    const auto value = line.substr(equals + 1);
    if (key == "fsname") fsname = value;
    if (key == "mdt_count") mdt_count = static_cast<std::uint32_t>(std::strtoul(value.c_str(), nullptr, 10));
    if (key == "xattrs") name_space = value;
    if (key == "ost_count") ost_count = static_cast<std::uint32_t>(std::strtoul(value.c_str(), nullptr, 10));
  }
  if (fsname.empty()) return nullptr;
  Fd root(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return nullptr;
  // Out of the way of programs that count on the descriptors they get next.
  if (Fd high(::fcntl(*root, F_DUPFD_CLOEXEC, k_descriptor_min)); high) root = std::move(high);
  return std::make_unique<Mount>(directory, std::move(root), fsname, mdt_count, name_space, ost_count);
}

Mount* mount_of_canonical(std::string_view path) {
  auto& all = known();
  const std::lock_guard lock(all.mutex);
  for (const auto& mount : all.mounts)
    if (lies_in(path, mount->path())) return mount.get();
  for (std::string directory(path); !directory.empty() && directory != "/";
       directory.resize(directory.rfind('/') == std::string::npos ? 0 : directory.rfind('/')))
    if (auto mount = read_marker(directory)) {
      all.mounts.push_back(std::move(mount));
      return all.mounts.back().get();
    }
  return nullptr;
}

std::string uuid_text(std::uint64_t high, std::uint64_t low) {
  char text[40];
  std::snprintf(text, sizeof text, "%08x-%04x-4%03x-%04x-%012llx", static_cast<unsigned>(high >> 32U),
                static_cast<unsigned>(high >> 16U & 0xffffU), static_cast<unsigned>(high & 0xfffU),
                static_cast<unsigned>((low >> 48U & 0x3fffU) | 0x8000U),
                static_cast<unsigned long long>(low & 0xffffffffffffULL));
  return text;
}

}  // namespace

Mount* find_mount(const std::string& path) {
  // The last part may be a symbolic link of the mount itself, or not exist: its directory decides.
  char resolved[PATH_MAX];
  if (::realpath(path.c_str(), resolved) != nullptr)
    if (auto* mount = mount_of_canonical(resolved)) return mount;
  const auto slash = path.find_last_of('/');
  const auto parent = slash == std::string::npos ? std::string(".") : path.substr(0, slash == 0 ? 1 : slash);
  if (::realpath(parent.c_str(), resolved) == nullptr) return nullptr;
  return mount_of_canonical(resolved);
}

Mount* find_mount(int fd, std::string* relative) {
  // Copytools give a descriptor of the mount point again and again: that is told without a path.
  if (struct stat st{}; ::fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
    auto& all = known();
    const std::lock_guard lock(all.mutex);
    for (const auto& mount : all.mounts)
      if (mount->is_root(st)) {
        if (relative != nullptr) relative->clear();
        return mount.get();
      }
  }
  char buffer[PATH_MAX];
  const auto size = ::readlink(inode_path(fd).c_str(), buffer, sizeof buffer);
  if (size <= 0 || buffer[0] != '/') return nullptr;
  const std::string_view path(buffer, static_cast<std::size_t>(size));
  auto* mount = mount_of_canonical(path);
  if (mount != nullptr && relative != nullptr)
    *relative = path.size() > mount->path().size() ? path.substr(mount->path().size() + 1) : std::string_view{};
  return mount;
}

std::string node_uuid(std::string_view node) {
  return uuid_text(std::hash<std::string_view>{}(node), std::hash<std::string>{}("node " + std::string(node)));
}

const std::string& client_uuid() {
  // Never destroyed: programs read files in their last moments too.
  static const std::string& uuid = *new std::string([] {
    if (const char* node = std::getenv("LHSM_EMULATOR_NODE"); node != nullptr && *node != '\0') return node_uuid(node);
    std::uint64_t bits[2] = {};
    const Fd random(::open("/dev/urandom", O_RDONLY | O_CLOEXEC));
    if (!random || ::read(*random, bits, sizeof bits) != sizeof bits)
      bits[0] = (static_cast<std::uint64_t>(::getpid()) << 32U) ^ static_cast<std::uint64_t>(::time(nullptr));
    return uuid_text(bits[0], bits[1]);
  }());
  return uuid;
}

}  // namespace lhsm::emulator
