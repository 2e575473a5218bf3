// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <unistd.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

namespace lhsm::test {

/// Wait until the thread `tid` of this process sleeps, as one does that waits for something. False after
/// half a minute.
inline bool wait_until_asleep(pid_t tid) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(120);
  while (std::chrono::steady_clock::now() < deadline) {
    std::ifstream file("/proc/self/task/" + std::to_string(tid) + "/stat");
    std::string stat;
    std::getline(file, stat);
    const auto after_name = stat.rfind(") ");
    if (after_name != std::string::npos && stat.compare(after_name + 2, 1, "S") == 0) return true;
    std::this_thread::yield();
  }
  return false;
}

}  // namespace lhsm::test
