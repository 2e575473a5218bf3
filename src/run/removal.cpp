// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>

#include "copy_range.hpp"
#include "lhsmtool_mpi/lustre/hsm_action.hpp"

namespace lhsm::run {

namespace {

/// The coordinator looked when it was asked for the removal; since then the file may have been released. From here on it cannot be, nor
/// counts it as archived if this process, the coordinator or the archive fails before the end.
Status disown_copy(Environment& environment, const Fd& held, const Fid& fid) {
  const Status cleared = environment.client.clear_archived(*held);
  if (cleared || cleared.error().sys_errno != EINVAL) return cleared;
  return failure(ErrorKind::denied, EPERM, "remove the only copy, that of released", fid.bracketed());
}

/// A removal has no begin that would tell whether the coordinator still knows it.
Status check_known(Environment& environment, const ActionItem& item) {
  abi::hsm_progress alive{};
  alive.hp_fid = {item.fid.seq, item.fid.oid, item.fid.ver};
  alive.hp_cookie = item.cookie;
  const Status answer = environment.client.progress(alive);
  if (answer) return {};
  note_answer(environment, answer);
  Error error = answer.error();
  if (error.sys_errno == ENOENT) error.kind = ErrorKind::cancelled;
  return Failure(std::move(error));
}

bool is_not_there(const Outcome<std::unique_ptr<archive::ObjectReader>>& object) {
  return !object && object.error().kind == ErrorKind::not_found;
}

/// `held`: the file, open, or why it is not.
Status remove_held(Environment& environment, const ActionItem& item, const Outcome<Fd>& held) {
  const bool is_gone = !held && held.error().kind == ErrorKind::not_found;
  // What is encrypted, and its key not here, can be neither held nor asked.
  if (!held && !is_gone && held.error().sys_errno != ENOKEY) return Failure(held.error());
  LHSM_TRY(check_known(environment, item));
  // A removal that must fail leaves the file as it is.
  LHSM_TRY(environment.backend.check_writable());
  const bool is_missing = environment.options.remove_needs_object && is_not_there(environment.backend.open(item.fid));
  if (held && !is_missing) LHSM_TRY(disown_copy(environment, *held, item.fid));
  LHSM_TRY_ASSIGN(const bool was_there, environment.backend.remove(item.fid));
  if (was_there || !environment.options.remove_needs_object) return {};
  return errno_error("remove object of", item.fid.bracketed(), ENOENT);
}

}  // namespace

Status remove_object(Environment& environment, const ActionItem& item) {
  // Open meanwhile, so that no client attaches the file to its persistent cache: it may keep its copy in this archive.
  const auto held = environment.client.open_by_fid(item.fid, O_RDONLY | O_NOATIME | O_NOFOLLOW | O_NONBLOCK);
  if (const Status removed = remove_held(environment, item, held); !removed) {
    LHSM_TRY(refuse(environment, item, removed.error()));
    return Failure(removed.error());
  }
  environment.pulse.wait();
  const Status ended = lustre::end_unbegun(environment.client, item, 0);
  note_answer(environment, ended);
  return ended;
}

}  // namespace lhsm::run
