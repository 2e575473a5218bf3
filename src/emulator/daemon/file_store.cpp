// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/file_store.hpp"

#include <fcntl.h>
#include <sys/xattr.h>

#include "core/data_version.hpp"
#include "core/socket.hpp"

namespace lhsm::emulator {
namespace {

Outcome<struct stat> stat_of(int fd, const Fid& fid) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return errno_error("stat", fid.bracketed());
  return st;
}

FidTag tag_for(const Fid& fid, const struct stat& st) {
  return {fid.seq, fid.oid, static_cast<std::uint32_t>(st.st_ino), data_version(st)};
}

}  // namespace

FileStore::FileStore(int mount_fd, std::string mount_path, const AttributeNames& names, std::uint32_t mdt_count,
                     FidAllocator allocator)
    : m_names(names),
      m_mdt_count(mdt_count),
      m_allocator(std::move(allocator)),
      m_index(mount_fd, std::move(mount_path), m_names),
      m_mount_fd(mount_fd) {}

Outcome<Fid> FileStore::fid_of(int fd, int mdt) {
  const auto path = m_index.relative_path(fd);
  if (!path) return errno_error("FID of", inode_path(fd), ENOTTY);
  if (path->empty()) return k_root_fid;
  const std::string volatile_prefix = std::string(k_fid_dir) + "/";
  if (path->starts_with(volatile_prefix)) {
    const auto name = path->substr(volatile_prefix.size());
    if (const auto fid = Fid::parse(name.substr(0, name.find(' ')))) return *fid;
  }
  LHSM_TRY_ASSIGN(const auto st, stat_of(fd, {}));
  const auto inode = inode_path(fd);
  const auto tag = read_tag(inode, m_names);
  if (tag && tag->inode == static_cast<std::uint32_t>(st.st_ino) && mdt_of(tag->fid(), m_mdt_count)) {
    m_index.remember(tag->fid(), fd, *path);
    return tag->fid();
  }
  if (mdt < 0) {
    LHSM_TRY_ASSIGN(mdt, mdt_for(*path).map([](std::uint32_t index) { return static_cast<int>(index); }));
  }
  LHSM_TRY_ASSIGN(const Fid fid, m_allocator.next(static_cast<std::uint32_t>(mdt)));
  // A state that came with a copied tag belongs to the file it was copied from.
  if (::removexattr(inode.c_str(), m_names.hsm.c_str()) != 0 && errno != ENODATA)
    return errno_error("removexattr", *path);
  LHSM_TRY(write_tag(inode, m_names, tag_for(fid, st)));
  m_index.remember(fid, fd, *path);
  m_known[fid] = {HsmState{}, data_version(st)};
  return fid;
}

