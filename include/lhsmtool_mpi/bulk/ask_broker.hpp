// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>

#include "lhsmtool_mpi/run/errands.hpp"

namespace lhsm::bulk {

/// Lets the ranks of a run ask for files: threads of rank 0 hand lists over here and wait, the dispatcher carries them. Each list
/// goes to the rank that has fewest, or had fewest so far.
class AskBroker final : public run::Errands {
 public:
  /// Let a rank do this, and wait for the answer. By any thread. Nothing: the run ended before; whether the rank did it is not known.
  [[nodiscard]] std::optional<comm::FilesAsked> ask(comm::AskFiles wanted);

  void open(std::vector<WorkerId> workers, std::function<void()> wake) override;
  void close() override;
  [[nodiscard]] std::optional<std::pair<WorkerId, comm::AskFiles>> next() override;
  [[nodiscard]] bool answered(WorkerId from, const comm::FilesAsked& message) override;
  [[nodiscard]] bool idle() const override;
  [[nodiscard]] std::optional<WorkerId> any_holder() const override;

 private:
  struct Errand {
    WorkerId worker = -1;  // not sent yet
    std::size_t files = 0;
    bool is_answered = false;
    comm::FilesAsked answer;
  };

  mutable std::mutex m_mutex;
  std::condition_variable m_answered;
  std::function<void()> m_wake;
  bool m_closed = false;
  std::uint64_t m_last_id = 0;
  std::deque<comm::AskFiles> m_waiting;
  std::map<std::uint64_t, Errand> m_errands;  // whose askers wait
  struct Load {
    std::size_t sent = 0;  // and not answered
    std::uint64_t all = 0;
  };
  std::map<WorkerId, Load> m_loads;
};

}  // namespace lhsm::bulk
