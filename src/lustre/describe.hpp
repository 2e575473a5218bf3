// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "lhsmtool_mpi/lustre/file_facts.hpp"
#include "lhsmtool_mpi/lustre/llapi_table.hpp"

namespace lhsm::lustre {

/// Finds out what the servers know of files. A size that the OSTs know is one request to them, whatever follows.
///
/// By the open file: open, LL_IOC_HSM_STATE_GET and close are three requests to the MDT; FID, layout and
/// project come with the open (LL_IOC_PROJECT tells what the client has; FS_IOC_FSGETXATTR asks the MDT for the flags, too).
///
/// By xattrs: the client fetches all of a file's with one request, and its attributes, where it can, with those of
/// many others (seen on 2.17.0: 1.04 requests a file). But it keeps them, and the coordinator changes trusted.hsm without taking that back
/// when an action is done (hsm_cdt_request_completed() in mdt_coordinator.c; Lustre's own test sanity-hsm 607b
/// switches the xattr cache off before it reads it): only after drop_kept_locks() is what is read as new as that.
class Describer {
 public:
  explicit Describer(const LlapiTable& api) : m_api(api) {}

  [[nodiscard]] Outcome<FileFacts> by_name(int directory, const std::string& name, KnownKind kind) const;
  [[nodiscard]] Outcome<FileFacts> by_descriptor(int fd) const;
  /// As by_name() where the file's xattrs do not tell. `from` is one of those by xattrs.
  [[nodiscard]] Outcome<FileFacts> by_xattrs(int directory, const std::string& name, FactsFrom from) const;
  /// To be called before by_xattrs(), which is about files of this mount. EOPNOTSUPP: this file system, or who we are, shows us no xattr that
  /// tells a file's project, the youngest of them.
  [[nodiscard]] Status expect_xattrs(const std::string& mount_point);

 private:
  [[nodiscard]] Outcome<FileFacts> of_open_file(int fd, const std::string& name) const;
  [[nodiscard]] std::optional<std::string> layout_by_path(const std::string& path) const;
  [[nodiscard]] bool read_xattrs(const std::string& path, FileFacts& facts) const;
  [[nodiscard]] Status ask(int fd, const std::string& name, FileFacts& facts) const;

  LlapiTable m_api;
  std::atomic<std::uint64_t> m_mount_id = 0;  // of expect_xattrs()
};

}  // namespace lhsm::lustre
