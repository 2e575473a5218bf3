// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "lhsmtool_mpi/plan/scheduler.hpp"

namespace lhsm::plan {

using namespace std::chrono_literals;

inline constexpr std::uint64_t k_mib = std::uint64_t{1} << 20;

inline Fid fid_of(std::uint32_t oid) { return {0x200000401, oid, 0}; }

inline ActionItem item_of(ActionKind kind, std::uint32_t oid, std::uint64_t cookie, std::int32_t mdt = 0) {
  ActionItem item;
  item.kind = kind;
  item.fid = item.dfid = fid_of(oid);
  item.cookie = cookie;
  item.mdt_index = mdt;
  return item;
}

inline Error error_of(int sys_errno) { return {kind_of_errno(sys_errno), sys_errno, "test", "subject"}; }

/// A scheduler and short words for what tests do with it.
class SchedulerFixture : public ::testing::Test {
 protected:
  explicit SchedulerFixture(SchedulerOptions options = {}) : m_scheduler(options) {}

  /// Whatever was done: the counts by kind are those of all kinds.
  void TearDown() override {
    const auto sum = [](const QueueCounts& counts) { return counts.archive + counts.restore + counts.remove + counts.other; };
    EXPECT_EQ(sum(m_scheduler.queued_by_kind()), m_scheduler.queued());
    EXPECT_EQ(sum(m_scheduler.unfinished_by_kind()), m_scheduler.unfinished());
  }

  Scheduler m_scheduler;
  std::uint64_t m_last_cookie = 0;

  /// Add an action with a new cookie; return the cookie.
  std::uint64_t add(ActionKind kind, std::uint32_t oid) {
    EXPECT_TRUE(m_scheduler.add(item_of(kind, oid, ++m_last_cookie)));
    return m_last_cookie;
  }

  /// The next command, which must be a T.
  template <class T>
  T take() {
    auto command = m_scheduler.next();
    if (command && std::holds_alternative<T>(*command)) return std::get<T>(std::move(*command));
    ADD_FAILURE() << (command ? "a command of kind " + std::to_string(command->index()) : std::string("no command"));
    return T{};
  }
  void expect_nothing() {
    const auto command = m_scheduler.next();
    EXPECT_FALSE(command.has_value()) << "a command of kind " << command->index();
  }
  std::vector<Command> take_all() {
    std::vector<Command> all;
    while (auto command = m_scheduler.next()) all.push_back(std::move(*command));
    return all;
  }

  /// The OIDs of the files of all jobs that are given out until nothing is left, each ended at once.
  std::vector<std::uint32_t> run_all_whole() {
    std::vector<std::uint32_t> oids;
    while (auto command = m_scheduler.next()) {
      const auto* const jobs = std::get_if<GiveJobs>(&*command);
      if (jobs == nullptr) continue;
      for (const JobId job : jobs->jobs) oids.push_back(m_scheduler.find(job)->item.fid.oid);
      for (const JobId job : jobs->jobs) EXPECT_TRUE(m_scheduler.ended(jobs->worker, job, 1us));
    }
    return oids;
  }

  /// The errnos with which all jobs that are given out now are to be ended, by cookie.
  std::map<std::uint64_t, int> take_reject_errnos() {
    std::map<std::uint64_t, int> errnos;
    for (const Command& command : take_all())
      if (const auto* const jobs = std::get_if<GiveJobs>(&command))
        for (const JobId job : jobs->jobs) {
          const JobRecord& record = *m_scheduler.find(job);
          errnos[record.item.cookie] = record.reject_errno;
        }
    return errnos;
  }

  /// Add an action of a large file and bring it to the command to begin it.
  GiveBegin add_large(ActionKind kind, std::uint32_t oid, std::uint64_t size) {
    add(kind, oid);
    const auto given = take<GiveJobs>();
    if (given.jobs.size() != 1) {
      ADD_FAILURE() << given.jobs.size() << " jobs";
      return {};
    }
    EXPECT_TRUE(m_scheduler.found_large(given.worker, given.jobs.front(), size));
    return take<GiveBegin>();
  }

  static StripedFile striped(std::uint64_t size) { return {fid_of(0x9000), size, k_mib, "token"}; }
};

}  // namespace lhsm::plan
