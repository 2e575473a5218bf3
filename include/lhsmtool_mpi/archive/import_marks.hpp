// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Which new file a file of another file system became, for those that have several names: whoever imports the next name finds it
// here, on whatever rank and in whatever run. A symbolic link for each, <root>/.lhsmtool_mpi/imported.<file system>/<FID there>,
// whose text is the FID here. It is a note, and may be stale: who uses it sees whether that file has the same object.
#pragma once

#include <optional>
#include <string>

#include "lhsmtool_mpi/archive/beneath.hpp"
#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::archive {

/// Any thread. The tree outlives it.
class ImportMarks {
 public:
  /// `source`: name of the file system that files come from. One that is no name of a directory is an error of each call (EINVAL).
  ImportMarks(const Beneath& tree, std::string source);

  /// Return what `source` became, or nothing.
  [[nodiscard]] Outcome<std::optional<Fid>> find(const Fid& source) const;
  /// Note what it became; durable. Where something is noted already that stays. Return what is noted now.
  [[nodiscard]] Outcome<Fid> note(const Fid& source, const Fid& file) const;
  /// Forget `stale`, if it is what is noted.
  [[nodiscard]] Status forget(const Fid& source, const Fid& stale) const;

 private:
  const Beneath& m_tree;
  std::string m_directory;  // empty: the name is none
};

}  // namespace lhsm::archive
