// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <string>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/check/dispatcher.hpp"

namespace lhsm::cli {

/// All that `lhsmtool_mpi check` can be told.
struct CheckOptions {
  std::string mount;
  std::string archive_root;
  bool reads_only = false;
  bool is_json = false;
  std::uint64_t slots = 4;
  check::Plan plan;
  std::chrono::seconds patience{60};
};

/// Look, on all ranks, at what a run would find. Return the exit code. Throws Fatal.
int run_check(const CheckOptions& options);

/// What was found, as text for people or as JSON.
[[nodiscard]] std::string check_text(const check::Report& report, int ranks);
[[nodiscard]] std::string check_json(const check::Report& report, const std::vector<check::Link>& links, int ranks);

}  // namespace lhsm::cli
