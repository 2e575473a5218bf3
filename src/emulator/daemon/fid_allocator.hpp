// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <vector>

#include "core/fid_space.hpp"
#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::emulator {

/// Hands out FIDs and the first cookies. Like a Lustre client it takes a whole sequence at a time and
/// records that on disk before it uses it, so that a killed daemon never gives a FID twice.
class FidAllocator {
 public:
  /// Read DIR/.lustre/counters, or begin anew when there is none.
  static Outcome<FidAllocator> load(int mount_fd, std::uint32_t mdt_count);

  Outcome<Fid> next(std::uint32_t mdt);

  /// FIDs with consecutive oids, at most as many as wanted and at least one.
  struct Block {
    Fid first;
    std::uint32_t count = 0;
  };
  Outcome<Block> next_block(std::uint32_t mdt, std::uint32_t wanted);

  /// Return the first cookie of an MDT for this run: the wall clock as on Lustre, or past all cookies
  /// that an earlier run may have given out. MDTs started together thus begin with the same cookie.
  Outcome<std::uint64_t> first_cookie(std::uint32_t mdt);

 private:
  struct Mdt {
    std::uint64_t next_sequence = 0;  ///< not taken yet
    std::uint64_t next_cookie = 0;    ///< no earlier run used this one or a later one
    std::uint64_t sequence = 0;       ///< in use
    std::uint32_t last_oid = k_oids_per_sequence;
  };
  Status save();

  int m_mount_fd = -1;
  std::vector<Mdt> m_mdts;
};

}  // namespace lhsm::emulator
