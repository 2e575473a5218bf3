// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <string>

#include "lhsmtool_mpi/lustre/file_facts.hpp"
#include "lhsmtool_mpi/lustre/llapi_table.hpp"

namespace lhsm::lustre {

/// Finds out what the servers know of files, with as few requests to them as are right. After the look-up
/// (stat), one getxattr of any name brings all xattrs of a file to a Lustre client, the layout is there already:
/// trusted.hsm and trusted.lma cost one request together, where open, LL_IOC_HSM_STATE_GET and close cost three.
/// The xattrs are root's, and no documented interface: the first files are asked for in both ways, and when the
/// answers differ, or trusted names are not to be had, files are opened.
class Describer {
 public:
  explicit Describer(const LlapiTable& api);

  [[nodiscard]] Outcome<FileFacts> by_name(int directory, const std::string& name);
  [[nodiscard]] Outcome<FileFacts> by_descriptor(int fd);
  [[nodiscard]] Outcome<Project> project(int fd) const;

 private:
  [[nodiscard]] Status read_xattrs(const std::string& path, FileFacts& facts) const;
  [[nodiscard]] Status ask(int fd, const std::string& name, FileFacts& facts) const;

  LlapiTable m_api;
  std::atomic<int> m_trust;  // -1: files are opened; 0: xattrs are right; else so many are to be compared yet
};

}  // namespace lhsm::lustre
