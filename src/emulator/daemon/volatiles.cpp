// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/volatiles.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <array>
#include <memory>
#include <tuple>

#include "core/attributes.hpp"
#include "core/socket.hpp"
#include "lhsmtool_mpi/base/log.hpp"

namespace lhsm::emulator {

namespace {

constexpr std::string_view k_aside = ".swap";

}  // namespace

bool is_open_elsewhere(int fd) {
  if (::fcntl(fd, F_SETLEASE, F_WRLCK) != 0) {
    // Where leases do not work at all, everything counts as open: nothing is lost by that.
    return true;
  }
  std::ignore = ::fcntl(fd, F_SETLEASE, F_UNLCK);  // it ends with the descriptor in any case
  return false;
}

Outcome<Volatiles> Volatiles::open(int mount_fd, const AttributeNames& names) {
  Volatiles volatiles(names);
  volatiles.m_directory = Fd(::openat(mount_fd, k_fid_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!volatiles.m_directory) return errno_error("open", k_fid_dir);
  volatiles.m_events = Fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!volatiles.m_events) return errno_error("inotify_init", k_fid_dir);
  // Only closes of writable descriptors: our own look at a volatile closes a read-only one, and
  // would otherwise be the event that causes the next look.
  if (::inotify_add_watch(*volatiles.m_events, inode_path(*volatiles.m_directory).c_str(), IN_CLOSE_WRITE) < 0)
    return errno_error("inotify_add_watch", k_fid_dir);
  volatiles.remove_all_dead();
  return volatiles;
}

Outcome<Fd> Volatiles::find(const Fid& fid) {
  const auto name = fid.str();
  Fd file(::openat(*m_directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) return errno_error("open", name);
  if (!is_open_elsewhere(*file)) {
    remove(fid);
    return errno_error("open", name, ENOENT);
  }
  return file;
}

void Volatiles::remove(const Fid& fid) {
  std::ignore = ::unlinkat(*m_directory, fid.str().c_str(), 0);  // gone already is as good
}

Outcome<std::string> Volatiles::set_aside(const Fid& fid, const Fid& file) {
  auto name = file.str() + std::string(k_aside);
  if (::renameat(*m_directory, fid.str().c_str(), *m_directory, name.c_str()) != 0) return errno_error("rename", name);
  return name;
}

void Volatiles::remove_aside(const Fid& file) {
  std::ignore = ::unlinkat(*m_directory, (file.str() + std::string(k_aside)).c_str(), 0);
}

void Volatiles::clear_aside(const char* name) {
  const Fd file(::openat(*m_directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat st {};
  if (!file || ::fstat(*file, &st) != 0) return;
  const auto tag = read_tag(inode_path(*file), m_names);
  const std::string_view text(name);
  const auto owner = Fid::parse(text.substr(0, text.size() - k_aside.size()));
  if (tag && owner && tag->fid() == *owner && tag->inode == static_cast<std::uint32_t>(st.st_ino))
    std::ignore = ::unlinkat(*m_directory, name, 0);
  else
    log::warning("{}/{}: kept; a restore was killed while this file was put in place of the restored one", k_fid_dir,
                 name);
}

void Volatiles::remove_if_dead(const char* name) {
  if (std::string_view(name).ends_with(k_aside)) return;
  const Fd file(::openat(*m_directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file && !is_open_elsewhere(*file)) std::ignore = ::unlinkat(*m_directory, name, 0);
}

void Volatiles::remove_all_dead() {
  const Fd again(::openat(*m_directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!again) return;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::fdopendir(::dup(*again)), &::closedir);
  if (!listing) return;
  while (const dirent* entry = ::readdir(listing.get()))
    if (std::string_view(entry->d_name).ends_with(k_aside))
      clear_aside(entry->d_name);
    else if (entry->d_name[0] != '.')
      remove_if_dead(entry->d_name);
}

void Volatiles::process_events() {
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  for (;;) {
    const auto size = ::read(*m_events, buffer.data(), buffer.size());
    if (size <= 0) return;
    for (const char* at = buffer.data(); at < buffer.data() + size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      at += sizeof(inotify_event) + event->len;
      if ((event->mask & IN_Q_OVERFLOW) != 0)
        remove_all_dead();
      else if (event->len > 0)
        remove_if_dead(event->name);
    }
  }
}

}  // namespace lhsm::emulator
