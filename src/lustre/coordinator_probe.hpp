// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/lustre/llapi_table.hpp"

namespace lhsm::lustre {

/// Asks the coordinators of all MDTs whether they would take a copytool's registration. One thread at a time.
///
/// A registration that any MDT refuses (ENXIO where the coordinator is stopped, EPERM where root is squashed) makes the clients of
/// 2.16 and 2.17 drop one reference too many to the pipe (lmv_hsm_ct_register: err_kkuc_rem falls through to fput; LU-20311,
/// mended in 2.17.55): the node may panic when the pipe is closed. So it is asked before, in ways that change nothing.
///
/// What is asked goes to the MDT of a FID. For that of the mount's root this is the root's own; for each other one that of a volatile
/// file, which is made once: the coordinator answers before it finds out that the file is gone.
class CoordinatorProbe {
 public:
  /// `api` outlives this.
  CoordinatorProbe(const LlapiTable& api, std::string mount_point) : m_api(api), m_mount_point(std::move(mount_point)) {}

  /// Success: all that could be asked run, and take us for an administrator. EAGAIN: one of them does not run. EPERM: one does not
  /// take us for an administrator. Other errors: one does not answer. An MDT on which no file can be made is not asked, and said so in the
  /// log, once, unless there is none of that index. May wait for an MDT.
  [[nodiscard]] Status ask(int mount_fd);

 private:
  struct Mdt {
    abi::lu_fid fid{};
    bool knows_us = false;  ///< as an administrator
    bool is_told = false;   ///< that it is not asked
  };

  Status find_root(int mount_fd);
  void find_others(int mount_fd);
  int make_fid(int mount_fd, int index, abi::lu_fid& fid) const;
  Status ask_mdt(int mount_fd, int index, Mdt& mdt) const;

  const LlapiTable& m_api;
  std::string m_mount_point;
  std::map<int, Mdt> m_mdts;
};

}  // namespace lhsm::lustre
