// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the kernel does (obdclass/kernelcomm.c, lmv/lmv_obd.c, the same in 2.16 and 2.17): START adds the
// write end of our pipe to the receivers of this client and registers the client with each MDT; an MDT
// that has it already says EEXIST, which counts as done. A START that any MDT refuses damages the kernel:
// CoordinatorProbe. STOP takes the client from the MDTs, then our entries, found by lk_uid, from the receivers; it
// writes nothing and touches nothing that is in the pipe. An unmount writes KUC_MSG_SHUTDOWN and drops the entries. As
// we hold both ends ourselves, the pipe never ends, whoever lets go of it.
#include "copytool_stream.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <tuple>

namespace lhsm::lustre {

namespace {

/// A coordinator's thread waits while the pipe is full. Tried from the largest on: an ordinary user may
/// be allowed less (/proc/sys/fs/pipe-max-size).
constexpr int k_most_pipe_bytes = 1 << 20;
constexpr int k_default_pipe_bytes = 1 << 16;
constexpr std::size_t k_read_bytes = std::size_t{64} << 10;

class CopytoolStream final : public ActionStream {
 public:
  CopytoolStream(const LlapiTable& api, CoordinatorProbe& probe, std::string mount_point, std::string fsname,
                 const std::vector<std::uint32_t>& archive_ids)
      : m_api(api),
        m_probe(probe),
        m_mount_point(std::move(mount_point)),
        m_fsname(std::move(fsname)),
        m_archive_ids(archive_ids) {}
  ~CopytoolStream() override { unregister(); }
  CopytoolStream(const CopytoolStream&) = delete;
  CopytoolStream& operator=(const CopytoolStream&) = delete;

  Status open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error("pipe2", m_mount_point);
    m_read_end = Fd(ends[0]);
    m_write_end = Fd(ends[1]);
    // The reader's end only: the kernel must wait for room rather than lose a list.
    if (::fcntl(*m_read_end, F_SETFL, O_NONBLOCK) != 0) return errno_error("fcntl", m_mount_point);
    for (int bytes = k_most_pipe_bytes; bytes > k_default_pipe_bytes; bytes /= 2)
      if (::fcntl(*m_write_end, F_SETPIPE_SZ, bytes) >= 0) break;
    LHSM_TRY_ASSIGN(Fd mount, open_mount());
    LHSM_TRY(m_probe.ask(*mount));
    return start(std::move(mount));
  }

  [[nodiscard]] int poll_fd() const override { return *m_read_end; }

  [[nodiscard]] Outcome<std::optional<ActionList>> receive() override {
    for (;;) {
      LHSM_TRY_ASSIGN(const bool complete, has_message());
      if (complete) return take_message();
      LHSM_TRY_ASSIGN(const std::size_t got, read_more());
      if (got == 0) return std::optional<ActionList>{};
    }
  }

  [[nodiscard]] Status renew() override {
    // First: where it cannot be had anew, the old registration is better than none.
    LHSM_TRY_ASSIGN(Fd mount, open_mount());
    LHSM_TRY(m_probe.ask(*mount));
    unregister();
    return start(std::move(mount));
  }

  void unregister() override {
    if (!m_is_registered) return;
    m_is_registered = false;
    // Whatever an MDT says to it: the entry of our pipe is gone.
    std::ignore = control(abi::LK_FLG_STOP, *m_mount);
    // Now, not after the next registration: a kernel with LU-18238 takes the client from the MDTs when the descriptor closes by which it was registered.
    m_mount.reset();
  }