Outcome<std::uint32_t> FileStore::mdt_for(const std::string& relative_path) {
  if (m_mdt_count == 1) return 0U;
  const auto slash = relative_path.rfind('/');
  if (slash == std::string::npos) return 0U;
  const auto parent = relative_path.substr(0, slash);
  const Fd directory(::openat(m_mount_fd, parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return errno_error("open", parent);
  LHSM_TRY_ASSIGN(const Fid fid, fid_of(*directory, -1));
  return mdt_of(fid, m_mdt_count).value_or(0);
}

Outcome<FileStore::Known*> FileStore::known(const Fid& fid, int fd) {
  const auto it = m_known.find(fid);
  if (it != m_known.end()) return &it->second;
  const auto inode = inode_path(fd);
  const auto tag = read_tag(inode, m_names);
  Known fresh;
  fresh.state = read_hsm(inode, m_names);
  fresh.seen_version = tag ? tag->seen_version : 0;
  return &(m_known[fid] = fresh);
}

Outcome<const FileStore::Opened*> FileStore::look_at(const Fid& fid) {
  Opened& slot = m_opened[(fid.seq + fid.oid) % m_opened.size()];
  if (slot.fd && slot.fid == fid) {
    if (slot.round == m_round) return &slot;
    slot.round = m_round;
    if (::fstat(*slot.fd, &slot.st) == 0 && slot.st.st_nlink > 0) return &slot;
  }
  // An unlinked file must not live on through a descriptor of ours: the index knows whether it does.
  slot.fd.reset();
  LHSM_TRY_ASSIGN(slot.fd, m_index.open(fid));
  m_has_opened = true;
  slot.fid = fid;
  slot.round = 0;
  LHSM_TRY_ASSIGN(slot.st, stat_of(*slot.fd, fid));
  slot.round = m_round;
  return &slot;
}

void FileStore::close_idle() {
  for (auto& slot : m_opened) slot.fd.reset();
  m_has_opened = false;
}

Status FileStore::store(const Opened& file, Known& known, const HsmState& state) {
  const auto inode = inode_path(*file.fd);
  const auto tag = tag_for(file.fid, file.st);
  if (known.seen_version != tag.seen_version) {
    LHSM_TRY(write_tag(inode, m_names, tag));
    known.seen_version = tag.seen_version;
  }
  if (!(known.state == state)) {
    LHSM_TRY(write_hsm(inode, m_names, state));
    known.state = state;
  }
  return {};
}

Outcome<FileView> FileStore::view(const Fid& fid) {
  LHSM_TRY_ASSIGN(const Opened* file, look_at(fid));
  if (file->st.st_nlink == 0) return errno_error("open", fid.bracketed(), ENOENT);
  LHSM_TRY_ASSIGN(Known * state, known(fid, *file->fd));
  if ((state->state.flags & (abi::HS_EXISTS | abi::HS_RELEASED | abi::HS_DIRTY)) == abi::HS_EXISTS &&
      state->seen_version != data_version(file->st)) {
    auto dirty = state->state;
    dirty.flags |= abi::HS_DIRTY;
    LHSM_TRY(store(*file, *state, dirty));
  }
  return FileView{state->state, file->st.st_uid, file->st.st_gid};
}

Status FileStore::set_hsm(const Fid& fid, const HsmState& state) {
  LHSM_TRY_ASSIGN(const Opened* file, look_at(fid));
  LHSM_TRY_ASSIGN(Known * before, known(fid, *file->fd));
  return store(*file, *before, state);
}

Outcome<struct stat> FileStore::attributes_of(const Fid& fid) {
  LHSM_TRY_ASSIGN(const Opened* file, look_at(fid));
  return file->st;
}

Outcome<Fd> FileStore::open_data(const Fid& fid) {
  LHSM_TRY_ASSIGN(const Opened* file, look_at(fid));
  Fd fd(::open(inode_path(*file->fd).c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return errno_error("open", fid.bracketed());
  return fd;
}

void FileStore::let_go(const Fid& fid) {
  Opened& slot = m_opened[(fid.seq + fid.oid) % m_opened.size()];
  if (struct stat st{}; slot.fd && slot.fid == fid && (::fstat(*slot.fd, &st) != 0 || st.st_nlink == 0)) slot.fd.reset();
}

void FileStore::changed(const Fid& fid) {
  Opened& slot = m_opened[(fid.seq + fid.oid) % m_opened.size()];
  if (slot.fid == fid) slot.round = 0;
}

Outcome<std::uint64_t> FileStore::version_of(const Fid& fid) {
  LHSM_TRY_ASSIGN(const Opened* file, look_at(fid));
  return data_version(file->st);
}

Status FileStore::adopt(const Fid& fid, int fd, const HsmState& state) {
  LHSM_TRY_ASSIGN(const auto st, stat_of(fd, fid));
  const auto inode = inode_path(fd);
  LHSM_TRY(write_tag(inode, m_names, tag_for(fid, st)));
  return write_hsm(inode, m_names, state);
}

void FileStore::replaced(const Fid& fid, int fd, std::string_view path, const HsmState& state, std::uint64_t version) {
  close_idle();
  m_index.remember(fid, fd, path);
  m_known[fid] = {state, version};
}

}  // namespace lhsm::emulator
