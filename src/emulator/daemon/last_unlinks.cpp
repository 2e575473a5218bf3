// SPDX-License-Identifier: LGPL-2.1-or-later
//
// hsm.remove_archive_on_last_unlink: what is in the archive goes with the file.
#include "daemon/last_unlinks.hpp"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "daemon/service.hpp"
#include "lhsmtool_mpi/base/log.hpp"

namespace lhsm::emulator {

LastUnlinks::LastUnlinks() : m_events(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (!m_events) throw Fatal("inotify_init: " + errno_name(errno));
}

Status LastUnlinks::watch(int fd, const File& file) {
  const int watch = ::inotify_add_watch(*m_events, inode_path(fd).c_str(), IN_DELETE_SELF);
  if (watch < 0) return errno_error("inotify_add_watch", file.fid.bracketed());
  m_files[watch] = file;
  return {};
}

std::vector<LastUnlinks::File> LastUnlinks::take_gone() {
  std::vector<File> gone;
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  for (;;) {
    const auto size = ::read(*m_events, buffer.data(), buffer.size());
    if (size <= 0) return gone;
    for (const char* at = buffer.data(); at < buffer.data() + size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      at += sizeof(inotify_event) + event->len;
      if ((event->mask & IN_Q_OVERFLOW) != 0) log::warning("some last unlinks were lost: too many at once");
      const auto it = m_files.find(event->wd);
      if (it == m_files.end()) continue;
      gone.push_back(it->second);
      m_files.erase(it);
    }
  }
}

Service::Result Service::last_unlink(const Incoming& message) {
  if (!message.fd) return failed(-EPROTO);
  struct stat st {};
  const auto path = inode_path(*message.fd);
  if (::fstat(*message.fd, &st) != 0) return failed(-errno);
  const auto tag = read_tag(path, m_store.names());
  if (st.st_nlink != 0 || !S_ISREG(st.st_mode) || !tag || tag->inode != static_cast<std::uint32_t>(st.st_ino))
    return Reply{};
  const auto* mdt = mdt_for(tag->fid());
  const auto state = read_hsm(path, m_store.names());
  if (mdt == nullptr || !mdt->settings.remove_archive_on_last_unlink || (state.flags & abi::HS_EXISTS) == 0)
    return Reply{};
  m_store.close_idle();  // or this daemon would be who keeps it
  const auto watched = m_last_unlinks.watch(*message.fd, {tag->fid(), state.archive_id});
  return failed(watched ? 0 : -watched.error().sys_errno);
}

void Service::process_last_unlinks() {
  m_store.new_round();
  Caller daemon;
  daemon.admin = true;
  for (const auto& file : m_last_unlinks.take_gone()) {
    // A restore may have given the file another inode: it was the former one that went.
    if (m_store.view(file.fid)) continue;
    auto* mdt = mdt_for(file.fid);
    if (!mdt->settings.remove_archive_on_last_unlink) continue;
    Request remove;
    remove.action = abi::HSMA_REMOVE;
    remove.archive_id = file.archive_id;
    remove.items.push_back({file.fid});
    if (const int rc = mdt->submit(remove, daemon, m_clock.now()); rc != 0)
      log::warning("remove of {} after its last unlink: {}", file.fid.bracketed(), errno_name(-rc));
  }
}

}  // namespace lhsm::emulator
