// SPDX-License-Identifier: LGPL-2.1-or-later
#include "remedies.hpp"

#include <cerrno>

namespace lhsm::pages {

using store::ItemAction;
using store::ItemResult;

namespace {

std::string_view of_refusal(ItemAction action) {
  switch (action) {
    case ItemAction::archive:
      return "The file is marked noarchive, or it is released without a good copy, or its copy is in an archive that -A "
             "does not name: see lfs hsm_state. Clear the flag (lfs hsm_clear), find its object and import or rebind it, "
             "or archive into the id that it has.";
    case ItemAction::restore:
      return "The file is marked lost, released without a copy in the archive, or changed since it was archived, or its "
             "copy is in an archive that -A does not name: see lfs hsm_state. Name that archive with -A; or find its "
             "object, and import or rebind it.";
    case ItemAction::release:
      return "The file is not archived, or changed since it was archived, or is marked norelease or marked lost: see lfs "
             "hsm_state. Archive it first, or clear the flag (lfs hsm_clear).";
    case ItemAction::remove:
      return "The file is released: the object is its only copy. Restore it first. Or its copy is in an archive that -A "
             "does not name: see lfs hsm_state.";
    case ItemAction::import:
      return "The manifest has no FID, or no path below the mount point, of it: a list of FIDs of files that were gone, for instance. "
             "Scan the old file system anew.";
    case ItemAction::none: break;
  }
  return "The coordinator did not take the request: see lfs hsm_state of the file.";
}

std::string_view of_missing(ItemAction action) {
  if (action == ItemAction::import)
    return "There is no object of it in the archive of the old file system: see whether --from-root and --from-format are right, and "
           "archive it there.";
  if (action == ItemAction::restore)
    return "The object is not in the archive, or the file is gone. See whether --hsm-root and --archive-format are "
           "those with which it was archived; lhsmtool_mpi verify checks the objects of all files of a manifest.";
  return "The file is gone, or the archive's directory is. Scan anew to leave out what no longer exists.";
}

/// Of an import, where an errno says something else than in other jobs; empty: it does not.
std::string_view of_import(int sys_errno) {
  switch (sys_errno) {
    case ESTALE:
      return "The object in the archive is older than the file was when it was scanned, or of another size: archive it anew in the old "
             "file system, then lhsmtool_mpi retry.";
    case EEXIST:
      return "Something else has its path in the new file system, or the name of its object in the archive: see the log of the run. "
             "What is there was left as it is; move it away, then lhsmtool_mpi retry.";
    case EXDEV:
      return "The archives of the old and of the new file system are not on one file system, or mounted apart: objects get their "
             "second name by a hard link.";
    case ELOOP:
    case ENOTDIR: return "A link, or something that is no directory, is in the place of a directory on the way to it.";
    default: return {};
  }
}

}  // namespace

std::string_view remedy_for(ItemAction action, ItemResult result, int sys_errno) {
  if (result == ItemResult::refused) return of_refusal(action);
  if (result == ItemResult::cancelled) return "Somebody cancelled the request. Try it again with lhsmtool_mpi retry.";
  if (action == ItemAction::import)
    if (const auto text = of_import(sys_errno); !text.empty()) return text;
  switch (sys_errno) {
    case ENOENT:
    case ENOTDIR: return of_missing(action);
    case EIO:
      return action == ItemAction::restore
                 ? "The object is short or damaged (its size or digest does not fit), or a disk failed: see the log of "
                   "the run. "
                   "The file stays released; bring the object back from another copy, then lhsmtool_mpi retry."
                 : "A disk, a server or the network failed: see the log of the run and the system's. Then lhsmtool_mpi "
                   "retry.";
    case EFBIG: return "It is larger than a file of the target may be, or than ulimit -f of the run allows.";
    case ENOSPC: return "The target is full. Make room, then lhsmtool_mpi retry.";
    case EDQUOT:
      return "A quota is used up: lfs quota of the owner, group and project. Raise it or make room, then retry.";
    case EPERM:
    case EACCES:
      return "Permission was denied. The copytool runs as root; see root squash on the archive, and the file's flags.";
    case EROFS: return "The target is mounted read-only.";
    case EBUSY:
      return "The file was in use or changed while it was copied. Try again when it is quiet: lhsmtool_mpi retry.";
    case EAGAIN:
      return "It was put off until the attempts were used up. lhsmtool_mpi retry, when the coordinator is less loaded.";
    case ETIMEDOUT:
      return "The coordinator gave no answer in time: see lctl get_param mdt.*.hsm.* and active_request_timeout.";
    case ENODEV:
    case ENXIO:
      return "A device or service was not there: see whether file system and archive are mounted on every node.";
    case ESTALE:
    case ENOTCONN:
    case ESHUTDOWN: return "The connection to a server was lost. See the system's log; then lhsmtool_mpi retry.";
    case EINVAL:
    case EISDIR:
    case ELOOP: return "Something else than a regular file is in the object's or the file's place.";
    case EXDEV: return "A link in the archive leads out of it.";
    case ENOMEM: return "Memory ran out: fewer --slots, or a smaller --chunk-size.";
    case EOPNOTSUPP: return "The file or the file system does not support this.";
    default: return "See the log of the run for the operation that failed; then lhsmtool_mpi retry.";
  }
}

}  // namespace lhsm::pages
