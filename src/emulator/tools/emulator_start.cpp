// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <climits>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "client/mount.hpp"
#include "core/socket.hpp"
#include "daemon/server.hpp"
#include "lhsmtool_mpi/base/log.hpp"
#include "tools/emulator_commands.hpp"

namespace lhsm::emulator {
namespace {

constexpr const char* k_lock = ".lustre/lock";
constexpr const char* k_log = ".lustre/log";

[[noreturn]] void fail(const std::string& operation, const std::string& subject) {
  throw Fatal(operation + " " + subject + ": " + errno_name(errno));
}

/// "trusted" needs CAP_SYS_ADMIN and a file system that has it; "user" is what is left.
std::string usable_name_space(const std::string& directory) {
  const AttributeNames trusted("trusted");
  const std::uint64_t probe = 0;
  if (::setxattr(directory.c_str(), "trusted.lhsm_probe", &probe, sizeof probe, 0) == 0) {
    std::ignore = ::removexattr(directory.c_str(), "trusted.lhsm_probe");
    return "trusted";
  }
  if (::setxattr(directory.c_str(), "user.lhsm_probe", &probe, sizeof probe, 0) != 0)
    fail("the file system has no extended attributes:", directory);
  std::ignore = ::removexattr(directory.c_str(), "user.lhsm_probe");
  return "user";
}

void write_marker(int mount_fd, const ServerOptions& options) {
  const std::string text = "fsname=" + options.fsname + "\nmdt_count=" + std::to_string(options.mdt_count) +
                           "\nxattrs=" + options.xattr_name_space + "\nost_count=" + std::to_string(options.ost_count) +
                           "\n";
  const std::string temporary = std::string(k_marker) + ".new";
  Fd file(::openat(mount_fd, temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file || ::write(*file, text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::renameat(mount_fd, temporary.c_str(), mount_fd, k_marker) != 0)
    fail("write", k_marker);
}

ServerOptions prepare(const std::string& directory, const StartOptions& wanted) {
  std::error_code error;
  std::filesystem::create_directories(directory + "/" + k_fid_dir, error);
  if (error) throw Fatal("mkdir " + directory + "/" + k_fid_dir + ": " + error.message());
  if (::chmod((directory + "/" + k_fid_dir).c_str(), 0700) != 0) fail("chmod", k_fid_dir);
  ServerOptions options;
  options.mount_path = std::filesystem::canonical(directory).native();
  options.time_scale = wanted.time_scale;
  options.settings = wanted.settings;
  // What an earlier start chose stays, unless it is asked for otherwise.
  const Mount* before = find_mount(options.mount_path);
  if (before != nullptr && before->path() != options.mount_path)
    throw Fatal(options.mount_path + " lies inside the emulated mount " + before->path());
  options.fsname = !wanted.fsname.empty() ? wanted.fsname : before != nullptr ? before->fsname() : "lustre";
  options.mdt_count = wanted.mdt_count != 0 ? wanted.mdt_count : before != nullptr ? before->mdt_count() : 1;
  options.ost_count = wanted.ost_count != 0 ? wanted.ost_count : before != nullptr ? before->ost_count() : 4;
  if (before != nullptr && options.mdt_count < before->mdt_count())
    throw Fatal("MDTs cannot be taken away: there are " + std::to_string(before->mdt_count()));
  options.xattr_name_space = before != nullptr ? before->names().name_space : usable_name_space(options.mount_path);
  if (options.fsname.empty() || options.fsname.size() > 8 ||
      options.fsname.find_first_of("/. \n-") != std::string::npos)
    throw Fatal("a file system's name has 1 to 8 letters: " + options.fsname);
  return options;
}

/// Wait a few seconds at most for the lock to become free.
bool wait_for_lock(int lock) {
  struct sigaction wake {};
  wake.sa_handler = [](int) {};  // no SA_RESTART: the signal ends the wait
  if (::sigaction(SIGALRM, &wake, nullptr) != 0) fail("sigaction", "SIGALRM");
  ::alarm(5);
  const bool is_ours = ::flock(lock, LOCK_EX) == 0;
  ::alarm(0);
  return is_ours;
}

/// Return whether a daemon serves. That its socket takes a connection says nothing: one that is being
/// killed has a socket still.
bool answers(int mount_fd) {
  const auto socket = connect_to(mount_fd);
  if (!socket) return false;
  const timeval patience{5, 0};
  if (::setsockopt(**socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) fail("setsockopt", k_socket);
  Writer hello;
  hello.put(Op::hello).put(k_protocol).put("start");
  return send_message(**socket, hello.bytes()) && receive_message(**socket);
}

/// Hold the lock for the life of this process, with the pid in it.
Fd take_lock(int mount_fd) {
  Fd lock(::openat(mount_fd, k_lock, O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock) fail("open", k_lock);
  if (::flock(*lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) fail("lock", k_lock);
    // A daemon that is being killed keeps its lock for a moment.
    if (answers(mount_fd) || !wait_for_lock(*lock)) throw Fatal("the emulator is already running there");
  }
  const auto pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(*lock, 0) != 0 || ::pwrite(*lock, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
    fail("write", k_lock);
  return lock;
}

void detach_from_terminal(int mount_fd) {
  if (::setsid() < 0) fail("setsid", "");
  const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Fd log_file(::openat(mount_fd, k_log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!null || !log_file) fail("open", k_log);
  if (::dup2(*null, 0) < 0 || ::dup2(*log_file, 1) < 0 || ::dup2(*log_file, 2) < 0) fail("dup", k_log);
  if (::chdir("/") != 0) fail("chdir", "/");
}

void write_text(int fd, const std::string& text) {
  if (::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) std::abort();
}

}  // namespace

int run_start(const std::string& directory, const StartOptions& wanted) {
  const auto options = prepare(directory, wanted);
  Fd mount(::open(options.mount_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!mount) fail("open", options.mount_path);
  log::set_up("lhsm_emulator", 0, log::Level::info);

  if (wanted.foreground) {
    const Fd lock = take_lock(*mount);
    write_marker(*mount, options);
    Server server(options, std::move(mount));
    server.run();
    return 0;
  }
  // The child says through the pipe that it serves, or why it does not.
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("pipe", "");
  const Fd ready(ends[0]);
  Fd say(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) fail("fork", "");
  if (child == 0) {
    bool is_serving = false;
    try {
      const Fd lock = take_lock(*mount);
      write_marker(*mount, options);
      detach_from_terminal(*mount);
      Server server(options, std::move(mount));
      write_text(*say, "ready\n");
      say.reset();
      is_serving = true;
      server.run();
      std::_Exit(0);
    } catch (const std::exception& error) {
      if (is_serving)
        log::error("{}", error.what());
      else
        write_text(*say, error.what());
      std::_Exit(1);
    }
  }
  say.reset();
  std::string text;
  char buffer[512];
  for (ssize_t got = 0; (got = ::read(*ready, buffer, sizeof buffer)) != 0;) {
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read", "ready pipe");
    text.append(buffer, static_cast<std::size_t>(got));
  }
  if (text == "ready\n") return 0;
  throw Fatal(options.mount_path + ": " +
              (text.empty() ? "the daemon died at its start, see " + std::string(k_log) : text));
}

int run_stop(const std::string& directory) {
  const Fd mount(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!mount) fail("open", directory);
  const Fd lock(::openat(*mount, k_lock, O_RDWR | O_CLOEXEC));
  if (!lock) {
    if (errno == ENOENT) throw Fatal(directory + " is no emulated file system");
    fail("open", k_lock);
  }
  if (::flock(*lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) fail("lock", k_lock);
    char buffer[32] = {};
    if (::pread(*lock, buffer, sizeof buffer - 1, 0) <= 0) fail("read", k_lock);
    const auto pid = static_cast<pid_t>(std::strtol(buffer, nullptr, 10));
    if (pid <= 1) throw Fatal("no process id in " + std::string(k_lock));
    if (::kill(pid, SIGTERM) != 0 && errno != ESRCH) fail("kill", std::to_string(pid));
    // The lock becomes free when the process is gone.
    while (::flock(*lock, LOCK_EX) != 0)
      if (errno != EINTR) fail("lock", k_lock);
  }
  // A killed daemon leaves its socket.
  if (::unlinkat(*mount, k_socket, 0) != 0 && errno != ENOENT) fail("unlink", k_socket);
  return 0;
}

}  // namespace lhsm::emulator
