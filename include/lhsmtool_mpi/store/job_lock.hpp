// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::store {

/// Holds a manifest against other jobs, on any host, as long as the object lives: by the file <manifest>.lock, which
/// says who has it and is refreshed each `heartbeat`. Where locks of open files reach all hosts a dead holder's is
/// known by that; on the holder's own host, by its process. Otherwise a lock that exists is believed to be held.
class JobLock {
 public:
  struct Options {
    std::chrono::milliseconds heartbeat{10'000};
    /// Take a lock over of which nothing else is known once it was not refreshed for so long, which is waited for;
    /// much longer than the heartbeat. 0: refuse at once. A holder that was stopped (SIGSTOP) is silent, too.
    std::chrono::milliseconds take_over_after{0};
    /// Whether to use locks of open files where the file system has them.
    bool file_locks = true;
    /// Called once, from a thread of the lock's own, when the lock file is no longer ours: the job must end at once.
    std::function<void()> lost;
  };

  /// The error is of kind `busy` when another one holds it, or may: its one line says host, pid, since when, and
  /// what to remove should that be wrong. The manifest need not exist yet.
  [[nodiscard]] static Outcome<JobLock> acquire(const std::string& manifest_path, Options options);
  [[nodiscard]] static Outcome<JobLock> acquire(const std::string& manifest_path) {
    return acquire(manifest_path, Options{});
  }
  ~JobLock();  ///< gives the lock up and removes its file
  JobLock(JobLock&&) noexcept;
  JobLock& operator=(JobLock&&) noexcept;

  [[nodiscard]] const std::string& manifest_path() const;
  /// Return whether the lock file was seen not to be ours any more.
  [[nodiscard]] bool is_lost() const;
  /// Look now whether it is ours.
  [[nodiscard]] bool is_ours() const;
  /// Likewise; `busy` (ESTALE) when it is not. To be asked before a name is given or taken away.
  [[nodiscard]] Status check() const;

 private:
  struct State;
  explicit JobLock(std::unique_ptr<State> state);
  std::unique_ptr<State> m_state;
};

/// Return who holds a manifest ("pid 17 on n1 since …"), or nothing when nobody does, as far as can be seen from here. Takes
/// and changes nothing.
[[nodiscard]] Outcome<std::optional<std::string>> look_at_lock(const std::string& manifest_path);

}  // namespace lhsm::store
