// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "lhsmtool_mpi/scan/row.hpp"

namespace lhsm::scan {

/// What a manifest says of its making.
struct ManifestHead {
  std::string creator;
  std::string file_system;
  std::string mount_point;
  std::string command_line;
  std::string host;
  std::uint32_t ranks = 0;
};

/// Puts rows into a new manifest, which appears under its name only whole. One thread at a time.
class ManifestSink final : public RowSink {
 public:
  ManifestSink();
  ~ManifestSink() override;  ///< as discard()
  ManifestSink(const ManifestSink&) = delete;
  ManifestSink& operator=(const ManifestSink&) = delete;

  /// Begin a manifest. EEXIST when there is one and it is not to be replaced, `busy` when a job holds it.
  [[nodiscard]] Status open(const std::string& path, const ManifestHead& head, bool replace);
  Status add(std::string_view block) override;
  /// When it returns the manifest is there for good, with this exit code in its record of the run.
  [[nodiscard]] Status finish(int exit_code);
  /// Leave nothing behind.
  void discard();

 private:
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace lhsm::scan
