// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/stat.h>

#include <array>
#include <unordered_map>

#include "core/coordinator.hpp"
#include "daemon/fid_allocator.hpp"
#include "daemon/file_index.hpp"

namespace lhsm::emulator {

/// The files of the emulated file system: their FIDs, given when first asked for, and their HSM
/// states. All changes of state go through here, so states are remembered once read.
class FileStore final : public Files {
 public:
  FileStore(int mount_fd, std::string mount_path, const AttributeNames& names, std::uint32_t mdt_count,
            FidAllocator allocator);
  FileStore(const FileStore&) = delete;
  FileStore& operator=(const FileStore&) = delete;

  /// Return the FID of the inode behind `fd`, with a new one on `mdt` (-1: that of the parent
  /// directory) if it has none. A descriptor outside the mount is ENOTTY, as from another file system.
  Outcome<Fid> fid_of(int fd, int mdt);

  /// Return FIDs for the volatile files that a client will make on an MDT.
  Outcome<FidAllocator::Block> volatile_fids(std::uint32_t mdt, std::uint32_t wanted) {
    return m_allocator.next_block(mdt, std::min(wanted, k_fids_per_block));
  }
  Outcome<std::uint64_t> first_cookie(std::uint32_t mdt) { return m_allocator.first_cookie(mdt); }

  /// Open a file O_PATH, for the caller to keep.
  Outcome<Fd> open(const Fid& fid) { return m_index.open(fid); }
  [[nodiscard]] bool knows(const Fid& fid) const { return m_index.knows(fid); }
  void clear_handle_table() { m_index.clear_table(); }
  [[nodiscard]] std::string_view handle_of(const Fid& fid) const { return m_index.handle_of(fid); }
  Outcome<std::string> path_of(const Fid& fid) { return m_index.path_of(fid); }
  Outcome<FileIndex::Link> link_of(const Fid& fid, std::uint32_t link) { return m_index.link_of(fid, link); }

  /// Begin a call, or a coordinator's pass: within one, a file is looked at once, so that all that is
  /// decided is decided about the same content.
  void new_round() { ++m_round; }

  // The state as it is now: DIRTY is set here, when the content is no longer the one last seen.
  Outcome<FileView> view(const Fid& fid) override;
  Status set_hsm(const Fid& fid, const HsmState& state) override;

  /// Return the file's attributes, or its data version, as this round saw them.
  Outcome<struct stat> attributes_of(const Fid& fid);
  Outcome<std::uint64_t> version_of(const Fid& fid);

  /// Open a file for reading and writing.
  Outcome<Fd> open_data(const Fid& fid);
  /// Close the file if it is unlinked: it must not live on because it was looked at.
  void let_go(const Fid& fid);
  /// Tell that the content was changed by this daemon itself.
  void changed(const Fid& fid);

  /// Make the inode behind `fd` the file `fid` with this state, before it is moved to the file's name.
  Status adopt(const Fid& fid, int fd, const HsmState& state);
  /// Tell that the file `fid` is now the inode behind `fd`, at `path`.
  void replaced(const Fid& fid, int fd, std::string_view path, const HsmState& state, std::uint64_t version);

  /// Close what is open only to spare the next open.
  void close_idle();
  [[nodiscard]] bool has_idle() const { return m_has_opened; }

  [[nodiscard]] const AttributeNames& names() const { return m_names; }
  [[nodiscard]] std::uint32_t mdt_count() const { return m_mdt_count; }

 private:
  struct Known {
    HsmState state;
    std::uint64_t seen_version = 0;
  };
  /// Files that were looked at stay open for the next look, until the daemon is idle.
  struct Opened {
    Fid fid;
    Fd fd;
    struct stat st {};
    std::uint64_t round = 0;  ///< in which it was looked at
  };
  /// Return the file open, with its present attributes; valid until the next call.
  Outcome<const Opened*> look_at(const Fid& fid);
  Outcome<Known*> known(const Fid& fid, int fd);
  Outcome<std::uint32_t> mdt_for(const std::string& relative_path);
  Status store(const Opened& file, Known& known, const HsmState& state);

  AttributeNames m_names;
  std::uint32_t m_mdt_count;
  FidAllocator m_allocator;
  FileIndex m_index;
  int m_mount_fd;
  std::unordered_map<Fid, Known> m_known;
  std::array<Opened, 128> m_opened;
  std::uint64_t m_round = 1;
  bool m_has_opened = false;
};

}  // namespace lhsm::emulator
