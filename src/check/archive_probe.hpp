// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/comm/check_messages.hpp"

namespace lhsm::check {

/// The file by which ranks see that they have the same archive. It goes with this object.
class ArchiveProbe {
 public:
  [[nodiscard]] static Outcome<ArchiveProbe> make(const std::string& root, const std::string& host);
  ArchiveProbe(ArchiveProbe&& other) noexcept = default;
  ArchiveProbe& operator=(ArchiveProbe&&) = delete;
  ArchiveProbe(const ArchiveProbe&) = delete;
  ArchiveProbe& operator=(const ArchiveProbe&) = delete;
  ~ArchiveProbe();

  [[nodiscard]] const std::string& name() const { return m_name; }

 private:
  ArchiveProbe(Fd root, std::string name) : m_root(std::move(root)), m_name(std::move(name)) {}

  Fd m_root;
  std::string m_name;
};

/// Look at the archive from here.
[[nodiscard]] comm::CheckFound look_at_archive(const std::string& root, bool reads_only, const comm::CheckAsked& asked);

}  // namespace lhsm::check
