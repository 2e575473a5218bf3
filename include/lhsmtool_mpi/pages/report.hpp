// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Reports of a job, finished or not, in three forms. Items are read and written in slices.
#pragma once

#include <string>

#include "lhsmtool_mpi/pages/output.hpp"
#include "lhsmtool_mpi/pages/statistics.hpp"
#include "lhsmtool_mpi/store/job_files.hpp"

namespace lhsm::pages {

/// What a report is of, besides what the job says itself.
struct Subject {
  std::string manifest;  ///< its name
  std::string program;   ///< that makes the report
  std::int64_t now_ns = 0;
  bool is_running = false;  ///< somebody works on it
};

/// A line an item (RFC 4180), with a head line. Paths are bytes as they are.
[[nodiscard]] Status write_csv(store::SeenJob& job, Output& out);

/// One JSON object; with `items` all of them, the path as text, and where that is no UTF-8 in hex digits, too.
[[nodiscard]] Status write_json(store::SeenJob& job, const Subject& subject, const Statistics& statistics, bool items,
                                Output& out);

/// One HTML page that needs nothing else, neither files nor scripts.
[[nodiscard]] Status write_html(const store::SeenJob& job, const Subject& subject, const Statistics& statistics,
                                Output& out);

}  // namespace lhsm::pages
