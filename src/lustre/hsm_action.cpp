// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/lustre/hsm_action.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/lustre/layout.hpp"

namespace lhsm::lustre {

namespace {

abi::lu_fid to_abi(const Fid& fid) { return {fid.seq, fid.oid, fid.ver}; }

abi::hsm_copy copy_of(const ActionItem& item, const Fid& dfid) {
  abi::hsm_copy copy{};
  // The ioctls take the fixed part only; the user's data stays behind (as in llapi_hsm_action_begin).
  copy.hc_hai.hai_len = sizeof copy.hc_hai;
  copy.hc_hai.hai_action = static_cast<std::uint32_t>(item.kind);
  copy.hc_hai.hai_fid = to_abi(item.fid);
  copy.hc_hai.hai_dfid = to_abi(dfid);
  // offset + length must not overflow, or the coordinator refuses the end and the request stays open.
  copy.hc_hai.hai_extent = {item.extent.offset, std::min(item.extent.length, abi::k_whole_file - item.extent.offset)};
  copy.hc_hai.hai_cookie = item.cookie;
  copy.hc_hai.hai_gid = item.gid;
  return copy;
}

/// The directory can be gone or renamed by now, too deep to be named, or replaced by a link or another mount.
bool serves_root_as_well(const Error& error) {
  return error.kind == ErrorKind::not_found || error.sys_errno == ENAMETOOLONG || error.sys_errno == ELOOP || error.sys_errno == EXDEV;
}

/// Of what the client knows; no RPC.
bool is_encrypted(int fd) {
  struct statx known {};
  return ::statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &known) == 0 &&
         (known.stx_attributes & STATX_ATTR_ENCRYPTED) != 0;
}

}  // namespace

int reportable_errno(const Error& error) {
  if (error.kind == ErrorKind::cancelled && error.sys_errno != ENOENT) return ECANCELED;
  switch (error.sys_errno) {
    case 0:
    case ECANCELED:
      return EIO;
    case ENOSYS:
      return EOPNOTSUPP;
    default:
      // Errors come in messages, too. In the 16 bits of an end another number could become a success.
      return error.sys_errno > 0 && error.sys_errno < 4096 ? error.sys_errno : EIO;
  }
}

Status end_unbegun(Client& client, const ActionItem& item, int sys_errno, std::uint16_t flags) {
  assert(sys_errno != 0 || item.kind == ActionKind::remove);
  abi::hsm_copy copy = copy_of(item, item.fid);
  copy.hc_errval = static_cast<std::uint16_t>(sys_errno);
  copy.hc_flags = flags;
  return client.copy_end(copy);
}

Outcome<HsmAction> HsmAction::open(Client& client, const ActionItem& item) {
  HsmAction action(client, item);
  const std::string name = item.fid.bracketed();
  // O_NONBLOCK: a fifo in the file's place must not hold us. Reading needs no access time update.
  LHSM_TRY_ASSIGN(action.m_file, client.open_by_fid(item.fid, O_RDONLY | O_NOATIME | O_NOFOLLOW | O_NONBLOCK));
  LHSM_TRY(action.look_at_file());
  if (S_ISDIR(action.m_attributes.st_mode)) return failure(ErrorKind::invalid, EISDIR, "open as a regular file", name);
  if (!S_ISREG(action.m_attributes.st_mode)) return failure(ErrorKind::invalid, EINVAL, "open as a regular file", name);
  return action;
}

Status HsmAction::look_at_file() {
  if (m_item.kind == ActionKind::restore) {
    LHSM_TRY_ASSIGN(const auto at_mdt, m_client->file_at_mdt(m_item.fid));
    if (at_mdt) {
      m_attributes = at_mdt->attributes;
      if (!at_mdt->layout.empty()) m_is_released = lustre::is_released(at_mdt->layout);
      return {};
    }
  }
  if (::fstat(*m_file, &m_attributes) != 0) return errno_error("fstat", m_item.fid.bracketed());
  return {};
}

HsmAction::HsmAction(HsmAction&& other) noexcept
    : m_client(other.m_client),
      m_item(std::move(other.m_item)),
      m_dfid(other.m_dfid),
      m_file(std::move(other.m_file)),
      m_volatile(std::move(other.m_volatile)),
      m_attributes(other.m_attributes),
      m_is_released(other.m_is_released),
      m_data_version(other.m_data_version),
      m_end_owed(std::exchange(other.m_end_owed, false)),
      m_begun(other.m_begun) {}

HsmAction::~HsmAction() {
  if (!m_end_owed) return;
  if (const Status ended = end(EIO); !ended)
    log::warning("{}: dropped, and could not be ended: {}", m_item.describe(), ended.error().describe());
}

int HsmAction::data_fd() const { return m_item.kind == ActionKind::restore ? *m_volatile : *m_file; }

