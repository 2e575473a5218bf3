// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What an archive must be able to do. An object holds the data of one file, named by its FID. All
// calls may be made from several threads and from several ranks at once; the objects that they
// return belong to one thread and end before the backend does. A missing object is `not_found` with
// ENOENT; a thing in an object's place that is no regular file is `invalid` with EISDIR, ELOOP (a
// link) or EINVAL; a way out of the archive is `denied` with EXDEV.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fid.hpp"
#include "lhsmtool_mpi/copy/bytes.hpp"
#include "lhsmtool_mpi/copy/digest.hpp"

namespace lhsm::archive {

struct Xattr {
  std::string name;
  std::string value;
};

/// What is kept beside the data, for import and disaster recovery; a restore does not need it.
struct ObjectAttributes {
  mode_t mode = 0600;
  uid_t uid = 0;
  gid_t gid = 0;
  timespec atime{};
  timespec mtime{};
};

/// A complete object, open for reading.
class ObjectReader : public copy::ByteSource {
 public:
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  /// Return, as it is now, what tells this object from any other that ever had its name, and from
  /// itself after a change; the same on every rank.
  [[nodiscard]] virtual Outcome<std::string> version() const = 0;
  /// Return the digest that was kept with the object, or nothing: another copytool may have written it.
  [[nodiscard]] virtual Outcome<std::optional<copy::ObjectDigest>> digest() const = 0;
  /// Return when the data were last modified: the file's own time where attributes are kept, else that of its archive.
  [[nodiscard]] virtual Outcome<timespec> modified() const = 0;
  /// Whether the object has other names, too: then an import may have made it the object of this file, and
  /// what is kept with it is of the file that was archived.
  [[nodiscard]] virtual bool is_shared() const = 0;
};

/// A published object whose predecessor, if there was one, is still kept. Exactly one of the two
/// calls is made; dropping it rolls back. Publications of one FID should not overlap: if they do, the
/// last one stays whatever becomes of the others, but its predecessor may be one that was rolled back.
class Publication {
 public:
  virtual ~Publication() = default;
  /// Let go of the predecessor.
  [[nodiscard]] virtual Status commit() = 0;
  /// Put the predecessor back (or nothing, if there was none) and discard the new object.
  [[nodiscard]] virtual Status roll_back() = 0;
};

/// An object in the making, under a temporary name that no other attempt uses. Dropping it before
/// publish() or keep() leaves nothing behind.
class ObjectWriter : public copy::ByteSink {
 public:
  /// Return what another rank needs to write into this object too (Backend::join).
  [[nodiscard]] virtual std::string token() const = 0;
  /// Return what a later process needs to go on with this object after this one was killed, or kept it
  /// (Backend::resume): a line of text, which changes when the object is taken over.
  [[nodiscard]] virtual Outcome<std::string> ticket() const = 0;
  [[nodiscard]] virtual Status set_size(std::uint64_t size) = 0;
  /// Called after the last write, which would change the times.
  [[nodiscard]] virtual Status set_attributes(const ObjectAttributes& attributes) = 0;
  /// Xattrs that the archive cannot hold (no such namespace, no privilege for it, too large) are left
  /// out without an error; so is lustre.*, which is the layout's.
  [[nodiscard]] virtual Status set_xattrs(const std::vector<Xattr>& xattrs) = 0;
  /// Keep the file's layout, the raw bytes of its xattr lustre.lov as the restore is to set them. An
  /// empty one is none.
  [[nodiscard]] virtual Status set_layout(const std::string& lov) = 0;
  /// Keep the digest of the data. After set_attributes(): where the archive has no xattrs the digest
  /// is tied to the object by its modification time.
  [[nodiscard]] virtual Status set_digest(const copy::ObjectDigest& digest) = 0;

  /// Make the object durable and visible under its final name, in this order: data and metadata
  /// synced, renamed, directory synced. All joined writers must be closed. The writer is used up; after
  /// an error what was there before is there again.
  [[nodiscard]] virtual Outcome<std::unique_ptr<Publication>> publish() = 0;
  /// Leave what was written for Backend::resume() of a later process. Nothing is synced by this. The writer is used up.
  virtual void keep() = 0;
};

/// What an archive lets itself be used for.
enum class Access { read_write, read_only };

class Backend {
 public:
  virtual ~Backend() = default;

  /// Return what the archive can be used for: read_only, where its file system is mounted so. Fails when it is not there, or
  /// cannot be read, or not be written though its file system can.
  [[nodiscard]] virtual Outcome<Access> check() = 0;
  /// See whether objects can be made and removed at all. EROFS, EACCES: not now.
  [[nodiscard]] virtual Status check_writable() = 0;
  /// Return a line by which another rank knows that it has the same archive, as long as this backend lives.
  [[nodiscard]] virtual Outcome<std::string> mark() = 0;
  /// Whether `mark` is one of this archive. An empty directory where the archive should have been mounted has none.
  [[nodiscard]] virtual Outcome<bool> knows(const std::string& mark) = 0;
  /// Remove what processes that are gone left in the making, but for the objects that `wanted` has the tickets of and those
  /// that another job may still go on with, and return how many files that were. What living ones have in the making is spared, whichever host they are on. When a
  /// run starts, and again at its end where something was wanted.
  [[nodiscard]] virtual Outcome<std::uint64_t> clear_leftovers(const std::set<std::string>& wanted) = 0;
  [[nodiscard]] virtual Outcome<std::unique_ptr<ObjectReader>> open(const Fid& fid) = 0;
  [[nodiscard]] virtual Outcome<std::unique_ptr<ObjectWriter>> create(const Fid& fid) = 0;
  /// Take an object in the making of `fid` over from a process that is gone, with what was written into it: it gets
  /// a name of this process. ENOENT: it is not there any more, or another one has its name, or it is not of `size` bytes
  /// (then it goes). EINVAL: no ticket of an object of this file.
  [[nodiscard]] virtual Outcome<std::unique_ptr<ObjectWriter>> resume(const Fid& fid, const std::string& ticket,
                                                                      std::uint64_t size) = 0;
  /// Open an object in the making that another rank created, for writing extents of it. The sink
  /// must be synced by its writer; dropping it closes it.
  [[nodiscard]] virtual Outcome<std::unique_ptr<copy::ByteSink>> join(const Fid& fid, const std::string& token) = 0;
  /// Return the layout kept with the object, or nothing.
  [[nodiscard]] virtual Outcome<std::optional<std::string>> layout(const Fid& fid) = 0;
  /// Remove the object and what is kept with it, durably. Return whether the object was there.
  [[nodiscard]] virtual Outcome<bool> remove(const Fid& fid) = 0;
  /// Note a path under which people may find the object ("shadow" link), instead of what was found
  /// there. `path` is relative to the mount, without a leading slash. Not durable by itself.
  [[nodiscard]] virtual Status note_path(const Fid& fid, const std::string& path) = 0;
};

}  // namespace lhsm::archive
