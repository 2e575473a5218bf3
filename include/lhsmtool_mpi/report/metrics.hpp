// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "lhsmtool_mpi/report/status.hpp"
#include "lhsmtool_mpi/report/tally.hpp"

namespace lhsm::report {

/// Return the metrics of a run in the text format of Prometheus, as node_exporter's textfile collector reads it
/// (docs/status-and-metrics.md). Labels are few: command, mount, action, result, errno, host.
[[nodiscard]] std::string metrics_text(const RunStatus& status, const Tally& tally);

}  // namespace lhsm::report
