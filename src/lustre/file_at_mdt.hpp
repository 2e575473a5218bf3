// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "lhsmtool_mpi/lustre/abi.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"
#include "lhsmtool_mpi/lustre/llapi_table.hpp"
#include "mount_directory.hpp"

namespace lhsm::abi {

/// struct lov_user_mds_data_v2, without the layout (lmd_lmm) that follows it. Before the call a name lies at its begin.
struct [[gnu::packed]] lov_user_mds_data {
  lu_fid lmd_fid;
  struct statx lmd_stx;
  std::uint64_t lmd_flags;
  std::uint32_t lmd_lmmsize;
  std::uint32_t lmd_padding;
};
static_assert(sizeof(lov_user_mds_data) == 288);

inline constexpr unsigned long IOC_MDC_GETFILEINFO_V2 = 0xc1406916;  ///< of a lov_user_mds_data; since 2.13

}  // namespace lhsm::abi

namespace lhsm::lustre {

/// Client::file_at_mdt(), by the ioctl of `.lustre/fid` that liblustreapi uses for a restore. Any thread.
class MdtAsker {
 public:
  /// `api` outlives this.
  explicit MdtAsker(const LlapiTable& api) : m_api(api) {}
  [[nodiscard]] Outcome<std::optional<Client::FileAtMdt>> ask(MountDirectory& mount, const Fid& fid);

 private:
  using Shared = std::shared_ptr<const Fd>;
  Shared names_of(int mount);
  void forget(const Shared& names);

  const LlapiTable& m_api;
  std::mutex m_mutex;
  Shared m_names;  // `.lustre/fid`, open
};

}  // namespace lhsm::lustre