 private:
  /// Opened anew each time: the file system may have been unmounted and mounted again.
  Outcome<Fd> open_mount() {
    Fd mount(::open(m_mount_point.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!mount) return errno_error("open", m_mount_point);
    std::array<char, abi::MAX_OBD_NAME + 1> fsname{};
    if (const int rc = m_api.search_fsname(m_mount_point.c_str(), fsname.data()); rc != 0)
      return errno_error("find the file system name of", m_mount_point, -rc);
    if (m_fsname != fsname.data())
      return failure(ErrorKind::invalid, EXDEV, fmt::format("find {} mounted on", m_fsname), m_mount_point);
    return mount;
  }

  Status start(Fd mount) {
    if (Status started = control(abi::LK_FLG_DATANR, *mount); !started && started.error().sys_errno != EEXIST)
      return started;
    m_mount = std::move(mount);
    m_is_registered = true;
    return {};
  }

  Status control(std::uint32_t flags, int mount_fd) {
    std::vector<std::uint32_t> argument(sizeof(abi::lustre_kernelcomm) / sizeof(std::uint32_t));
    abi::lustre_kernelcomm kernelcomm{};
    kernelcomm.lk_wfd = static_cast<std::uint32_t>(*m_write_end);
    kernelcomm.lk_rfd = static_cast<std::uint32_t>(*m_read_end);
    kernelcomm.lk_uid = static_cast<std::uint32_t>(::getpid());
    kernelcomm.lk_group = abi::KUC_GRP_HSM;
    kernelcomm.lk_data_count = static_cast<std::uint32_t>(m_archive_ids.size());
    kernelcomm.lk_flags = flags;
    std::memcpy(argument.data(), &kernelcomm, sizeof kernelcomm);
    argument.insert(argument.end(), m_archive_ids.begin(), m_archive_ids.end());
    if (m_api.ioctl(mount_fd, abi::LL_IOC_HSM_CT_START, argument.data()) != 0)
      return errno_error(k_register_copytool, m_mount_point);
    return {};
  }

  /// Whether the buffer begins with a whole message.
  Outcome<bool> has_message() {
    abi::kuc_hdr header{};
    if (m_buffer.size() < sizeof header) return false;
    std::memcpy(&header, m_buffer.data(), sizeof header);
    if (header.kuc_magic == abi::KUC_MAGIC && header.kuc_msglen >= sizeof header)
      return m_buffer.size() >= header.kuc_msglen;
    // Nothing tells where the next message begins.
    std::size_t lost = 0;
    do {
      lost += m_buffer.size();
      m_buffer.clear();
      LHSM_TRY(read_more());
    } while (!m_buffer.empty());
    return failure(ErrorKind::corrupt, EPROTO, fmt::format("{} bytes are no message, received on", lost), m_mount_point);
  }

  Outcome<std::optional<ActionList>> take_message() {
    abi::kuc_hdr header{};
    std::memcpy(&header, m_buffer.data(), sizeof header);
    const std::vector<std::byte> payload(m_buffer.begin() + sizeof header, m_buffer.begin() + header.kuc_msglen);
    m_buffer.erase(m_buffer.begin(), m_buffer.begin() + header.kuc_msglen);
    if (header.kuc_transport == abi::KUC_TRANSPORT_GENERIC && header.kuc_msgtype == abi::KUC_MSG_SHUTDOWN)
      return errno_error("the file system was unmounted from", m_mount_point, ESHUTDOWN);
    if (header.kuc_transport != abi::KUC_TRANSPORT_HSM || header.kuc_msgtype != abi::HMT_ACTION_LIST)
      return failure(ErrorKind::corrupt, EPROTO,
                     fmt::format("unknown message {}:{} of {} bytes, received on", header.kuc_transport,
                                 header.kuc_msgtype, header.kuc_msglen),
                     m_mount_point);
    return parse_action_list(payload);
  }

  /// Return how many bytes came; 0: none are there now.
  Outcome<std::size_t> read_more() {
    const std::size_t had = m_buffer.size();
    m_buffer.resize(had + k_read_bytes);
    const ssize_t got = ::read(*m_read_end, m_buffer.data() + had, k_read_bytes);
    const int sys_errno = errno;
    m_buffer.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    // The kernel has let go of the pipe, and our own end with it.
    if (got == 0) return errno_error("receive actions on", m_mount_point, EPIPE);
    if (got < 0 && sys_errno != EAGAIN && sys_errno != EINTR)
      return errno_error("receive actions on", m_mount_point, sys_errno);
    return static_cast<std::size_t>(std::max<ssize_t>(got, 0));
  }

  const LlapiTable& m_api;
  CoordinatorProbe& m_probe;  // of the thread that registers
  std::string m_mount_point;
  std::string m_fsname;
  std::vector<std::uint32_t> m_archive_ids;
  Fd m_read_end;
  Fd m_write_end;
  std::vector<std::byte> m_buffer;  // the reader's: what was read and is not yet taken
  Fd m_mount;                       // of the last START; this and the next: the other thread's
  bool m_is_registered = false;
};

}  // namespace

Outcome<std::unique_ptr<ActionStream>> open_copytool_stream(const LlapiTable& api, CoordinatorProbe& probe, const std::string& mount_point,
                                                            const std::string& fsname,
                                                            const std::vector<std::uint32_t>& archive_ids) {
  auto stream = std::make_unique<CopytoolStream>(api, probe, mount_point, fsname, archive_ids);
  LHSM_TRY(stream->open());
  return std::unique_ptr<ActionStream>(std::move(stream));
}

}  // namespace lhsm::lustre
