// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdlib>
#include <string_view>

namespace lhsm::cli {

/// Return whether this process is the one that speaks for all ranks before MPI is up.
inline bool speaks_for_all() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"})
    if (const char* rank = std::getenv(name); rank != nullptr) return std::string_view(rank) == "0";
  return true;
}

/// Return whether this process is the first one on its node; true where that is not known.
inline bool speaks_for_its_node() {
  for (const char* name : {"OMPI_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID"})
    if (const char* rank = std::getenv(name); rank != nullptr) return std::string_view(rank) == "0";
  return true;
}

}  // namespace lhsm::cli
