// SPDX-License-Identifier: LGPL-2.1-or-later
#include "kept_locks.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::lustre {

namespace {

namespace fs = std::filesystem;

using TimePoint = std::chrono::steady_clock::time_point;

constexpr int k_fewest_writes = 3;  // each does nothing with a chance of some per cent on a busy client
constexpr auto k_pause = std::chrono::milliseconds(1);
// So many unused ones are taken for new: a client that others use takes locks all the time, one that ignores us keeps nearly all.
constexpr std::uint64_t k_few_locks = 64;
constexpr std::uint64_t k_few_of_before = 10;  // a tenth

std::string text_of(const fs::path& parameter) {
  std::ifstream file(parameter);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::uint64_t number_of(const fs::path& parameter) {
  const std::string text = text_of(parameter);
  std::uint64_t number = ~std::uint64_t{0};  // what cannot be read is not taken for few
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

/// Return whether it is known that requests to this MDT would wait: then so would we, in a call that no signal ends.
bool is_down(const fs::path& import) {
  const std::string text = text_of(import);  // readable by root, where debugfs is mounted
  return text.find("state: ") != std::string::npos && text.find("state: FULL") == std::string::npos &&
         text.find("state: IDLE") == std::string::npos;
}

/// Keep other ranks of this node from doing the same meanwhile.
Status take_turn(int file, const fs::path& parameter, TimePoint until) {
  // Anybody may hold this lock, for as long as he likes.
  while (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return errno_error("flock", parameter.string());
    if (std::chrono::steady_clock::now() >= until) return errno_error("flock", parameter.string(), EBUSY);
    std::this_thread::sleep_for(k_pause);
  }
  return {};
}

/// One write is not enough: it does nothing, without an error, while the client itself goes through its locks
/// (LDLM_NS_LRU_CANCEL in ldlm_prepare_lru_list()), and does not wait for those that somebody else is dropping. So until the
/// unused ones are gone, and all in all they become no fewer any more.
Status clear(const fs::path& space, TimePoint until) {
  constexpr std::string_view k_clear = "clear";
  const fs::path parameter = space / "lru_size";
  const Fd file(::open(parameter.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return errno_error("open", parameter.string());
  LHSM_TRY(take_turn(*file, parameter, until));
  const std::uint64_t enough = std::max(k_few_locks, number_of(space / "lock_unused_count") / k_few_of_before);
  std::uint64_t all = number_of(space / "lock_count");
  for (int i = 1; i <= k_fewest_writes || std::chrono::steady_clock::now() < until; ++i) {
    if (::pwrite(*file, k_clear.data(), k_clear.size(), 0) < 0) return errno_error("drop locks by", parameter.string());
    std::this_thread::sleep_for(k_pause);
    const std::uint64_t before = std::exchange(all, number_of(space / "lock_count"));
    if (i >= k_fewest_writes && all >= before && number_of(space / "lock_unused_count") <= enough) return {};
  }
  return errno_error("drop locks by", parameter.string(), EBUSY);
}

}  // namespace

Status drop_kept_locks_of(const std::string& instance, const ClientParameters& parameters) {
  const auto dash = instance.rfind('-');  // a file system's name may have dashes of its own
  if (dash == std::string::npos) return errno_error("find the locks of", instance, EOPNOTSUPP);
  if (text_of(parameters.sysfs / "llite" / instance / "xattr_cache").starts_with('0'))
    return errno_error("keep xattrs by the client", instance, EOPNOTSUPP);
  const std::string begin = instance.substr(0, dash) + "-MDT";
  const std::string end = "-mdc" + instance.substr(dash);
  const TimePoint until = std::chrono::steady_clock::now() + parameters.patience;
  bool is_found = false;
  std::error_code ec;
  const fs::path namespaces = parameters.sysfs / "ldlm/namespaces";
  for (fs::directory_iterator entry(namespaces, ec), none; !ec && entry != none; entry.increment(ec)) {
    const std::string name = entry->path().filename();
    if (!name.starts_with(begin) || !name.ends_with(end)) continue;
    if (is_down(parameters.debugfs / "mdc" / name / "import")) return errno_error("drop locks of", name, EHOSTDOWN);
    LHSM_TRY(clear(entry->path(), until));
    is_found = true;
  }
  if (ec) return errno_error("list", namespaces.string(), ec.value());
  if (!is_found) return errno_error("find the locks of", instance, ENOENT);
  return {};
}

Status drop_kept_locks(const LlapiTable& api, const std::string& mount_point) {
  LHSM_TRY_ASSIGN(const bool is_real, is_lustre(mount_point));
  if (!is_real) return {};
  std::array<char, 128> name{};
  if (api.getname == nullptr) return errno_error("find the client of", mount_point, EOPNOTSUPP);
  if (const int rc = api.getname(mount_point.c_str(), name.data(), name.size()); rc != 0)
    return errno_error("find the client of", mount_point, -rc);
  return drop_kept_locks_of(name.data(), {});
}

}  // namespace lhsm::lustre
