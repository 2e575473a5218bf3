// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The archive as a directory tree, byte-compatible with lhsmtool_posix in both directions:
//   v1  <root>/%04x/%04x/%04x/%04x/%04x/%04x/<fid>   16-bit pieces of oid (low first), then of seq
//   v2  <root>/%04x/<fid>                            (oid ^ seq) & 0xffff
// with <fid>.lov (raw lustre.lov) beside the object and <root>/shadow/<path> links to it. In the making
// an object is <fid>_tmp.<unique>, its predecessor is kept as <fid>_old.<unique> until the commit; when
// a process is killed, a table in <root>/.lhsmtool_mpi says which of them it had. Links in the tree are followed as far as they stay in it, but
// none in an object's place.
#pragma once

#include <string>

#include "lhsmtool_mpi/archive/backend.hpp"
#include "lhsmtool_mpi/copy/fd_bytes.hpp"

namespace lhsm::archive {

enum class TreeFormat { v1, v2 };

struct PosixOptions {
  std::string root;
  TreeFormat format = TreeFormat::v1;
  copy::Direct direct = copy::Direct::no;
  /// Whose the objects in the making are beyond the life of this process: the job (at most 64 bytes, without a newline) that may go on with
  /// them. Empty: nobody's.
  std::string owner = {};
};

/// Return the object's path below the root, "d0/d1/…/<fid>".
[[nodiscard]] std::string object_path(TreeFormat format, const Fid& fid);

/// Open the tree. Fails when the root is missing or is no directory that can be read and searched.
[[nodiscard]] Outcome<std::unique_ptr<Backend>> open_posix_backend(PosixOptions options);

}  // namespace lhsm::archive
