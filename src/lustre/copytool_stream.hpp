// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "coordinator_probe.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"
#include "lhsmtool_mpi/lustre/llapi_table.hpp"

namespace lhsm::lustre {

/// Register the client that has `mount_point` mounted as copytool for `archive_ids` (empty: all), over
/// the public ioctl instead of llapi_hsm_copytool_register: with a pipe of our own the registration can
/// be renewed, and what was sent before is still there. `probe` is asked before; it and `api` outlive the stream.
[[nodiscard]] Outcome<std::unique_ptr<ActionStream>> open_copytool_stream(const LlapiTable& api, CoordinatorProbe& probe,
                                                                          const std::string& mount_point,
                                                                          const std::string& fsname,
                                                                          const std::vector<std::uint32_t>& archive_ids);

}  // namespace lhsm::lustre
