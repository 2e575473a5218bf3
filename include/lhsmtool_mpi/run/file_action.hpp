// SPDX-License-Identifier: LGPL-2.1-or-later
//
// An ARCHIVE or RESTORE of one file, step by step: open, begin, copy (whole here, or by helpers),
// then finish or fail. Archives and restores differ only behind this interface. Whatever happens, the
// coordinator gets exactly one end for an action that was begun here, or that could not be, unless it says that it does not know it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lhsmtool_mpi/base/action_item.hpp"
#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/copy/digest.hpp"
#include "lhsmtool_mpi/copy/engine.hpp"
#include "lhsmtool_mpi/run/environment.hpp"
#include "lhsmtool_mpi/run/stop_flag.hpp"
#include "lhsmtool_mpi/run/unfinished_copies.hpp"

namespace lhsm::run {

/// What helpers need besides the FID to copy extents of a begun action.
struct Announcement {
  Fid dfid;
  std::uint64_t stripe_size = 0;
  std::string token;  ///< of the object in the making; of a restore the object's version
  std::optional<CopyVersion> version;  ///< of an archive that a later run could go on with
  bool is_resumed = false;             ///< the earlier run's object is gone on with
};

/// What a copy of all of a file tells.
struct CopiedFile {
  std::uint64_t bytes_moved = 0;  ///< without holes
  copy::ObjectDigest digest;
};

/// What a copy of one extent tells.
struct CopiedExtent {
  std::uint64_t bytes_moved = 0;
  std::string leaves;  ///< their digests, for copy::DigestCollector
};

/// Whether what was restored is known to be what was archived.
enum class Verified { yes, no_digest };

/// One thread at a time, except report(), which may be called by another between begin and the end.
class FileAction {
 public:
  virtual ~FileAction() = default;

  /// Open both sides as far as that is possible without beginning. Every error that can be known
  /// without a begin is found here: no such file, no regular file, no or a short object.
  [[nodiscard]] static Outcome<std::unique_ptr<FileAction>> open(Environment& environment, const ActionItem& item);

  /// Size of the file in bytes.
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  /// Begin the action and make the target. An archive goes on with the object that an earlier run left, when that is
  /// there and the file is unchanged since; otherwise that object is removed. After an error call fail().
  [[nodiscard]] virtual Status begin(const std::optional<CopyVersion>& earlier) = 0;
  [[nodiscard]] virtual Announcement announce() const = 0;
  /// Copy all of it.
  [[nodiscard]] virtual Outcome<CopiedFile> copy(copy::Engine& engine, const StopFlag& stop) = 0;
  /// Tell the coordinator what was done since the last report (length 0: still alive). An error means
  /// that the action must stop: it was cancelled (ECANCELED), or is not known any more (ENOENT). A report that merely did not get
  /// through (the coordinator is stopped for a while) is none.
  [[nodiscard]] virtual Status report(Extent done) = 0;
  /// All is copied, with this digest, and every helper has synced and closed: make it durable, and end
  /// with success. A restore whose digest is not that of the object ends as `corrupt` with EIO.
  [[nodiscard]] virtual Outcome<Verified> finish(const copy::ObjectDigest& digest) = 0;
  /// End with `error`; nothing is left behind. What the coordinator does not know is not ended: it may send it again at any time.
  virtual void fail(const Error& error) = 0;
  /// End with `error`, but leave the object of an archive as far as it is copied to a later run.
  virtual void fail_keeping(const Error& error) { fail(error); }
};

/// Copy one extent of an action that another rank owns, on a file of `file_size` bytes: open both
/// sides, copy, sync, close.
[[nodiscard]] Outcome<CopiedExtent> copy_extent(Environment& environment, copy::Engine& engine, ActionKind kind,
                                                const Fid& fid, const Fid& dfid, const std::string& token,
                                                Extent extent, std::uint64_t file_size, const StopFlag& stop);

/// REMOVE the object and end the action. Refused: EPERM for a file that is released by now; ENOENT and ECANCELED (`cancelled`) for
/// an action that the coordinator does not know any more.
[[nodiscard]] Status remove_object(Environment& environment, const ActionItem& item);

/// End an action that was not begun. A cookie that the coordinator does not know needs no end.
[[nodiscard]] Status refuse(Environment& environment, const ActionItem& item, const Error& reason);

}  // namespace lhsm::run
