// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The project that an open file's space is counted for (project quotas). Threads: any.
#pragma once

#include <cstdint>
#include <string_view>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/lustre/llapi_table.hpp"

namespace lhsm::lustre {

/// Return the project of an open file, which errors call `name`; 0 where files have none. It comes with the open: LL_IOC_PROJECT tells what the client has.
[[nodiscard]] Outcome<std::uint32_t> project_of(const LlapiTable& api, int fd, std::string_view name);

/// Give an open file, which errors call `name`, a project. EOPNOTSUPP, ENOTTY: files have none.
[[nodiscard]] Status set_project(const LlapiTable& api, int fd, std::uint32_t project, std::string_view name);

/// See Client::match_project(). Costs an RPC only when the two differ.
[[nodiscard]] Status match_project(const LlapiTable& api, int fd, int like);

}  // namespace lhsm::lustre
