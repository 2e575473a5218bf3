// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <vector>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/lustre/llapi_table.hpp"
#include "lhsmtool_mpi/lustre/space.hpp"
#include "mount_directory.hpp"

namespace lhsm::lustre {

// Client's calls of these names.
[[nodiscard]] Outcome<std::vector<OstSpace>> ask_osts(const LlapiTable& api, MountDirectory& mount);
[[nodiscard]] Outcome<Quota> ask_quota(const LlapiTable& api, MountDirectory& mount, QuotaKind kind, std::uint32_t id);

}  // namespace lhsm::lustre
