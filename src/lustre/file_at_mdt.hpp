// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "lhsmtool_mpi/lustre/client.hpp"
#include "lhsmtool_mpi/lustre/llapi_table.hpp"
#include "mount_directory.hpp"

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
