// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What is done to an archive and a file system by one process, without the coordinator: the modes of
// lhsmtool_posix besides its daemon (facts 6.2).
#pragma once

#include <cstdint>
#include <string>

#include "lhsmtool_mpi/archive/posix_tree.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"

namespace lhsm::manage {

struct Options {
  std::uint32_t archive_id = 0;  ///< of imported files; 0: Lustre's default when they are restored
  bool dry_run = false;          ///< only log what would be done
  bool abort_on_error = false;   ///< of a tree: end at the first failure
};

/// Make released files of what lies in the archive. `source` is a FID (which must not exist in Lustre) or
/// a path below the root; `destination` is absolute. A file becomes `destination`; of a directory, each
/// file below becomes destination/source/…, and directories are made (0700). The new file's object is
/// a hard link, so what was imported stays where it is. Of several failures, each of which is logged,
/// the first is returned.
[[nodiscard]] Status import(lustre::Client& client, const archive::PosixTree& tree, const std::string& source,
                            const std::string& destination, const Options& options);

/// Give the object of one FID another one. EINVAL: a text is no FID of a file.
[[nodiscard]] Status rebind(const archive::PosixTree& tree, const std::string& from, const std::string& to,
                            const Options& options);

/// The same for each line of a file: two FIDs; empty lines and those that begin with '#' are skipped.
/// Return how many lines failed, each of which is logged; an error when the file cannot be read.
[[nodiscard]] Outcome<std::uint64_t> rebind_list(const archive::PosixTree& tree, const std::string& list, const Options& options);

}  // namespace lhsm::manage
