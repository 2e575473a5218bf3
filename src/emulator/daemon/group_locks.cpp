// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/group_locks.hpp"

#include <sys/eventfd.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <mutex>
#include <thread>
#include <tuple>

namespace lhsm::emulator {
namespace {

/// Return whether this open file itself holds a shared lock: the kernel lists its locks.
bool holds_lock(int file) {
  const auto path = "/proc/self/fdinfo/" + std::to_string(file);
  const std::unique_ptr<FILE, int (*)(FILE*)> info(std::fopen(path.c_str(), "re"), &std::fclose);
  char line[256];
  while (info && std::fgets(line, sizeof line, info.get()) != nullptr) {
    const std::string_view text(line);
    if (text.starts_with("lock:") && text.find(" FLOCK ") != std::string_view::npos &&
        text.find(" READ ") != std::string_view::npos)
      return true;
  }
  return false;
}

}  // namespace

/// The way from the threads to the loop.
struct GroupLocks::Wakeup {
  Fd event{::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
  std::mutex mutex;
  std::vector<Fid> freed;
};

GroupLocks::GroupLocks(Open open) : m_open(std::move(open)), m_wakeup(std::make_shared<Wakeup>()) {
  if (!m_wakeup->event) throw Fatal("eventfd: " + errno_name(errno));
}

int GroupLocks::event_fd() const { return *m_wakeup->event; }

bool GroupLocks::is_held(const Fid& fid) const {
  const auto file = m_open(fid);
  if (!file) return false;  // gone, and its locks with it
  return ::flock(**file, LOCK_EX | LOCK_NB) != 0;
}

bool GroupLocks::is_locked(const Fid& fid) {
  if (m_table.empty()) return false;
  const auto it = m_table.find(fid);
  if (it == m_table.end()) return false;
  if (!it->second.waiters.empty() || is_held(fid)) return true;
  if (!it->second.is_watched) m_table.erase(it);
  return false;
}

std::optional<int> GroupLocks::lock(const Fid& fid, Fd file, std::uint64_t group, bool may_wait, std::uint64_t session,
                                    Done done) {
  if (group == 0) return -EINVAL;
  if (m_table.size() >= m_sweep_at) forget_free_ones();
  if (is_locked(fid)) {
    auto& locked = m_table.at(fid);
    if (locked.group != 0 && holds_lock(*file)) return -EINVAL;
    const bool joins = locked.group == group && is_held(fid);
    if (!joins || ::flock(*file, LOCK_SH | LOCK_NB) != 0) {
      if (!may_wait) return -EAGAIN;
      wait(fid, {session, std::move(done), std::move(file), group});
      return std::nullopt;
    }
    return 0;
  }
  if (::flock(*file, LOCK_SH | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return -errno;
    if (!may_wait) return -EAGAIN;
    wait(fid, {session, std::move(done), std::move(file), group});  // a watcher has it for this moment
    return std::nullopt;
  }
  m_table[fid].group = group;
  return 0;
}

int GroupLocks::unlock(const Fid& fid, int file, std::uint64_t group) {
  const auto it = m_table.find(fid);
  // An earlier daemon may have set a lock that is not in the table.
  if (!holds_lock(file) || (it != m_table.end() && it->second.group != group)) return -EINVAL;
  drop(fid, file);
  return 0;
}

void GroupLocks::drop(const Fid& fid, int file) {
  if (holds_lock(file) && ::flock(file, LOCK_UN) == 0) recheck(fid);
}

void GroupLocks::when_free(const Fid& fid, std::uint64_t session, Done done) {
  wait(fid, {session, std::move(done), Fd(), 0});
}

void GroupLocks::wait(const Fid& fid, Waiter waiter) {
  auto& locked = m_table[fid];
  locked.waiters.push_back(std::move(waiter));
  watch(fid, locked);
}

void GroupLocks::watch(const Fid& fid, Locked& locked) {
  if (locked.is_watched) return;
  auto opened = m_open(fid);
  locked.is_watched = true;
  // Detached: it may have to wait for as long as some client lives, and owns all that it touches.
  std::thread([wakeup = m_wakeup, fid, file = opened ? std::move(*opened) : Fd()]() mutable {
    while (file && ::flock(*file, LOCK_EX) != 0 && errno == EINTR) {
    }
    file.reset();  // which frees the lock again, before anybody is told
    const std::lock_guard lock(wakeup->mutex);
    wakeup->freed.push_back(fid);
    const std::uint64_t one = 1;
    std::ignore = ::write(*wakeup->event, &one, sizeof one);  // a full counter wakes the loop as well
  }).detach();
}

void GroupLocks::process_events() {
  std::uint64_t count = 0;
  std::ignore = ::read(*m_wakeup->event, &count, sizeof count);
  std::vector<Fid> freed;
  {
    const std::lock_guard lock(m_wakeup->mutex);
    freed.swap(m_wakeup->freed);
  }
  for (const auto& fid : freed) {
    if (const auto it = m_table.find(fid); it != m_table.end()) it->second.is_watched = false;
    recheck(fid);
  }
}

std::optional<GroupLocks::Waiter> GroupLocks::next_ready(const Fid& fid, Locked& locked) {
  const bool held = is_held(fid);
  for (auto it = locked.waiters.begin(); it != locked.waiters.end(); ++it) {
    // Who waits for the end of all locks has a moment when there is none; whoever came before him goes first.
    if (it->file) {
      if ((held && it->group != locked.group) || ::flock(*it->file, LOCK_SH | LOCK_NB) != 0) continue;
      locked.group = it->group;
    } else if (held) {
      continue;
    }
    Waiter ready = std::move(*it);
    locked.waiters.erase(it);
    return ready;
  }
  return std::nullopt;
}

void GroupLocks::recheck(const Fid& fid) {
  for (;;) {
    const auto it = m_table.find(fid);
    if (it == m_table.end()) return;
    const auto ready = next_ready(fid, it->second);
    if (!ready) break;
    ready->done(0);  // may change the table
  }
  const auto it = m_table.find(fid);
  if (it == m_table.end()) return;
  if (!it->second.waiters.empty())
    watch(fid, it->second);
  else if (!it->second.is_watched && !is_held(fid))
    m_table.erase(it);
}

void GroupLocks::forget(std::uint64_t session) {
  std::vector<Fid> changed;
  for (auto& [fid, locked] : m_table)
    if (locked.waiters.remove_if([session](const Waiter& waiter) { return waiter.session == session; }) > 0)
      changed.push_back(fid);
  for (const auto& fid : changed) recheck(fid);
}

void GroupLocks::fail_waiting(std::uint64_t session, int result) {
  std::vector<Done> failing;
  for (auto& [fid, locked] : m_table)
    locked.waiters.remove_if([&](Waiter& waiter) {
      if (waiter.session != session || !waiter.file) return false;
      failing.push_back(std::move(waiter.done));
      return true;
    });
  for (const auto& done : failing) done(result);
}

void GroupLocks::forget_free_ones() {
  for (auto it = m_table.begin(); it != m_table.end();)
    it =
        it->second.waiters.empty() && !it->second.is_watched && !is_held(it->first) ? m_table.erase(it) : std::next(it);
  m_sweep_at = std::max<std::size_t>(64, 2 * m_table.size());
}

std::vector<std::pair<Fid, std::uint64_t>> GroupLocks::list() {
  forget_free_ones();
  std::vector<std::pair<Fid, std::uint64_t>> locks;
  for (const auto& [fid, locked] : m_table)
    if (locked.group != 0 && is_held(fid)) locks.emplace_back(fid, locked.group);
  return locks;
}

}  // namespace lhsm::emulator
