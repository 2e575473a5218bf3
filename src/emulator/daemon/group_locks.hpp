// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Group locks. The kernel holds them: a shared flock on the client's own open file, set through a copy of
// its descriptor, so that a close or a death frees it without a word. What is kept here is the group
// each locked file is locked for, and who waits. A thread waits in the kernel per file that is waited for.
#pragma once

#include <sys/types.h>

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::emulator {

class GroupLocks {
 public:
  /// Opens a file anew, by which its lock is tested; not O_PATH.
  using Open = std::function<Outcome<Fd>(const Fid& fid)>;
  using Done = std::function<void(int result)>;  ///< 0 or a negative errno

  explicit GroupLocks(Open open);

  /// Lock for a group; `file` is a copy of the client's descriptor. The result, or nothing when it
  /// has to wait: then `done` is called later, unless the session ends before.
  std::optional<int> lock(const Fid& fid, Fd file, std::uint64_t group, bool may_wait, std::uint64_t session,
                          Done done);
  int unlock(const Fid& fid, int file, std::uint64_t group);
  /// Take the lock from an open file, if it has one, whatever its group.
  void drop(const Fid& fid, int file);

  /// Return whether somebody holds a lock on the file. Costs nothing while no file is locked.
  [[nodiscard]] bool is_locked(const Fid& fid);
  /// Call `done` when nobody holds a lock on the file any more.
  void when_free(const Fid& fid, std::uint64_t session, Done done);

  /// Drop what a session waits for.
  void forget(std::uint64_t session);
  /// Let the locks that a session waits for fail.
  void fail_waiting(std::uint64_t session, int result);
  /// Readable when process_events() has something to do.
  [[nodiscard]] int event_fd() const;
  void process_events();

  /// Return the locked files and their groups.
  [[nodiscard]] std::vector<std::pair<Fid, std::uint64_t>> list();

 private:
  struct Waiter {
    std::uint64_t session = 0;
    Done done;
    Fd file;                  ///< of who wants the lock; null: who waits for its end
    std::uint64_t group = 0;  ///< wanted
  };
  struct Locked {
    std::uint64_t group = 0;
    std::list<Waiter> waiters;
    bool is_watched = false;
  };
  struct Wakeup;
  using Table = std::unordered_map<Fid, Locked>;

  [[nodiscard]] bool is_held(const Fid& fid) const;
  void watch(const Fid& fid, Locked& locked);
  void wait(const Fid& fid, Waiter waiter);
  void recheck(const Fid& fid);
  std::optional<Waiter> next_ready(const Fid& fid, Locked& locked);
  void forget_free_ones();

  Open m_open;
  std::shared_ptr<Wakeup> m_wakeup;  // shared with the threads, which nobody joins
  Table m_table;
  std::size_t m_sweep_at = 64;
};

}  // namespace lhsm::emulator
