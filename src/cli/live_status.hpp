// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <string>

namespace lhsm::cli {

/// Return whether `path` is a file that a run keeps with --status, by how it begins.
[[nodiscard]] bool is_live_status(const std::string& path);

/// Print it: as it is, or as a table. Throws Fatal.
void print_live_status(const std::string& path, bool as_json);

/// Print the table whenever the file is replaced (a terminal), or each `interval`, until the run has ended or its process is
/// gone; then as it stands at last. Throws Fatal.
void watch_live_status(const std::string& path, std::chrono::seconds interval);

}  // namespace lhsm::cli
