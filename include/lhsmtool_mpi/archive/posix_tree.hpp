// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The tree of the POSIX backend as a whole, for what is done to an archive beside archiving and restoring:
// objects change their names, or get further ones. What is kept beside an object (.lov, .digest) goes
// along. No copytool may be at work on the objects concerned. What is const may be called by any thread.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lhsmtool_mpi/archive/beneath.hpp"
#include "lhsmtool_mpi/archive/posix_backend.hpp"

namespace lhsm::archive {

/// A regular file of the tree that is to become an object.
struct Candidate {
  std::string path;  ///< below the root, of the file itself: links are resolved
  Fd file;
  struct stat attributes {};
};

class PosixTree {
 public:
  /// Errors as open_posix_backend().
  [[nodiscard]] static Outcome<PosixTree> open(std::string root, TreeFormat format);

  [[nodiscard]] std::string object_path(const Fid& fid) const { return archive::object_path(m_format, fid); }
  [[nodiscard]] const Beneath& tree() const { return m_tree; }

  /// Open a regular file below the root, through links that stay in it. `denied` with EXDEV: a way out;
  /// EISDIR, EINVAL: no regular file; ELOOP: links upon links.
  [[nodiscard]] Outcome<Candidate> open_candidate(std::string path) const;

  /// Open the object of a FID, itself no link, as a candidate. ENOENT: there is none.
  [[nodiscard]] Outcome<Candidate> open_object(const Fid& fid) const;
  /// Return the xattrs that the archive keeps of the file that the candidate was archived from.
  [[nodiscard]] static Outcome<std::vector<Xattr>> kept_xattrs(const Candidate& candidate);

  enum class Holder { nobody, candidate, other };
  /// Return whose name the object of `fid` is.
  [[nodiscard]] Outcome<Holder> holder(const Candidate& candidate, const Fid& fid) const;

  /// Make the candidate the object of `fid`, too, by a hard link; durable. It is of this tree, or of `from`. That it is already is a
  /// success. EEXIST: there is another one. EXDEV: `from` is on another file system.
  [[nodiscard]] Status adopt(const Candidate& candidate, const Fid& fid) const { return adopt(candidate, fid, *this); }
  [[nodiscard]] Status adopt(const Candidate& candidate, const Fid& fid, const PosixTree& from) const;
  /// Take the name of the object of `fid` away, and what lies beside it. That it has none is a success.
  [[nodiscard]] Status drop(const Fid& fid) const;
  /// See whether objects of `from` can be adopted here, by doing it with an empty file. EXDEV as for adopt().
  [[nodiscard]] Status check_adoption(const PosixTree& from) const;

  /// Rename the object of `from` to that of `to`, instead of one that is there; durable. ENOENT: there is
  /// no object of `from`.
  [[nodiscard]] Status rebind(const Fid& from, const Fid& to) const;

  struct UpgradeResult {
    std::uint64_t moved = 0;
    std::uint64_t failed = 0;  ///< each is in the log
    Status first;              ///< what the first of them failed with
  };
  /// Rename every object, and what has an object's name with something added, to where it belongs in this
  /// tree's format, remove directories that become empty, and make the links of the shadow tree lead
  /// there. Nothing is replaced: a name that is taken already is a failure (EEXIST). May be repeated.
  [[nodiscard]] Outcome<UpgradeResult> upgrade() const;

  /// Return the highest sequence among the FIDs of all objects of either format; 0 when there is none.
  [[nodiscard]] Outcome<std::uint64_t> max_sequence() const;

  struct Entry {
    std::string name;
    bool is_directory = false;
  };
  /// Call `visit` for each entry of a directory but "." and "..". An error of it ends the walk.
  [[nodiscard]] Status for_each(const std::string& directory, const std::function<Status(const Entry&)>& visit) const;

 private:
  PosixTree(Beneath tree, TreeFormat format) : m_tree(std::move(tree)), m_format(format) {}
  Status walk_objects(const std::string& directory,
                      const std::function<Status(const std::string&, const std::string&)>& visit,
                      const std::function<void(const std::string&)>& left) const;
  Status move_entry(const std::string& directory, const std::string& name, bool& moved) const;
  Status fix_shadow(const std::string& directory) const;

  Beneath m_tree;
  TreeFormat m_format;
};

}  // namespace lhsm::archive
