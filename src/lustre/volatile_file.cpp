// SPDX-License-Identifier: LGPL-2.1-or-later
#include "volatile_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <climits>

namespace lhsm::lustre {

namespace {

constexpr const char* k_header = ".\x0c\x13\x14\x12:VOLATILE";  // LUSTRE_VOLATILE_HDR
constexpr int k_attempts = 100;

/// No two at once in this directory from this client need to be told apart by more.
unsigned next_number() {
  static std::atomic<unsigned> numbers{static_cast<unsigned>(::getpid()) << 16};
  return ++numbers;
}

}  // namespace

Outcome<Fd> make_volatile(const std::string& directory, int mdt_index, int flags, int like) {
  for (int attempt = 1;; ++attempt) {
    std::string path = fmt::format("{}/{}:", directory, k_header);
    if (mdt_index >= 0) path += fmt::format("{:04X}", mdt_index);
    path += fmt::format(":{:04X}", next_number());
    if (like >= 0) path += fmt::format(":fd={:02}", like);
    if (path.size() >= PATH_MAX) return errno_error("create volatile file in", directory, ENAMETOOLONG);
    Fd made(::open(path.c_str(), flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (made) return made;
    if (errno != EEXIST || attempt == k_attempts) return errno_error("create volatile file in", directory);
  }
}

}  // namespace lhsm::lustre
