// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One action of the coordinator while it is carried out: the contract of llapi_hsm_action_begin(3),
// _progress, _end, _get_dfid and _get_fd over the public ioctls. Unlike those calls it needs no
// registration, so any rank on any client may run it.
//
// begin and end belong to one process: it holds the data version of an archive, and the descriptor
// that keeps a restore's volatile file alive. One thread at a time, except that progress() may be
// called by any thread between begin and end.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>

#include "lhsmtool_mpi/base/action_item.hpp"
#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"

namespace lhsm::lustre {

/// Return the errno to report for `error`: positive, and never one that the coordinator would take
/// for something else (ENOSYS: "cannot cancel"; ECANCELED only for a real cancel).
[[nodiscard]] int reportable_errno(const Error& error);

/// End an action that was never begun: with `sys_errno` != 0 to refuse any item, with 0 only a REMOVE,
/// which needs no begin. ENOENT: the coordinator does not know the cookie (any more).
[[nodiscard]] Status end_unbegun(Client& client, const ActionItem& item, int sys_errno, std::uint16_t flags = 0);

/// Whether a restore's volatile file gets its layout from Lustre when it is made, or is made without
/// objects for set_layout() to follow. Once it has a layout no other can be set.
enum class VolatileLayout { by_default, set_later };

class HsmAction {
 public:
  /// Open the source of an archive, or the released file of a restore (for its attributes; its data
  /// must not be read). Nothing is reported to the coordinator yet.
  /// ENOENT: no such file. Kind `invalid`, EINVAL or EISDIR: not a regular file.
  [[nodiscard]] static Outcome<HsmAction> open(Client& client, const ActionItem& item);

  HsmAction(HsmAction&& other) noexcept;
  HsmAction& operator=(HsmAction&&) = delete;
  HsmAction(const HsmAction&) = delete;
  HsmAction& operator=(const HsmAction&) = delete;

  /// An action that is dropped after begin() and before end() is ended as failed, with EIO. One that
  /// was only opened owes the coordinator nothing.
  ~HsmAction();

  /// Tell the coordinator that the action begins. ARCHIVE: the data version is noted. RESTORE: the
  /// volatile file is made on the file's MDT and given the file's owner. After an error the action is still to be ended, with that error.
  /// Kind `busy`, EBUSY: what is to be archived was released meanwhile. Kind `cancelled`: ECANCELED, cancelled already, or ENOENT, the coordinator does not know the cookie.
  [[nodiscard]] Status begin(VolatileLayout layout = VolatileLayout::by_default);

  /// Report bytes done since the last report; length 0 only keeps the action alive. ECANCELED means: stop, and end with that;
  /// ENOENT: stop, and abandon() it.
  [[nodiscard]] Status progress(Extent done) const;

  /// End it. `sys_errno` 0: success; a restore's data is synced and the original's times are set
  /// first, and any failure of that becomes the action's. Return what went wrong in ending: EBUSY,
  /// the file changed while it was archived; EPERM, the owner changed while it was restored; ENOENT,
  /// unknown cookie. The action is used up whatever is returned.
  [[nodiscard]] Status end(int sys_errno, std::uint16_t flags = 0);

  /// Give it up without an end, as its coordinator does not know it (any more). Were it sent again meanwhile, an end would be taken
  /// for the end of that: one with ECANCELED for a success (facts 4.4).
  void abandon();

  [[nodiscard]] const ActionItem& item() const { return m_item; }
  /// Attributes of the file as they were at open(); of an archive's source, at begin().
  [[nodiscard]] const struct stat& attributes() const { return m_attributes; }
  /// Whether the file of a restore was released at open(); nothing where that is not known.
  [[nodiscard]] std::optional<bool> is_released() const { return m_is_released; }
  /// The data version of an archive's source at begin(): the same one means the same content.
  [[nodiscard]] std::uint64_t data_version() const { return m_data_version; }
  /// The file that is open for copying: the archive's source, or the restore's volatile (after
  /// begin). Borrowed; closed by end().
  [[nodiscard]] int data_fd() const;
  /// The file whose attributes and layout count. Of a restore only until begin(), which closes it.
  [[nodiscard]] int file_fd() const { return *m_file; }
  /// What other ranks open by FID: for a restore the volatile, else the file itself.
  [[nodiscard]] const Fid& dfid() const { return m_dfid; }

 private:
  HsmAction(Client& client, const ActionItem& item) : m_client(&client), m_item(item), m_dfid(item.fid) {}
  Status look_at_file();
  Status make_volatile(VolatileLayout layout);
  [[nodiscard]] Status check_has_data() const;
  Status finish_restored_file();

  Client* m_client;
  ActionItem m_item;
  Fid m_dfid;
  Fd m_file;
  Fd m_volatile;
  struct stat m_attributes {};
  std::optional<bool> m_is_released;
  std::uint64_t m_data_version = 0;
  bool m_end_owed = false;  ///< begin() was called, end() was not
  bool m_begun = false;
};

}  // namespace lhsm::lustre
