// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "core/coordinator.hpp"
#include "daemon/file_store.hpp"
#include "daemon/volatiles.hpp"

namespace lhsm::emulator {

/// The end of a restore: the data of a volatile file become those of the released one. On Lustre two
/// layouts change places; here either two names do (the volatile's inode takes the file's name), or,
/// where the inode must stay (small data, hard links, open by a reader), the bytes are copied. Long
/// copies run in a thread of their own. RELEASED is cleared last, in one step with the data or after.
class LayoutSwap {
 public:
  using Done = std::function<void(int result)>;

  LayoutSwap(FileStore& store, Volatiles& volatiles, int mount_fd);
  ~LayoutSwap();
  LayoutSwap(const LayoutSwap&) = delete;
  LayoutSwap& operator=(const LayoutSwap&) = delete;

  /// Swap; `done` is called with 0 or a negative errno, now or from process_events().
  void start(const Swap& swap, Done done);

  /// For tests: called with the name of each step of a swap before it is taken.
  std::function<void(std::string_view step)> at_step = [](std::string_view) {};

  [[nodiscard]] int event_fd() const { return *m_wakeup; }
  void process_events();
  /// Wait for the copies that are under way, and conclude them.
  void finish();

 private:
  struct Copy {
    Swap swap;
    Fd from;
    Fd to;
    Done done;
    int result = 0;
    bool finished = false;
    std::thread thread;
  };

  Outcome<bool> exchange(const Swap& swap, const Fd& from, const struct stat& from_st, const Fd& file,
                         const struct stat& file_st, const std::string& layout);
  Outcome<std::string> layout_after(const Swap& swap, const Fd& from, std::string before);
  int conclude_copy(const Swap& swap);
  void copy_later(const Swap& swap, Fd from, Fd to, const std::string& layout, Done done);

  FileStore& m_store;
  Volatiles& m_volatiles;
  int m_mount_fd;
  Fd m_wakeup;
  std::mutex m_mutex;                           // guards result and finished of the copies
  std::vector<std::unique_ptr<Copy>> m_copies;  // of the loop's thread
};

}  // namespace lhsm::emulator
