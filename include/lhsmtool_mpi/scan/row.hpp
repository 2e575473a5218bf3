// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::scan {

/// What a scan has found out of one regular file.
struct Row {
  Fid fid;
  std::string path;  ///< below the mount point, any bytes but NUL; "" when it could not be found out
  std::uint64_t size = 0;
  std::uint64_t blocks = 0;  ///< of 512 bytes
  std::int64_t mtime_ns = 0;
  std::uint64_t stripe_size = 0;
  std::uint32_t stripe_count = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t project_id = 0;
  std::uint32_t archive_id = 0;
  std::uint32_t hsm_state = 0;  ///< HS_* bits
  std::uint32_t mdt_index = 0;
  std::uint32_t links = 1;  ///< hard links; each name that is met has a row of its own

  friend bool operator==(const Row&, const Row&) = default;
};

/// Append a row to a block of rows, which is how rows travel: the machine's byte order, no alignment.
void append_row(std::string& block, const Row& row);

/// Call `use` with each row of a block; the row is valid until it returns. `corrupt` with EBADMSG when the bytes are no
/// such block.
[[nodiscard]] Status for_each_row(std::string_view block, const std::function<void(const Row&)>& use);

/// Takes the rows of a scan in slices, in one thread.
class RowSink {
 public:
  virtual ~RowSink() = default;
  /// Take a block of rows (append_row). After an error the scan ends.
  virtual Status add(std::string_view block) = 0;
};

}  // namespace lhsm::scan
