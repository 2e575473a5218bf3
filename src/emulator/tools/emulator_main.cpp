// SPDX-License-Identifier: LGPL-2.1-or-later
#include <CLI/CLI.hpp>
#include <cstdio>

#include "core/cluster_state.hpp"
#include "lhsmtool_mpi/base/error.hpp"
#include "tools/emulator_commands.hpp"

int main(int argc, char** argv) {
  using namespace lhsm::emulator;
  CLI::App app{"A Lustre HSM on an ordinary directory, to run and test HSM copytools without Lustre."};
  app.require_subcommand(1);
  StartOptions start;
  std::string directory;
  std::string client;
  std::vector<std::string> words;
  bool json = false;

  auto* start_command = app.add_subcommand("start", "Prepare DIR and start its coordinator; return when it serves");
  start_command->add_option("DIR", directory, "Directory, made if missing: the mount point")->required();
  start_command->add_option("--fsname", start.fsname, "Name of the file system [lustre, or as before]");
  start_command->add_option("--mdt-count", start.mdt_count, "Number of MDTs [1, or as before]");
  start_command->add_option("--ost-count", start.ost_count, "Number of OSTs that layouts name [4, or as before]")
      ->check(CLI::Range(1U, k_most_osts));
  start_command->add_option("--time-scale", start.time_scale, "How many times faster the coordinator's clock runs")
      ->check(CLI::PositiveNumber);
  auto& settings = start.settings;
  start_command->add_option("--max-requests", settings.max_requests, "hsm.max_requests")->check(CLI::PositiveNumber);
  start_command->add_option("--loop-period", settings.loop_period, "hsm.loop_period, seconds")
      ->check(CLI::PositiveNumber);
  start_command->add_option("--grace-delay", settings.grace_delay, "hsm.grace_delay, seconds")
      ->check(CLI::PositiveNumber);
  start_command
      ->add_option("--active-request-timeout", settings.active_request_timeout, "hsm.active_request_timeout, seconds")
      ->check(CLI::PositiveNumber);
  start_command->add_option("--default-archive-id", settings.default_archive_id, "hsm.default_archive_id")
      ->check(CLI::PositiveNumber);
  start_command->add_flag("--foreground", start.foreground, "Do not go into the background");

  auto* stop_command = app.add_subcommand("stop", "Stop the coordinator; files and their states stay");
  stop_command->add_option("DIR", directory, "The mount point")->required();
  auto* status_command = app.add_subcommand("status", "Show what the coordinator does");
  status_command->add_option("DIR", directory, "The mount point")->required();
  status_command->add_flag("--json", json, "As one JSON object");
  auto* restart_command = app.add_subcommand(
      "restart-mdt", "Let an MDT fail over: restores are sent again, other running requests are orphaned");
  std::uint32_t mdt = 0;
  restart_command->add_option("DIR", directory, "The mount point")->required();
  restart_command->add_option("INDEX", mdt, "The MDT [0]");
  auto* model_command =
      app.add_subcommand("model",
                         "Show, set or clear (off) the model of a slow cluster, while it runs:\n"
                         "  client-bandwidth=50M   of each client, bytes a second, for reads and for writes\n"
                         "  ost-bandwidth=200M     of each OST, for reads and writes together\n"
                         "  ost.N=ok|slow:10M|full|inactive   (ost.*: all)\n"
                         "  rpc-latency=1ms jitter=0.5ms seed=1   latency of each RPC, with a random part added\n"
                         "K, M, G, T are powers of 1024; \"unlimited\" is no limit. What is not named stays as it is.");
  model_command->add_option("DIR", directory, "The mount point")->required();
  model_command->add_option("SETTING", words, "NAME=VALUE, or \"off\": everything as without a model");
  auto* kill_command =
      app.add_subcommand("kill-client", "Kill (-9) all processes of a client; return when they are gone");
  auto* evict_command = app.add_subcommand(
      "evict",
      "Let the servers forget a client that lives on: its volatiles and locks are gone, what it writes is dirty");
  for (auto* command : {kill_command, evict_command}) {
    command->add_option("DIR", directory, "The mount point")->required();
    command->add_option("CLIENT", client, "Its LHSM_EMULATOR_NODE, its UUID, or the id of one of its processes")
        ->required();
  }
  auto* env_command = app.add_subcommand("env", "Print shell lines that put the emulator's lfs and library first");
  env_command->add_option("DIR", directory, "The mount point")->required();
  auto* exec_command = app.add_subcommand("exec", "Run a program whose reads of released files wait for a restore");
  exec_command->add_option("DIR", directory, "The mount point")->required();
  exec_command->add_option("COMMAND", words, "After --: the program and its arguments")->required();
  auto* cat_command = app.add_subcommand("cat", "Print files, and wait for a restore of those that are released");
  unsigned timeout = 0;
  cat_command->add_option("--timeout", timeout, "Seconds to wait for each file [0: as long as it takes]");
  cat_command->add_option("FILE", words, "Files")->required();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    if (start_command->parsed()) leave_library(argv);
    if (start_command->parsed()) return run_start(directory, start);
    if (stop_command->parsed()) return run_stop(directory);
    if (status_command->parsed()) return run_status(directory, json);
    if (restart_command->parsed()) return run_restart_mdt(directory, mdt);
    if (exec_command->parsed()) return run_exec(directory, words);
    if (cat_command->parsed()) return run_cat(words, timeout);
    if (model_command->parsed()) return run_model(directory, words);
    if (kill_command->parsed()) return run_kill_client(directory, client);
    if (evict_command->parsed()) return run_evict(directory, client);
    return run_env(directory);
  } catch (const lhsm::UsageError& error) {
    std::fprintf(stderr, "lhsm_emulator: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "lhsm_emulator: %s\n", error.what());
    return 1;
  }
}
