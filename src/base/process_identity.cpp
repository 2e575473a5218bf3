// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/process_identity.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <system_error>

namespace lhsm {

namespace {

/// Cut the text before `mark` off `text`, and the mark.
std::string_view cut(std::string_view& text, char mark) {
  const auto end = std::min(text.find(mark), text.size());
  const auto part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

template <class T>
std::optional<T> number_of(std::string_view text, int base) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

struct ProcessStatus {
  bool ended = false;         ///< dead, though nobody may have asked for its exit code yet
  std::uint64_t started = 0;  ///< clock ticks after the boot
};

std::optional<ProcessStatus> status_of(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string stat;
  if (!std::getline(file, stat)) return std::nullopt;
  std::string_view rest = stat;
  rest.remove_prefix(std::min(rest.rfind(')') + 1, rest.size()));  // the name may hold anything
  cut(rest, ' ');
  const auto state = cut(rest, ' ');
  for (int field = 4; field < 22; ++field) cut(rest, ' ');
  const auto started = number_of<std::uint64_t>(cut(rest, ' '), 10);
  if (!started) return std::nullopt;
  return ProcessStatus{state == "Z" || state == "X", *started};
}

std::string this_kernel() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string boot;
  std::getline(file, boot);
  std::array<char, 64> space{};
  if (::readlink("/proc/self/ns/pid", space.data(), space.size() - 1) < 0) space.fill('\0');
  return boot.empty() ? std::string() : fmt::format("{}/{}", boot, space.data());
}

}  // namespace

ProcessIdentity ProcessIdentity::self() {
  const pid_t pid = ::getpid();
  return {this_kernel(), pid, status_of(pid).value_or(ProcessStatus{}).started};
}

std::string ProcessIdentity::text() const { return fmt::format("{} {} {}", kernel, pid, started); }

std::optional<ProcessIdentity> ProcessIdentity::parse(std::string_view line) {
  ProcessIdentity identity;
  identity.kernel = cut(line, ' ');
  const auto pid = number_of<pid_t>(cut(line, ' '), 10);
  const auto started = number_of<std::uint64_t>(line, 10);
  if (identity.kernel.empty() || !pid || *pid <= 0 || !started) return std::nullopt;
  identity.pid = *pid;
  identity.started = *started;
  return identity;
}

std::optional<bool> ProcessIdentity::is_running() const {
  if (kernel != this_kernel()) return std::nullopt;
  if (::kill(pid, 0) != 0 && errno == ESRCH) return false;
  const auto now = status_of(pid);
  return !now || (!now->ended && now->started == started);  // the number may belong to another by now
}

std::string host_name() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host.fill('\0');
  return host.data();
}

}  // namespace lhsm
