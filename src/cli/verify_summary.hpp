// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>

#include "lhsmtool_mpi/verify/verdict.hpp"

namespace lhsm::cli {

/// What is said at the end of a verification.
struct VerifySummary {
  verify::Totals totals;
  int ranks = 0;
  std::uint64_t skipped = 0;  ///< items that have nothing in the archive
  std::uint64_t left = 0;     ///< items that were not come to
  bool is_complete = false;   ///< it was not stopped
  double seconds = 0;
};

[[nodiscard]] std::string verify_text(const VerifySummary& summary);
[[nodiscard]] std::string verify_json(const VerifySummary& summary);

}  // namespace lhsm::cli
