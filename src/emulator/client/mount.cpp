// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/mount.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "client/emulated_devices.hpp"
#include "client/own_io.hpp"
#include "core/fid_space.hpp"
#include "core/file_handle.hpp"
#include "lhsmtool_mpi/lustre/abi.hpp"

namespace lhsm::emulator {
namespace {

/// An unlinked file lives while somebody has it open. Whether that is only the daemon, which looked at
/// it a moment ago, the daemon knows.
bool is_unlinked(const Fd& file) {
  struct stat st {};
  return ::fstat(*file, &st) == 0 && st.st_nlink == 0;
}


/// Return whether a Lustre client would ask a server, too. FIDs for volatiles are asked for in blocks,
/// so their makers wait for each of them instead.
bool stands_for_rpc(Op op) {
  switch (op) {
    case Op::hello:
    case Op::status:
    case Op::get_param:
    case Op::set_param:
    case Op::kill_client:
    case Op::evict_client:
    case Op::volatile_fids: return false;
    default: return true;
  }
}

}  // namespace

Mount::Mount(std::string path, Fd root, std::string fsname, std::uint32_t mdt_count, std::string_view name_space,
             std::uint32_t ost_count)
    : m_path(std::move(path)),
      m_root(std::move(root)),
      m_fsname(std::move(fsname)),
      m_mdt_count(mdt_count),
      m_names(name_space),
      m_owner(::getpid()),
      m_ost_count(ost_count) {
  std::ignore = ::fstat(*m_root, &m_root_stat);  // a directory that is open can be looked at
  note_device(m_root_stat.st_dev, m_names);
  m_model.attach(*m_root);
}

bool Mount::is_admin() const {
  const auto user = ::geteuid();
  if (user == 0) return true;
  struct stat st {};
  return ::fstatat(*m_root, k_fid_dir, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid == user;
}

void Mount::leave_parent() {
  if (m_owner == ::getpid()) return;
  // The parent goes on using these: two processes on one connection would mix their answers, and
  // make volatiles of one FID.
  m_idle.clear();
  m_blocks.clear();
  m_owner = ::getpid();
}

Outcome<Fd> Mount::connection() {
  {
    const std::lock_guard lock(m_mutex);
    leave_parent();
    if (!m_idle.empty()) {
      Fd fd = std::move(m_idle.back());
      m_idle.pop_back();
      return fd;
    }
  }
  LHSM_TRY_ASSIGN(Fd fd, connect_to(*m_root));
  Writer hello;
  hello.put(Op::hello).put(k_protocol).put(client_uuid());
  LHSM_TRY(send_message(*fd, hello.bytes()));
  LHSM_TRY_ASSIGN(const auto incoming, receive_message(*fd));
  Reader reply(incoming.bytes);
  if (const auto rc = reply.get<std::int32_t>(); rc != 0 || !reply.ok())
    return errno_error("connect", m_path, rc < 0 ? -rc : EPROTO);
  // It may be another daemon, whose directory was made anew.
  m_model.attach(*m_root);
  auto handles = std::make_shared<const HandleTableReader>(HandleTableReader::open(*m_root));
  const std::lock_guard lock(m_mutex);
  m_handles = std::move(handles);
  return fd;
}

void Mount::put_back(Fd connection) {
  const std::lock_guard lock(m_mutex);
  m_idle.push_back(std::move(connection));
}

Answer Mount::call(const Writer& request, int fd) {
  Answer answer;
  if (stands_for_rpc(Reader(request.bytes()).get<Op>())) m_model.rpc();
  for (int attempt = 0;; ++attempt) {
    auto link = connection();
    if (!link) {
      // A daemon that is being killed takes connections still.
      const int error = link.error().sys_errno;
      answer.rc = error == ECONNRESET || error == EPIPE ? -ENOTCONN : -error;
      return answer;
    }
    if (const auto sent = send_message(**link, request.bytes(), fd); !sent) {
      // The daemon was restarted: what could not even be sent may be sent again, once per old link.
      const bool is_stale = sent.error().sys_errno == EPIPE || sent.error().sys_errno == ECONNRESET;
      if (is_stale && attempt < 64) continue;
      answer.rc = is_stale ? -ENOTCONN : -sent.error().sys_errno;
      return answer;
    }
    auto incoming = receive_message(**link);
    if (!incoming) {
      answer.rc = incoming.error().sys_errno == ECONNRESET ? -ENOTCONN : -incoming.error().sys_errno;
      return answer;
    }
    put_back(std::move(*link));
    answer.bytes = std::move(incoming->bytes);
    answer.fd = std::move(incoming->fd);
    Reader reader(answer.bytes);
    answer.rc = reader.get<std::int32_t>();
    if (!reader.ok()) answer.rc = -EPROTO;
    return answer;
  }
}

Outcome<Fid> Mount::volatile_fid(std::uint32_t mdt) {
  m_model.rpc();
  {
    const std::lock_guard lock(m_mutex);
    leave_parent();
    if (auto& block = m_blocks[mdt]; block.left > 0) {
      --block.left;
      return Fid{block.next.seq, block.next.oid++, 0};
    }
  }
  Writer request;
  request.put(Op::volatile_fids).put(mdt).put(k_fids_per_block);
  const auto answer = call(request);
  if (answer.rc < 0) return errno_error("create volatile", m_path, -answer.rc);
  auto results = answer.results();
  const auto first = results.get<Fid>();
  const auto count = results.get<std::uint32_t>();
  if (!results.ok() || count == 0) return errno_error("create volatile", m_path, EPROTO);
  const std::lock_guard lock(m_mutex);
  // Of two threads that asked, one block is left unused.
  m_blocks[mdt] = {{first.seq, first.oid + 1, 0}, count - 1};
  return first;
}

std::string Mount::handle_of(const Fid& fid) {
  const OwnIo own;
  std::shared_ptr<const HandleTableReader> handles;
  {
    const std::lock_guard lock(m_mutex);
    handles = m_handles;
  }
  return handles ? handles->find(fid) : std::string();
}

Outcome<Fid> Mount::fid_of(int fd) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return errno_error("FID of", inode_path(fd));
  if (is_root(st)) return k_root_fid;
  // A known file says itself who it is, unless the tag was copied from elsewhere.
  if (const auto tag = read_tag(fd, m_names))
    if (tag->inode == static_cast<std::uint32_t>(st.st_ino) && mdt_of(tag->fid(), m_mdt_count)) return tag->fid();
  Writer request;
  request.put(Op::fid_of).put(std::int32_t{-1});
  const auto answer = call(request, fd);
  if (answer.rc < 0) return errno_error("FID of", inode_path(fd), -answer.rc);
  return answer.results().get<Fid>();
}

Outcome<Fd> Mount::open(const Fid& fid, int flags) {
  // As on Lustre, flags about creation mean nothing when a file is opened by FID.
  const int usable = flags & ~(O_CREAT | O_EXCL | abi::O_LOV_DELAY_CREATE);
  if (const auto handle = handle_of(fid); !handle.empty()) {
    Fd file = open_handle(*m_root, handle, usable);
    if (file && !is_unlinked(file)) return file;
    if (file) errno = ESTALE;
    // A stale handle may be the former one of a file that has a new inode now: the daemon knows.
    if (errno != EPERM && errno != ESTALE) return errno_error("open", fid.bracketed());
  }
  for (const std::uint8_t wants_descriptor : {std::uint8_t{0}, std::uint8_t{1}}) {
    Writer request;
    request.put(Op::open_fid).put(fid).put(wants_descriptor);
    const auto answer = call(request);
    if (answer.rc < 0) return errno_error("open", fid.bracketed(), -answer.rc);
    auto results = answer.results();
    if (const auto handle = results.get_text(); !handle.empty()) {
      Fd file = open_handle(*m_root, handle, usable);
      if (file) return file;
      // Who has not the right to open by handle gets the descriptor.
      if (errno != EPERM) return errno_error("open", fid.bracketed(), errno == ESTALE ? ENOENT : errno);
      continue;
    }
    if (!answer.fd) return errno_error("open", fid.bracketed(), EPROTO);
    // Reopened through /proc, which O_NOFOLLOW would refuse; it is the file itself in any case.
    Fd file(::open(inode_path(*answer.fd).c_str(), usable & ~O_NOFOLLOW));
    if (!file) return errno_error("open", fid.bracketed());
    return file;
  }
  return errno_error("open", fid.bracketed(), EPERM);
}

}  // namespace lhsm::emulator
