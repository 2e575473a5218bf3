// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/blocked_reader.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>

#include "client/daemon_link.hpp"
#include "client/own_io.hpp"
#include "core/action_list.hpp"
#include "lhsmtool_mpi/lustre/abi.hpp"

namespace lhsm::emulator {
namespace {

/// Who lacks the right is told "no such xattr" by the kernel, so that has to be known beforehand.
bool reads_trusted_xattrs() {
  // In a user namespace of its own a process has its capabilities only for that.
  static const bool is_first_namespace = [] {
    constexpr ino_t k_first = 0xEFFFFFFDU;
    struct stat st {};
    return ::stat("/proc/self/ns/user", &st) == 0 && st.st_ino == k_first;
  }();
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return false;
  return is_first_namespace && (data[0].effective & (1U << CAP_SYS_ADMIN)) != 0;
}

struct Look {
  bool is_released = false;
  Fid fid;
};

/// Look at a file's own xattrs, or have the daemon look. No FID is given to a file that has none.
int look_at(const Mount& mount, int fd, Look& look) {
  look = {};
  if (!may_be_released(mount.names(), fd)) return 0;
  struct stat st {};
  if (::fstat(fd, &st) != 0) return -errno;
  const auto path = inode_path(fd);
  if (const auto tag = read_tag(path, mount.names())) {
    look.fid = tag->fid();
    look.is_released = tag->inode == static_cast<std::uint32_t>(st.st_ino) &&
                       (read_hsm(path, mount.names()).flags & abi::HS_RELEASED) != 0;
    return 0;
  }
  Writer question;
  question.put(Op::released_of);
  const auto answer = DaemonLink(mount).ask(question, fd);
  // Without a daemon a user cannot know; a file that looks as if it had its data is let be.
  if (answer.rc == -ENOTCONN && st.st_blocks > 0) return 0;
  if (answer.rc < 0) return answer.rc;
  auto results = answer.results();
  look.is_released = results.get<std::uint8_t>() != 0;
  look.fid = results.get<Fid>();
  return results.ok() ? 0 : -EPROTO;
}

int ask_for_restore(DaemonLink& link, const Fid& fid) {
  struct {
    abi::hsm_request head;
    abi::hsm_user_item item;
  } request{};
  request.head.hr_action = abi::HUA_RESTORE;
  request.head.hr_flags = abi::HSM_REQ_BLOCKING;
  request.head.hr_itemcount = 1;
  request.item.hui_fid = to_abi(fid);
  request.item.hui_extent.length = abi::k_whole_file;
  Writer message;
  message.put(Op::request).put_struct(request);
  return link.ask(message).rc;
}

/// A file that was opened in the very moment in which a restored inode took its name: let the
/// descriptor mean the new inode.
int follow_new_inode(Mount& mount, DaemonLink& link, int fd, const Fid& fid) {
  Writer question;
  question.put(Op::state_get).put(fid);
  const auto answer = link.ask(question);
  if (answer.rc != 0) return -ENODATA;
  if ((answer.results().get<std::uint32_t>() & abi::HS_RELEASED) != 0) return -ENODATA;
  const int flags = ::fcntl(fd, F_GETFL);
  const int descriptor_flags = ::fcntl(fd, F_GETFD);
  if (flags < 0 || descriptor_flags < 0) return -errno;
  struct stat root {};
  if (::fstat(mount.root_fd(), &root) != 0 || !mount.is_root(root)) return -ENODATA;
  const auto file = mount.open(fid, flags | O_CLOEXEC);
  if (!file) return -file.error().sys_errno;
  Look look;
  if (const int rc = look_at(mount, **file, look); rc != 0) return rc;
  if (look.is_released) return -ENODATA;
  if (const off_t at = ::lseek(fd, 0, SEEK_CUR); at < 0 || ::lseek(**file, at, SEEK_SET) != at) return -errno;
  return ::dup3(**file, fd, (descriptor_flags & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0) < 0 ? -errno : 0;
}

}  // namespace

bool may_be_released(const AttributeNames& names, int fd) {
  abi::hsm_attrs attrs{};
  const auto size = ::fgetxattr(fd, names.hsm.c_str(), &attrs, sizeof attrs);
  if (size == sizeof attrs) return (attrs.hsm_flags & abi::HS_RELEASED) != 0;
  if (size < 0 && (errno == EACCES || errno == EPERM)) return true;
  return size < 0 && errno == ENODATA && names.name_space == "trusted" && !reads_trusted_xattrs();
}

int wait_restored(int fd) {
  const OwnIo own;
  struct stat st {};
  if (::fstat(fd, &st) != 0) return -errno;
  if (!S_ISREG(st.st_mode)) return 0;
  if (const int flags = ::fcntl(fd, F_GETFL); flags >= 0 && (flags & O_PATH) != 0) return 0;
  Mount* mount = find_mount(fd);
  if (mount == nullptr) return 0;
  Look look;
  if (const int rc = look_at(*mount, fd, look); rc != 0 || !look.is_released) return rc;

  DaemonLink link(*mount);
  if (const int rc = ask_for_restore(link, look.fid); rc != 0) return rc;
  Writer wait;
  wait.put(Op::wait_restore).put(look.fid);
  if (const int rc = link.ask_abortable(wait).rc; rc != 0) return rc;
  if (const int rc = look_at(*mount, fd, look); rc != 0 || !look.is_released) return rc;
  // Lustre compares the layout's generation: a restore that changed nothing has failed.
  return follow_new_inode(*mount, link, fd, look.fid);
}

}  // namespace lhsm::emulator
