// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What a bulk job knows of one file, and of its own runs: plain data, as it stands in the manifest
// (docs/manifest-format.md) and in the journal (docs/journal-format.md).
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::store {

/// What is to be done with an item. The numbers are those of the file.
enum class ItemAction : std::uint8_t { none = 0, archive = 1, restore = 2, release = 3, remove = 4, import = 5 };
inline constexpr std::uint8_t k_item_actions = 6;

/// What has become of an item. The numbers are those of the file.
enum class ItemResult : std::uint8_t {
  pending = 0,    ///< not done yet, or to be tried again
  done = 1,       ///< carried out, durable
  already = 2,    ///< there was nothing to do
  skipped = 3,    ///< left out on purpose
  failed = 4,     ///< given up; the errno says why
  cancelled = 5,  ///< somebody cancelled it at the coordinator
  refused = 6,    ///< the coordinator did not take the request
};
inline constexpr std::uint8_t k_item_results = 7;

using Digest = std::array<std::uint8_t, 16>;  ///< XXH3-128 of the content, big-endian; see copy/digest.hpp

/// Times are nanoseconds since the epoch; 0: never.
struct ItemOutcome {
  ItemResult result = ItemResult::pending;
  bool has_digest = false;
  std::int32_t sys_errno = 0;  ///< of the last failure
  std::uint32_t attempts = 0;
  std::int32_t rank = -1;  ///< that carried it out, or tried last
  float seconds = 0;       ///< the last attempt took
  std::uint64_t bytes_copied = 0;
  std::int64_t first_start_ns = 0;
  std::int64_t last_start_ns = 0;
  std::int64_t end_ns = 0;
  Digest digest{};

  friend bool operator==(const ItemOutcome&, const ItemOutcome&) = default;
};

inline constexpr std::uint32_t k_no_volume = 0xffffffff;

struct Item {
  Fid fid;
  std::string path;  ///< below the mount point; any bytes but NUL
  std::uint64_t size = 0;
  std::uint64_t blocks = 0;  ///< of 512 bytes
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t projid = 0;
  std::int64_t mtime_ns = 0;
  std::uint32_t archive_id = 0;
  std::uint64_t stripe_size = 0;
  std::uint32_t stripe_count = 0;
  std::uint32_t hsm_state = 0;  ///< HS_* bits
  std::uint32_t mdt_index = 0;
  std::uint32_t links = 1;  ///< hard links; other names of the file may be items of their own
  std::uint32_t volume = k_no_volume;  ///< index into the manifest's volumes
  std::uint64_t position = 0;          ///< on the volume; orders reading from tape
  ItemAction action = ItemAction::none;
  ItemOutcome outcome;

  friend bool operator==(const Item&, const Item&) = default;
};

/// How many items ended how in one run.
struct RunTotals {
  std::array<std::uint64_t, k_item_results> results{};  ///< indexed by ItemResult
  std::uint64_t bytes_copied = 0;

  friend bool operator==(const RunTotals&, const RunTotals&) = default;
};

/// One run of the job. Texts hold no NUL. `end_ns` 0: it did not come to an end of its own.
struct RunRecord {
  std::string user;
  std::string command_line;
  std::string hosts;  ///< separated by commas
  std::uint32_t ranks = 0;
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::int32_t exit_code = 0;
  RunTotals totals;

  friend bool operator==(const RunRecord&, const RunRecord&) = default;
};

/// Which manifest, and which snapshot of it. A journal belongs to exactly one.
struct ManifestIdentity {
  std::array<std::uint8_t, 16> uuid{};
  std::uint64_t generation = 0;

  [[nodiscard]] std::string uuid_text() const;  ///< 32 hex digits
  /// Return a new random uuid with generation 1.
  [[nodiscard]] static ManifestIdentity make();
  friend bool operator==(const ManifestIdentity&, const ManifestIdentity&) = default;
};

/// What holds for all items. Texts hold no NUL.
struct ManifestAttributes {
  std::string creator;      ///< program and version
  std::string file_system;  ///< its Lustre name ("scratch")
  std::string mount_point;  ///< that paths are below
  std::string archive_root;
  std::int64_t created_ns = 0;

  friend bool operator==(const ManifestAttributes&, const ManifestAttributes&) = default;
};

}  // namespace lhsm::store
