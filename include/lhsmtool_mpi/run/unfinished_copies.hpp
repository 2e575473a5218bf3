// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What outlives a run that is killed, or told to stop, in the middle of a large archive: which extents are done.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lhsmtool_mpi/base/action_item.hpp"
#include "lhsmtool_mpi/base/extent.hpp"

namespace lhsm::run {

/// What extents were copied from and to. Those of different ones do not go together.
struct CopyVersion {
  std::uint64_t data_version = 0;  ///< of the file, as the begin of the archive read it
  std::string object;              ///< archive::ObjectWriter::ticket() of the object in the making
  friend bool operator==(const CopyVersion&, const CopyVersion&) = default;
};

struct CopiedPiece {
  Extent extent;
  std::string leaves;  ///< their digests, for copy::DigestCollector: 16 bytes for each MiB
};

/// Whoever remembers them. All calls but wanted_objects() are made in the dispatcher's thread, about archives only, and
/// must not wait. Memory: the pieces of files that an earlier run left, until these are begun.
class UnfinishedCopies {
 public:
  virtual ~UnfinishedCopies() = default;

  /// Return the objects in the making that are still wanted, as tickets: of files that are not final.
  [[nodiscard]] virtual std::set<std::string> wanted_objects() const = 0;
  /// Return what an earlier run's pieces of this file were copied from and to, or nothing where there are none.
  [[nodiscard]] virtual std::optional<CopyVersion> known(const ActionItem& item) const = 0;
  /// The copy of the file has begun, on that object or on a new one: return the pieces, and forget them.
  [[nodiscard]] virtual std::vector<CopiedPiece> take(const ActionItem& item) = 0;
  /// The piece is in the object, durably. Return whether that is remembered. Pieces of another version than those before
  /// make these void.
  [[nodiscard]] virtual bool piece_done(const ActionItem& item, const CopyVersion& version, CopiedPiece piece) = 0;
};

}  // namespace lhsm::run
