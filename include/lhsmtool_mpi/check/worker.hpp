// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A rank of a check: looks at what a run would find here. Nothing is changed in Lustre; into the archive goes one file,
// which rank 0 makes and removes, and into which every rank writes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/check/judge.hpp"
#include "lhsmtool_mpi/comm/channel.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"

namespace lhsm::check {

struct Mount {
  std::unique_ptr<lustre::Client> client;
  bool is_emulated = false;
};

/// How a rank looks at its machine.
struct Senses {
  /// Return the file system at a path. Errors as lustre::open_client().
  std::function<Outcome<Mount>(const std::string& path)> open_mount;
  /// Return what `lctl get_param` shows of some names or patterns: each parameter of a line. Nothing without lctl.
  std::function<std::vector<Parameter>(const std::vector<std::string>& names)> parameters;
  /// The same as one text, without names.
  std::function<std::string(const std::string& name)> parameter_text;
  /// Return whether this process may do what needs CAP_SYS_ADMIN (of the first user namespace).
  std::function<bool()> is_administrator;
};

/// The machine as it is.
[[nodiscard]] Senses real_senses();

struct WorkerOptions {
  std::string build;  ///< identity of the executable
  std::string host;
  std::string mount;         ///< as the user gave it
  std::string archive_root;
  bool reads_only = false;  ///< write nothing into the archive
  Senses senses;
};

/// Be a rank of a check until the dispatcher says stop. Throws Fatal.
void run_worker(comm::Channel& channel, const WorkerOptions& options);

}  // namespace lhsm::check
