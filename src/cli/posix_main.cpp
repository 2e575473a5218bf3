// SPDX-License-Identifier: LGPL-2.1-or-later
#include "posix_main.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <getopt.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>

#include "background.hpp"
#include "lhsmtool_mpi/base/say.hpp"
#include "lhsmtool_mpi/cli/commands.hpp"
#include "lhsmtool_mpi/comm/mpi_session.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"
#include "posix_modes.hpp"
#include "posix_options.hpp"
#include "rank_zero.hpp"
#include "run_files.hpp"

namespace lhsm::cli {

namespace {

constexpr std::chrono::seconds k_beyond_drain{5};

int code_of(const Error& error) { return error.sys_errno > 0 && error.sys_errno < 256 ? error.sys_errno : k_run_failed; }

void complain(const std::string& program, std::string_view text) { say(stderr, "{}: {}\n", program, text); }

Status check_root_is_given(const ServeOptions& options) {
  if (!options.archive.root.empty()) return {};
  return failure(ErrorKind::invalid, EINVAL, "no root directory of the archive:", "--hsm-root is missing");
}

Status check_root(const ServeOptions& options) {
  const Fd root(::open(options.archive.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return errno_error("open archive", options.archive.root);
  return {};
}

int serve_as_posix(const std::string& program, const PosixCommand& command) {
  const bool launched = comm::started_by_launcher();
  if (!launched) {
    // What can be known before anything is started gives its errno as the exit code. Of several ranks
    // each looks for itself, and rank 0 says which one cannot work.
    const auto client = lustre::open_client(command.serve.mount_point);
    if (!client) {
      complain(program, client.error().describe());
      return code_of(client.error());
    }
  }
  std::optional<Background> background;
  if (command.daemonize && launched) {
    // The launcher would take the end of the process that it started for the end of the rank.
    if (speaks_for_all()) complain(program, "--daemon has no effect under a launcher: let that go to the background");
  } else if (command.daemonize) {
    auto entered = Background::enter();
    if (!entered) throw Fatal(entered.error());
    background = std::move(*entered);
  }
  ServeOptions options = command.serve;
  options.copy.remove_needs_object = true;
  // A predecessor that was started with the same options lets its copies run for so long.
  if (background) options.pid_file_patience = options.drain_timeout + k_beyond_drain;
  std::optional<Error> refused;
  options.on_started = [&](const Status& status) {
    refused.reset();
    if (!status) refused = status.error();
    // lhsmtool_posix forks before it looks at the pid file: to start it where it runs is no error to the shell.
    const bool is_running_already = refused && refused->operation == k_lock_pid_file && refused->kind == ErrorKind::busy;
    if (background && (status || is_running_already)) background->started();
  };
  try {
    return serve(options);
  } catch (const Fatal& error) {
    complain(program, error.what());
    return refused ? code_of(*refused) : k_run_failed;
  }
}

}  // namespace

bool is_posix_name(const std::string& program) {
  return program.substr(program.rfind('/') + 1).find("hsmtool_posix") != std::string::npos;
}

int run_as_posix(const std::string& program, int argc, char** argv) {
  const bool speaks = speaks_for_all();
  PosixCommand command;
  try {
    opterr = speaks ? 1 : 0;
    command = parse_posix_options(argc, argv);
  } catch (const UsageError& error) {
    if (speaks) say(stderr, "{0}: {1}\n{0}: try '{0} --help' for more information\n", program, error.what());
    return EINVAL;
  }
  if (command.mode == PosixMode::help) {
    if (speaks) say(stdout, "{}", posix_usage(program));
    return 0;
  }
  if (!command.config_path.empty()) {
    // Each rank reads it on its own node, and may be the only one that cannot.
    if (const Status read = read_posix_config(command.config_path, command.serve.archive); !read) {
      complain(program, read.error().describe());
      return code_of(read.error());
    }
  }
  Status ready = check_root_is_given(command.serve);
  if (ready && !comm::started_by_launcher()) ready = check_root(command.serve);
  if (!ready) {
    if (speaks) complain(program, ready.error().describe());
    return code_of(ready.error());
  }
  if (command.mode == PosixMode::serve) return serve_as_posix(program, command);
  if (!speaks) return 0;  // one process is enough for the other modes
  const auto done = run_posix_mode(command);
  if (done) return *done;
  complain(program, done.error().describe());
  return code_of(done.error());
}

}  // namespace lhsm::cli
