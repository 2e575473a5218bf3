// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/lustre/llapi_table.hpp"

namespace lhsm::lustre {

/// Asks the coordinators of all MDTs whether they would take a copytool's registration.
///
/// A registration that any MDT refuses (ENXIO where the coordinator is stopped, EPERM where root is squashed) makes the clients of
/// 2.16 and 2.17 drop one reference too many to the pipe (lmv_hsm_ct_register: err_kkuc_rem falls through to fput; LU-20311,
/// mended in 2.17.55): the node may panic when the pipe is closed. So it is asked before, in ways that change nothing.
class CoordinatorProbe {
 public:
  /// `api` outlives this.
  CoordinatorProbe(const LlapiTable& api, std::string mount_point) : m_api(api), m_mount_point(std::move(mount_point)) {}

  /// Success: all of them run, and take us for an administrator. EAGAIN: one of them does not run. EPERM, EACCES: they do not take us
  /// for one. MDTs that cannot be reached are left out, as they are by the registration. May wait for an MDT.
  [[nodiscard]] Status ask(int mount_fd);

 private:
  Status ask_mdt(int mount_fd, int index, const abi::lu_fid& fid);

  const LlapiTable& m_api;
  std::string m_mount_point;
  bool m_is_administrator = false;
};

}  // namespace lhsm::lustre
