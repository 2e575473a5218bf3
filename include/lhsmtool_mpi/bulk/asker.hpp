// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "lhsmtool_mpi/bulk/job.hpp"
#include "lhsmtool_mpi/comm/ask_messages.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"

namespace lhsm::bulk {

struct AskerOptions {
  store::ItemAction action = store::ItemAction::none;
  std::vector<std::uint32_t> archives;  ///< that the job is about (judge()); empty: all
  unsigned threads = 6;  ///< that wait for answers at once, of each client: it has 7 slots for such RPCs with an MDT (facts 8)
  /// Look at files and ask for them, here or on other ranks, as ask_for_files() does; nothing: nobody does any more. Empty: here.
  std::function<std::optional<comm::FilesAsked>(const comm::AskFiles&)> ask;
  /// How long a request may be unanswered before the file is looked at: another copytool may have taken it, or
  /// the coordinator passed it over.
  std::chrono::milliseconds look_after{30'000};
  /// So many of the first files of an archive job are searched at the coordinator before they are asked for: a run that died may
  /// have asked for them last, without a word in the journal, and a second request is carried out a second time (facts 3.2).
  std::size_t search_first = 0;
  unsigned look_threads = 1;
  unsigned search_at_look = 1;  ///< at each so manieth look at a file its request is searched at the coordinator, which costs that
};

/// Asks the coordinator for what a job wants next (but for releases: release.hpp), and looks after requests of which nothing is heard. Threads of its own,
/// from the constructor to the destructor; call Job::stop() before the latter, unless the job is over.
class Asker {
 public:
  /// Both outlive the asker.
  Asker(Job& job, lustre::Client& client, AskerOptions options);
  ~Asker() = default;  // joins
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;

 private:
  void ask();
  void look();
  [[nodiscard]] bool ask_for(std::vector<Row> rows);
  [[nodiscard]] comm::AskFiles message_of(const std::vector<Row>& rows, bool is_again);
  [[nodiscard]] std::vector<Row> take_answers(const std::vector<Row>& rows, const comm::FilesAsked& answer);
  [[nodiscard]] bool may_be_at_coordinator(const Row& row);
  void look_at(const Row& row, bool searches, std::chrono::milliseconds waited);

  Job& m_job;
  lustre::Client& m_client;
  AskerOptions m_options;
  std::atomic<std::size_t> m_searched_first = 0;
  std::vector<std::jthread> m_threads;
};

/// A row that an earlier run asked for; with a cookie its action had reached that run's copytool.
struct OpenRequest {
  Row row;
  std::optional<std::uint64_t> cookie;
};

/// Who takes up what an earlier run asked for.
struct Adopter {
  store::ItemAction action = store::ItemAction::none;
  std::vector<std::uint32_t> archives;  ///< that this run serves; none: all
  bool serves = true;                   ///< it carries out actions itself
};

/// Look at `requests` and let the job take up what the coordinator still knows; what runs and is of an archive that this run does not serve is ended. Return the actions which nobody carries out now, for the
/// dispatcher to adopt: their copytool is dead, and the coordinator would wait for its timeout (facts 4.4). Ends early when `is_stopped` says
/// so.
[[nodiscard]] std::vector<ActionItem> adopt_requests(Job& job, lustre::Client& client, const Adopter& adopter,
                                                     const std::vector<OpenRequest>& requests,
                                                     const std::function<bool()>& is_stopped);

}  // namespace lhsm::bulk
