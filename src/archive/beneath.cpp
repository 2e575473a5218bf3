// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/archive/beneath.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>

#include "object_place.hpp"

namespace lhsm::archive {

namespace {

constexpr mode_t k_dir_mode = 0700;
constexpr int k_dir_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

int openat2(int dir, const char* path, int flags, std::uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags);
  how.resolve = resolve;
  // EAGAIN: somebody renamed on the way of a path with "..", of a link, so that the kernel was not sure.
  constexpr int k_attempts = 64;
  long fd = -1;
  for (int i = 0; i < k_attempts; ++i) {
    fd = ::syscall(SYS_openat2, dir, path, &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) break;
  }
  return static_cast<int>(fd);
}

Failure open_error(const std::string& subject, int error) {
  if (error == EXDEV) return failure(ErrorKind::denied, error, "open", subject);
  if (error == ENXIO) return failure(ErrorKind::invalid, EINVAL, "open", subject);  // a fifo, socket, dead device
  return errno_error("open", subject, error);
}

}  // namespace

bool DurableDirectories::contains(const std::string& path) const {
  const std::lock_guard lock(m_mutex);
  return m_paths.contains(path);
}

void DurableDirectories::add(const std::string& path) {
  constexpr std::size_t k_most = 100'000;  // some 10 MB; who is forgotten is only synced once more
  const std::lock_guard lock(m_mutex);
  if (m_paths.size() == k_most) m_paths.clear();
  m_paths.insert(path);
}

Outcome<Beneath> Beneath::open_root(std::string root, Resolve resolve) {
  Fd fd(::open(root.c_str(), k_dir_flags));
  if (!fd) return errno_error("open", root);
  if (resolve == Resolve::by_kernel) {
    // Old kernels know no openat2 (ENOSYS), some containers forbid it (EPERM).
    const Fd self(openat2(*fd, ".", O_PATH | O_CLOEXEC, RESOLVE_BENEATH));
    if (!self && (errno == ENOSYS || errno == EPERM)) resolve = Resolve::by_walking;
  }
  const Fd searched(::openat(*fd, ".", O_PATH | O_CLOEXEC));
  if (!searched) return errno_error("search", root);
  return Beneath(std::move(root), std::move(fd), resolve);
}

int Beneath::raw_open(const std::string& path, int flags, Links links) const {
  if (m_resolve == Resolve::by_walking) return walk(path, flags | O_CLOEXEC | O_NOFOLLOW);
  // A directory reached by a link is one like those on the way.
  const int nofollow = (flags & O_DIRECTORY) != 0 ? 0 : O_NOFOLLOW;
  const std::uint64_t none = links == Links::none ? RESOLVE_NO_SYMLINKS : 0;
  return openat2(*m_root_fd, path.c_str(), flags | O_CLOEXEC | nofollow,
                 RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | none);
}

int Beneath::walk(const std::string& path, int flags) const {
  Fd held;
  int dir = *m_root_fd;
  std::size_t from = 0;
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', from)) {
    const std::string name = path.substr(from, slash - from);
    if (name == "..") {
      errno = EXDEV;
      return -1;
    }
    Fd next(::openat(dir, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next) return -1;
    held = std::move(next);
    dir = *held;
    from = slash + 1;
  }
  const int fd = ::openat(dir, path.c_str() + from, flags);
  const int error = errno;
  held.reset();
  errno = error;
  return fd;
}

Outcome<Fd> Beneath::open(const std::string& path, int flags, Links links) const {
  Fd fd(raw_open(path, flags, links));
  if (const int error = errno; !fd) return open_error(full(path), error);
  return fd;
}

Outcome<Fd> Beneath::open_dir(const std::string& path, Links links) const { return open(path, k_dir_flags, links); }

Outcome<Fd> Beneath::make_dir(const std::string& path, std::vector<Fd>& changed, Links links) const {
  auto whole = open_dir(path, links);
  if (whole ? m_durable->contains(path) : whole.error().sys_errno != ENOENT) return whole;
  LHSM_TRY_ASSIGN(Fd parent, open_dir(".", links));
  bool is_new = false;
  for (std::size_t from = 0; from < path.size();) {
    const std::size_t slash = std::min(path.find('/', from), path.size());
    // mkdirat first: on this way most are missing. A name without a slash cannot lead elsewhere.
    const std::string prefix = path.substr(0, slash);
    const bool made = ::mkdirat(*parent, path.substr(from, slash - from).c_str(), k_dir_mode) == 0;
    if (!made && errno != EEXIST) return errno_error("mkdir", full(prefix));
    LHSM_TRY_ASSIGN(Fd child, open_dir(prefix, links));
    is_new = is_new || made;
    if (is_new) {
      changed.push_back(std::move(parent));
    } else if (!m_durable->contains(prefix)) {
      LHSM_TRY(sync_directory(parent, full(prefix + "/..")));
      m_durable->add(prefix);
    }
    parent = std::move(child);
    from = slash + 1;
  }
  return parent;
}

Outcome<Fd> open_regular(const Beneath& tree, const std::string& path, int flags, std::uint64_t* size) {
  LHSM_TRY_ASSIGN(Fd fd, tree.open(path, flags | O_NONBLOCK));  // a fifo must not hold us
  struct stat status {};
  if (::fstat(*fd, &status) != 0) return errno_error("fstat", tree.full(path));
  if (S_ISDIR(status.st_mode)) return errno_error("open", tree.full(path), EISDIR);
  if (!S_ISREG(status.st_mode)) return errno_error("open", tree.full(path), EINVAL);
  if (size != nullptr) *size = static_cast<std::uint64_t>(status.st_size);
  return fd;
}

}  // namespace lhsm::archive