Status HsmAction::make_volatile(VolatileLayout layout) {
  // The volatile must live on the file's own MDT: the end of a restore is sent to the MDT of the
  // volatile, and another one does not know the cookie (facts 5a).
  int mdt = m_item.mdt_index;
  if (mdt < 0) {
    LHSM_TRY_ASSIGN(mdt, m_client->mdt_index(m_item.fid));
  }
  std::string parent = m_client->mount_point();
  if (const auto path = m_client->path_of(m_item.fid); path) {
    if (const auto slash = path->rfind('/'); slash != std::string::npos) parent += '/' + path->substr(0, slash);
  }
  const int flags = O_RDWR | (layout == VolatileLayout::set_later ? abi::O_LOV_DELAY_CREATE : 0);
  auto made = m_client->create_volatile(parent, mdt, flags, *m_file);
  if (!made && serves_root_as_well(made.error()))
    made = m_client->create_volatile(m_client->mount_point(), mdt, flags, *m_file);
  if (!made) return Failure(std::move(made).error());
  m_volatile = std::move(*made);
  // But not for an encrypted one: data written outside of its directory could not be read by its key.
  if (is_encrypted(*m_file) && !is_encrypted(*m_volatile))
    return failure(ErrorKind::invalid, EXDEV, "make an encrypted volatile of", m_item.fid.bracketed());
  // A swap of layouts between files of different owners is refused at the end.
  if (::fchown(*m_volatile, m_attributes.st_uid, m_attributes.st_gid) != 0)
    return errno_error("fchown volatile of", m_item.fid.bracketed());
  // Else the data would count for the directory's project. Only that is lost if it cannot be.
  if (const Status matched = m_client->match_project(*m_volatile, *m_file); !matched)
    log::warning("{}: its data will count for another project: {}", m_item.describe(), matched.error().describe());
  LHSM_TRY_ASSIGN(m_dfid, m_client->fid_of(*m_volatile));
  return {};
}

Status HsmAction::begin(VolatileLayout layout) {
  m_end_owed = true;
  if (m_item.kind == ActionKind::restore) LHSM_TRY(make_volatile(layout));
  abi::hsm_copy copy = copy_of(m_item, m_dfid);
  if (const Status started = m_client->copy_start(copy); !started) {
    Error error = started.error();
    // The coordinator does not know the cookie any more: its time was over, or it was restarted.
    if (error.sys_errno == ENOENT) error.kind = ErrorKind::cancelled;
    return Failure(std::move(error));
  }
  m_data_version = copy.hc_data_version;
  m_begun = true;
  // Nobody reads the released file any more; to an observer we would be a reader of it.
  if (m_item.kind == ActionKind::restore) m_file.reset();
  // The data version is of now: with an older size, the end would succeed for a part of the file.
  if (m_item.kind != ActionKind::archive) return {};
  if (::fstat(*m_file, &m_attributes) != 0) return errno_error("fstat", m_item.fid.bracketed());
  return check_has_data();
}

/// Whoever reads a file that was released since the archive was asked for waits for its restore, which may be ours to carry out. A
/// data version of nothing is the sign.
Status HsmAction::check_has_data() const {
  if (m_data_version != 0 || m_attributes.st_size == 0) return {};
  LHSM_TRY_ASSIGN(const HsmState state, m_client->hsm_state(*m_file));
  if ((state.states & abi::HS_RELEASED) == 0) return {};
  return failure(ErrorKind::busy, EBUSY, "archive what is released by now,", m_item.fid.bracketed());
}

Status HsmAction::progress(Extent done) const {
  abi::hsm_progress report{};
  report.hp_fid = to_abi(m_dfid);
  report.hp_cookie = m_item.cookie;
  report.hp_extent = {done.offset, done.length};
  return m_client->progress(report);
}

Status HsmAction::finish_restored_file() {
  if (::fsync(*m_volatile) != 0) return errno_error("fsync restored data of", m_item.fid.bracketed());
  return m_client->set_times(*m_volatile, m_attributes);
}

void HsmAction::abandon() {
  m_end_owed = false;
  m_file.reset();
  m_volatile.reset();
}

Status HsmAction::end(int sys_errno, std::uint16_t flags) {
  m_end_owed = false;
  Status finished;
  if (sys_errno == 0 && !m_begun)
    // A success without a begin would clear RELEASED on a file without data.
    finished = failure(ErrorKind::internal, EINVAL, "end as a success what was not begun", m_item.fid.bracketed());
  else if (sys_errno == 0 && m_item.kind == ActionKind::restore)
    finished = finish_restored_file();

  abi::hsm_copy copy = copy_of(m_item, m_dfid);
  copy.hc_hai.hai_fid = to_abi(m_dfid);  // of two FIDs, the end names the one with the data
  copy.hc_data_version = m_data_version;
  copy.hc_flags = flags;
  copy.hc_errval = static_cast<std::uint16_t>(finished ? sys_errno : reportable_errno(finished.error()));
  // The descriptors stay open until the coordinator has answered: a volatile that is closed earlier
  // is gone.
  const Status ended = m_client->copy_end(copy);
  m_file.reset();
  m_volatile.reset();
  return finished ? ended : finished;
}

}  // namespace lhsm::lustre
