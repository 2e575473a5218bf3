// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "lhsmtool_mpi/lustre/file_facts.hpp"
#include "lhsmtool_mpi/lustre/llapi_table.hpp"

namespace lhsm::lustre {

/// Finds out what the servers know of files: open, LL_IOC_HSM_STATE_GET and close are three requests, FID, layout and
/// project come with the open (LL_IOC_PROJECT tells what the client has; FS_IOC_FSGETXATTR asks the MDT for the flags, too: seen on
/// 2.17.0). A size that the OSTs know is one more request, to them. The xattr trusted.hsm would be cheaper, and wrong: clients keep xattrs, and the
/// coordinator changes this one without taking that back from them when an action is done (mdt_coordinator.c,
/// hsm_cdt_request_completed(); Lustre's own test sanity-hsm 607b switches the xattr cache off before it reads it).
class Describer {
 public:
  explicit Describer(const LlapiTable& api) : m_api(api) {}

  [[nodiscard]] Outcome<FileFacts> by_name(int directory, const std::string& name, KnownKind kind) const;
  [[nodiscard]] Outcome<FileFacts> by_descriptor(int fd) const;

 private:
  [[nodiscard]] Outcome<FileFacts> of_open_file(int fd, const std::string& name) const;
  [[nodiscard]] Outcome<std::uint32_t> project_of(int fd, const std::string& name) const;
  [[nodiscard]] Status ask(int fd, const std::string& name, FileFacts& facts) const;

  LlapiTable m_api;
};

}  // namespace lhsm::lustre
