// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Quotas: limits that `lfs setquota` keeps, one file each in .lustre/quota, and what the tree uses. They are told,
// not enforced.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "client/own_io.hpp"
#include "library/llapi.hpp"

namespace lhsm::emulator {
namespace {

using namespace abi;

constexpr const char* k_quota_dir = ".lustre/quota";
constexpr std::uint32_t k_kinds = 3;  // user, group, project
constexpr std::uint32_t k_user = 0;
constexpr std::uint32_t k_project = 2;

struct Usage {
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
};
using UsageTable = std::array<std::map<std::uint32_t, Usage>, k_kinds>;

std::uint32_t project_of(const Mount& mount, const std::string& path) {
  std::array<std::uint32_t, 2> project{};  // id, flags
  const auto size =
      ::syscall(SYS_lgetxattr, path.c_str(), mount.names().project.c_str(), project.data(), sizeof project);
  return size == static_cast<long>(sizeof project) ? project[0] : 0;
}

UsageTable count_usage(const Mount& mount) {
  UsageTable table;
  std::set<ino_t> linked;  // with several names
  std::error_code ec;
  namespace fs = std::filesystem;
  fs::recursive_directory_iterator at(mount.path(), fs::directory_options::skip_permission_denied, ec);
  for (; !ec && at != fs::recursive_directory_iterator(); at.increment(ec)) {
    const std::string path = at->path().native();
    if (at.depth() == 0 && at->path().filename() == ".lustre") {
      at.disable_recursion_pending();
      continue;
    }
    struct stat st {};
    if (::lstat(path.c_str(), &st) != 0) continue;
    if (!S_ISDIR(st.st_mode) && st.st_nlink > 1 && !linked.insert(st.st_ino).second) continue;
    const std::array<std::uint32_t, k_kinds> ids{st.st_uid, st.st_gid, project_of(mount, path)};
    for (std::size_t kind = 0; kind < k_kinds; ++kind) {
      Usage& usage = table[kind][ids[kind]];
      usage.bytes += static_cast<std::uint64_t>(st.st_blocks) * 512;
      ++usage.files;
    }
  }
  return table;
}

/// A walk of the tree; who asks for many ids in a row is answered from one.
Usage usage_of(const Mount& mount, std::uint32_t kind, std::uint32_t id) {
  using Clock = std::chrono::steady_clock;
  static std::mutex mutex;
  static const Mount* counted = nullptr;
  static Clock::time_point until;
  static UsageTable table;
  const std::lock_guard lock(mutex);
  if (counted != &mount || Clock::now() >= until) {
    table = count_usage(mount);
    counted = &mount;
    until = Clock::now() + std::chrono::seconds(1);
  }
  return table[kind][id];
}

std::string limit_file(const if_quotactl& query) {
  return std::string(k_quota_dir) + "/" + std::to_string(query.qc_type) + "." + std::to_string(query.qc_id);
}

void read_limits(const Mount& mount, if_quotactl& query) {
  query.qc_dqblk = {};
  query.qc_dqblk.dqb_valid = QIF_BLIMITS | QIF_ILIMITS;
  const Fd file(::openat(mount.root_fd(), limit_file(query).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  std::array<char, 200> text{};
  if (!file || ::read(*file, text.data(), text.size() - 1) <= 0) return;
  unsigned long long soft = 0, hard = 0, file_soft = 0, file_hard = 0;
  if (std::sscanf(text.data(), "%llu %llu %llu %llu", &soft, &hard, &file_soft, &file_hard) != 4) return;
  query.qc_dqblk.dqb_bsoftlimit = soft;
  query.qc_dqblk.dqb_bhardlimit = hard;
  query.qc_dqblk.dqb_isoftlimit = file_soft;
  query.qc_dqblk.dqb_ihardlimit = file_hard;
}

/// Set those limits that are said to be valid; the others stay.
int set_limits(const Mount& mount, const if_quotactl& query) {
  if (!mount.is_admin()) return -EPERM;
  if_quotactl now = query;
  read_limits(mount, now);
  if ((query.qc_dqblk.dqb_valid & QIF_BLIMITS) != 0) {
    now.qc_dqblk.dqb_bsoftlimit = query.qc_dqblk.dqb_bsoftlimit;
    now.qc_dqblk.dqb_bhardlimit = query.qc_dqblk.dqb_bhardlimit;
  }
  if ((query.qc_dqblk.dqb_valid & QIF_ILIMITS) != 0) {
    now.qc_dqblk.dqb_isoftlimit = query.qc_dqblk.dqb_isoftlimit;
    now.qc_dqblk.dqb_ihardlimit = query.qc_dqblk.dqb_ihardlimit;
  }
  std::string text;
  for (const std::uint64_t limit : {now.qc_dqblk.dqb_bsoftlimit, now.qc_dqblk.dqb_bhardlimit, now.qc_dqblk.dqb_isoftlimit,
                                    now.qc_dqblk.dqb_ihardlimit})
    text += std::to_string(limit) + " ";
  if (::mkdirat(mount.root_fd(), k_quota_dir, 0755) != 0 && errno != EEXIST) return -errno;
  const std::string name = limit_file(query);
  const std::string fresh = name + ".new." + std::to_string(::getpid());
  const Fd file(::openat(mount.root_fd(), fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return -errno;
  if (::write(*file, text.data(), text.size()) != static_cast<ssize_t>(text.size())) return -EIO;
  return ::renameat(mount.root_fd(), fresh.c_str(), mount.root_fd(), name.c_str()) != 0 ? -errno : 0;
}

bool may_ask(const Mount& mount, const if_quotactl& query) {
  if (mount.is_admin() || query.qc_type == k_project) return true;
  if (query.qc_type == k_user) return ::geteuid() == query.qc_id;
  if (::getegid() == query.qc_id) return true;
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
  groups.resize(static_cast<std::size_t>(std::max(::getgroups(static_cast<int>(groups.size()), groups.data()), 0)));
  return std::find(groups.begin(), groups.end(), query.qc_id) != groups.end();
}

}  // namespace

int serve_quotactl(const Mount& mount, void* argument) {
  if_quotactl query{};
  std::memcpy(&query, argument, sizeof query);
  const OwnIo own;  // what is kept of quotas lies on no OST
  if (query.qc_valid != 0) return -EOPNOTSUPP;  // of one target
  if (query.qc_type >= k_kinds) return -EINVAL;
  if (query.qc_cmd == LUSTRE_Q_SETQUOTA) return set_limits(mount, query);
  if (query.qc_cmd != LUSTRE_Q_GETQUOTA) return -EOPNOTSUPP;
  if (!may_ask(mount, query)) return -EPERM;
  read_limits(mount, query);
  const Usage usage = usage_of(mount, query.qc_type, query.qc_id);
  query.qc_dqblk.dqb_curspace = usage.bytes;
  query.qc_dqblk.dqb_curinodes = usage.files;
  query.qc_dqblk.dqb_valid |= QIF_SPACE | QIF_INODES;
  std::memcpy(argument, &query, sizeof query);
  return 0;
}

}  // namespace lhsm::emulator

LHSM_EXPORT int llapi_quotactl(const char* path, lhsm::abi::if_quotactl* query) {
  const lhsm::emulator::Mount* const mount = lhsm::emulator::find_mount(std::string(path));
  return mount != nullptr ? lhsm::emulator::serve_quotactl(*mount, query) : -ENODEV;
}
