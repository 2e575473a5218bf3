// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>

#include <array>
#include <charconv>
#include <csignal>
#include <fstream>
#include <sstream>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/check/worker.hpp"
#include "lhsmtool_mpi/lustre/llapi_table.hpp"
#include "lhsmtool_mpi/lustre/mount_point.hpp"

extern char** environ;

namespace lhsm::check {

namespace {

using namespace std::chrono_literals;

constexpr Duration k_patience = 20s;  // an MDS that does not answer is found by others
constexpr std::size_t k_longest_output = std::size_t{1} << 20U;
constexpr unsigned k_cap_sys_admin = 21;

/// Return what `lctl get_param` writes, as far as it comes in time; nothing where there is no lctl.
std::string ask_lctl(std::vector<std::string> arguments) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  const Fd out(ends[0]);
  Fd in(ends[1]);
  arguments.insert(arguments.begin(), {"lctl", "get_param"});
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, *in, STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  pid_t pid = -1;
  const int rc = ::posix_spawnp(&pid, "lctl", &actions, &attributes, argv.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  in.reset();
  if (rc != 0) return {};
  std::string text;
  std::array<char, 4096> piece{};
  const TimePoint deadline = std::chrono::steady_clock::now() + k_patience;
  while (text.size() < k_longest_output) {
    pollfd poll{*out, POLLIN, 0};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || ::poll(&poll, 1, static_cast<int>(left.count())) == 0) break;
    const ssize_t got = ::read(*out, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  // It has ended, or is not waited for any longer.
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {}
  return text;
}

std::vector<Parameter> parameters(const std::vector<std::string>& names) {
  std::vector<Parameter> found;
  std::istringstream lines(ask_lctl(names));
  for (std::string line; std::getline(lines, line);)
    if (const auto equals = line.find('='); equals != std::string::npos)
      found.push_back({line.substr(0, equals), line.substr(equals + 1)});
  return found;
}

bool is_administrator() {
  std::ifstream map("/proc/self/uid_map");
  std::uint64_t inside = 0;
  std::uint64_t outside = 0;
  std::uint64_t count = 0;
  // In another user namespace root is not the kernel's.
  if (map >> inside >> outside >> count; map && (inside != 0 || outside != 0 || count != 0xffffffffU)) return false;
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    constexpr std::string_view k_key = "CapEff:\t";
    if (!line.starts_with(k_key)) continue;
    std::uint64_t bits = 0;
    std::from_chars(line.data() + k_key.size(), line.data() + line.size(), bits, 16);
    return ((bits >> k_cap_sys_admin) & 1U) != 0;
  }
  return ::geteuid() == 0;
}

Outcome<Mount> open_mount(const std::string& path) {
  LHSM_TRY_ASSIGN(const std::string mount_point, lustre::mount_point_of(path));
  LHSM_TRY_ASSIGN(const std::string library, lustre::llapi_library_for(mount_point));
  LHSM_TRY_ASSIGN(auto client, lustre::open_client(mount_point));
  return Mount{std::move(client), library != "liblustreapi.so.1"};
}

}  // namespace

Senses real_senses() {
  return {open_mount, parameters, [](const std::string& name) { return ask_lctl({"-n", name}); }, is_administrator};
}

}  // namespace lhsm::check
