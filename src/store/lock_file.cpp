// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lock_file.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <vector>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/store/disk.hpp"
#include "read_at.hpp"

namespace lhsm::store {

namespace {

constexpr std::string_view k_magic = "lhsmtool_mpi lock 1";
constexpr std::size_t k_bytes = 512;

template <class T>
bool number(std::string_view text, T& value, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return !text.empty() && error == std::errc{} && end == text.data() + text.size();
}

std::string iso(std::int64_t ns) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(ns / 1'000'000'000)));
}

}  // namespace

std::string LockOwner::text() const {
  std::string text = fmt::format("{}\n{}\n{}\n{}\n{:016x}\n{}\n{}\n{}\n", k_magic, process.text(), host,
                                 is_locked ? "locked" : "unlocked", token, since_ns, beats, beat_ns);
  text.resize(k_bytes, '\0');
  return text;
}

std::optional<LockOwner> LockOwner::parse(std::string_view text) {
  std::vector<std::string_view> lines;
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  if (lines.size() != 8 || lines[0] != k_magic) return std::nullopt;
  const auto process = ProcessIdentity::parse(lines[1]);
  LockOwner owner;
  if (!process || !number(lines[4], owner.token, 16) || !number(lines[5], owner.since_ns) ||
      !number(lines[6], owner.beats) || !number(lines[7], owner.beat_ns))
    return std::nullopt;
  owner.process = *process;
  owner.host = lines[2];
  owner.is_locked = lines[3] == "locked";
  return owner;
}

std::string LockOwner::describe() const {
  return fmt::format("pid {} on {} since {}, last sign of life {}", process.pid, host, iso(since_ns), iso(beat_ns));
}

Outcome<std::optional<LockOwner>> read_owner(const std::string& path) {
  // Opened anew each time: NFS looks at the server only then.
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) return errno_error("open", path);
  std::string text(k_bytes, '\0');
  LHSM_TRY_ASSIGN(const std::size_t got, read_at(*fd, std::as_writable_bytes(std::span(text)), 0, path));
  return LockOwner::parse(std::string_view(text).substr(0, got));
}

Status write_owner(int fd, const LockOwner& owner, const std::string& path) {
  const std::string text = owner.text();
  LHSM_TRY(Disk::real().write_at(fd, std::as_bytes(std::span(text)), 0, path));
  // So that other hosts see it, which is all it is for.
  return Disk::real().sync_data(fd, path);
}

}  // namespace lhsm::store
