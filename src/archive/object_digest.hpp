// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Where the digest of an object is kept: in an xattr, or in a file beside it. The file counts only as
// long as the object has the modification time that it had when the file was written: another copytool
// replaces the object and knows nothing of the file.
#pragma once

#include <time.h>

#include <optional>
#include <string>
#include <string_view>

#include "lhsmtool_mpi/archive/beneath.hpp"
#include "lhsmtool_mpi/copy/digest.hpp"

namespace lhsm::archive {

/// Return what the file beside the object holds: "<digest> <seconds>.<nanoseconds>\n".
[[nodiscard]] std::string digest_beside(std::string_view digest, const timespec& mtime);

/// Read the digest of the open object `fd`, which lies at `path`. What is no digest counts as none.
[[nodiscard]] Outcome<std::optional<copy::ObjectDigest>> read_digest(const Beneath& tree, const std::string& path,
                                                                     int fd);

}  // namespace lhsm::archive
