// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <vector>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/comm/message.hpp"

namespace lhsm::run {

/// The files that a rank copies whole, so that it can be told how far they are. Any thread.
class CopyList {
  struct Copy {
    Copy(JobId id, TimePoint now) : job(id), begun(now) {}
    JobId job;
    TimePoint begun;
    std::atomic<std::uint64_t> size = 0;
    std::atomic<std::uint64_t> done = 0;
  };

 public:
  /// One of them, for as long as it lives.
  class Entry {
   public:
    Entry(CopyList& list, JobId job, TimePoint begun) : m_list(list) {
      const std::lock_guard lock(list.m_mutex);
      m_copy = list.m_copies.emplace(list.m_copies.end(), job, begun);
    }
    ~Entry() {
      const std::lock_guard lock(m_list.m_mutex);
      m_list.m_copies.erase(m_copy);
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    void set_size(std::uint64_t size) { m_copy->size = size; }
    [[nodiscard]] std::atomic<std::uint64_t>& done() { return m_copy->done; }

   private:
    CopyList& m_list;
    std::list<Copy>::iterator m_copy;
  };

  /// Return those that have lasted for a second, at most 16, the longest first: shorter ones are over when anybody reads of them.
  [[nodiscard]] std::vector<comm::CopyProgress> lasting(TimePoint now) const {
    constexpr Duration age = std::chrono::seconds(1);
    constexpr std::size_t most = 16;
    std::vector<comm::CopyProgress> found;
    const std::lock_guard lock(m_mutex);
    for (const Copy& copy : m_copies) {  // in the order in which they began
      if (found.size() == most || now - copy.begun < age) break;
      found.push_back({copy.job, copy.size, copy.done});
    }
    return found;
  }

 private:
  mutable std::mutex m_mutex;
  std::list<Copy> m_copies;
};

}  // namespace lhsm::run
