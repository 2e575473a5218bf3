// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "lhsmtool_mpi/cli/scan.hpp"

namespace lhsm::cli {

/// What a job is about, and whether its manifest is to be made first: what rank 0 finds out, as only it need have the manifest.
struct JobPlan {
  int code = 0;         ///< not 0: nothing can be done, with this exit code
  std::string failure;  ///< the reason for people
  bool scans = false;
  int scan_code = 0;    ///< exit code of the scan of a manifest that is gone on with
  std::string manifest;
  std::string mount_point;

  /// As one text, and back.
  [[nodiscard]] std::string pack() const;
  [[nodiscard]] static JobPlan unpack(const std::string& text);
};

/// Find out what a job command's targets are: a manifest and a mount point, when the first of two is a manifest by its
/// content; otherwise what `scan` takes, of which `conditions` are the options as they were given. The scan's
/// command_line becomes the one that would make the same manifest: by it one that is there is known to be of this job.
/// `name` is the command's. Never throws Fatal: the plan says what is wrong.
[[nodiscard]] JobPlan plan_job(const std::string& name, const std::vector<std::string>& targets,
                               const std::vector<std::string>& conditions, ScanCommand& scan);

}  // namespace lhsm::cli
