// SPDX-License-Identifier: LGPL-2.1-or-later
#include "posix_modes.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "lhsmtool_mpi/archive/posix_tree.hpp"
#include "lhsmtool_mpi/base/process_identity.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"
#include "lhsmtool_mpi/manage/manage.hpp"
#include "standard_output.hpp"

namespace lhsm::cli {

namespace {

Outcome<int> upgrade(const archive::PosixTree& tree) {
  LHSM_TRY_ASSIGN(const auto result, tree.upgrade());
  log::info("{} files of the archive moved, {} failed", result.moved, result.failed);
  LHSM_TRY(result.first);
  return 0;
}

Outcome<int> show_max_sequence(const archive::PosixTree& tree) {
  LHSM_TRY_ASSIGN(const std::uint64_t sequence, tree.max_sequence());
  print_answer(fmt::format("max_sequence: {:#x}\n", sequence));
  return 0;
}

Outcome<int> rebind(const archive::PosixTree& tree, const PosixCommand& command, const manage::Options& how) {
  if (command.destination.empty()) {
    LHSM_TRY_ASSIGN(const std::uint64_t failed, manage::rebind_list(tree, command.source, how));
    return failed > 0 ? 1 : 0;
  }
  LHSM_TRY(manage::rebind(tree, command.source, command.destination, how));
  return 0;
}

}  // namespace

Outcome<int> run_posix_mode(const PosixCommand& command) {
  const ServeOptions& options = command.serve;
  log::set_up(host_name(), 0, options.log.level);
  LHSM_TRY_ASSIGN(const auto tree, archive::PosixTree::open(options.archive.root, options.archive.format));
  if (command.mode == PosixMode::archive_upgrade) return upgrade(tree);
  // All others take a mount, and fail without one, though only the import has a use for it.
  LHSM_TRY_ASSIGN(const auto client, lustre::open_client(options.mount_point));
  const manage::Options how{options.archive_ids.empty() ? 0 : options.archive_ids.front(), options.dry_run,
                            options.abort_on_error};
  switch (command.mode) {
    case PosixMode::import:
      LHSM_TRY(manage::import(*client, tree, command.source, command.destination, how));
      return 0;
    case PosixMode::rebind: return rebind(tree, command, how);
    default: return show_max_sequence(tree);
  }
}

}  // namespace lhsm::cli
