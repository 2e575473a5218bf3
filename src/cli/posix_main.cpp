// SPDX-License-Identifier: LGPL-2.1-or-later
#include "posix_main.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <getopt.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "background.hpp"
#include "lhsmtool_mpi/cli/commands.hpp"
#include "lhsmtool_mpi/comm/mpi_session.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"
#include "posix_modes.hpp"
#include "posix_options.hpp"
#include "rank_zero.hpp"

namespace lhsm::cli {

namespace {

int code_of(const Error& error) { return error.sys_errno > 0 && error.sys_errno < 256 ? error.sys_errno : k_run_failed; }

void complain(const std::string& program, std::string_view text) { fmt::print(stderr, "{}: {}\n", program, text); }

/// What can be known before anything is started, so that a daemon's caller hears of it.
Status check_places(const ServeOptions& options) {
  if (options.archive.root.empty())
    return failure(ErrorKind::invalid, EINVAL, "no root directory of the archive:", "--hsm-root is missing");
  const Fd root(::open(options.archive.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return errno_error("open archive", options.archive.root);
  return {};
}

int serve_as_posix(const std::string& program, const PosixCommand& command) {
  if (const auto client = lustre::open_client(command.serve.mount_point); !client) {
    if (speaks_for_all()) complain(program, client.error().describe());
    return code_of(client.error());
  }
  std::optional<Background> background;
  if (command.daemonize && comm::started_by_launcher()) {
    // The launcher would take the end of the process that it started for the end of the rank.
    if (speaks_for_all()) complain(program, "--daemon has no effect under a launcher: let that go to the background");
  } else if (command.daemonize) {
    auto entered = Background::enter();
    if (!entered) throw Fatal(entered.error());
    background = std::move(*entered);
  }
  ServeOptions options = command.serve;
  std::optional<Error> refused;
  options.on_started = [&](const Status& status) {
    if (!status) refused = status.error();
    if (status && background) background->started();
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
    if (speaks) fmt::print(stderr, "{0}: {1}\n{0}: try '{0} --help' for more information\n", program, error.what());
    return EINVAL;
  }
  if (command.mode == PosixMode::help) {
    if (speaks) fmt::print("{}", posix_usage(program));
    return 0;
  }
  Status ready;
  if (!command.config_path.empty()) ready = read_posix_config(command.config_path, command.serve.archive);
  if (ready) ready = check_places(command.serve);
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
