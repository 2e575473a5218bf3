// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/comm/message.hpp"

namespace lhsm::run {

inline void set_failed(comm::Result& result, const Error& error, bool is_untaken) {
  result.disposition = comm::Disposition::failed;
  result.error = error;
  result.is_untaken = is_untaken;
}

/// What a worker's threads have to say, until the one that has the channel sends it.
class Outbox {
 public:
  struct Content {
    std::vector<comm::Message> messages;
    comm::Results results;
  };

  /// `wake` makes the channel's thread look.
  explicit Outbox(std::function<void()> wake) : m_wake(std::move(wake)) {}

  /// Leave a message that somebody waits for.
  void post(comm::Message message) {
    {
      const std::lock_guard lock(m_mutex);
      m_content.messages.push_back(std::move(message));
    }
    m_wake();
  }
  /// Leave the result of an action that took a slot from `begun` on; results are gathered.
  void finished(comm::Result result, TimePoint begun) {
    const auto took = std::chrono::steady_clock::now() - begun;
    result.microseconds =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    const std::lock_guard lock(m_mutex);
    m_content.results.results.push_back(std::move(result));
  }
  void failed(JobId job, const Error& error, bool is_untaken, TimePoint begun) {
    comm::Result result;
    result.id = job;
    set_failed(result, error, is_untaken);
    finished(std::move(result), begun);
  }
  [[nodiscard]] bool empty() const {
    const std::lock_guard lock(m_mutex);
    return m_content.messages.empty() && m_content.results.results.empty();
  }
  [[nodiscard]] Content take() {
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_content, {});
  }

 private:
  std::function<void()> m_wake;
  mutable std::mutex m_mutex;
  Content m_content;
};

}  // namespace lhsm::run
