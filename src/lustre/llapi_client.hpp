// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>

#include "lhsmtool_mpi/lustre/client.hpp"
#include "lhsmtool_mpi/lustre/llapi_table.hpp"

namespace lhsm::lustre {

/// open_client() with functions that are given.
[[nodiscard]] Outcome<std::unique_ptr<Client>> open_client_with(const LlapiTable& api, const std::string& mount_point);

}  // namespace lhsm::lustre
