// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The HSM coordinator of one MDT as pure state: no files, no sockets, no threads; time comes in as an
// argument, already scaled. The daemon owns one per MDT and calls it from its loop. Where this and
// Lustre's mdt_coordinator.c (2.16) differ, docs/emulator.md says so.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/action_list.hpp"
#include "core/admission.hpp"
#include "core/agents.hpp"
#include "core/request_log.hpp"
#include "core/settings.hpp"
#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::emulator {

/// What the coordinator has to know of a file.
struct FileView {
  HsmState hsm;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

/// The files' HSM states, as the coordinator sees them. A missing file is an Error with ENOENT.
class Files {
 public:
  virtual ~Files() = default;
  [[nodiscard]] virtual Outcome<FileView> view(const Fid& fid) = 0;
  virtual Status set_hsm(const Fid& fid, const HsmState& state) = 0;
};

/// The way to the copytools.
class AgentLink {
 public:
  virtual ~AgentLink() = default;
  /// Queue a message for the pipes of a client. False: no living reader, the agent is dead.
  virtual bool deliver(const std::string& agent, const std::string& message) = 0;
};

/// Who asks.
struct Caller {
  std::uint32_t uid = 0;
  std::vector<std::uint32_t> gids;
  bool admin = false;  ///< root, or the user who runs the daemon
  [[nodiscard]] bool is_admin() const { return admin; }
};

struct RequestItem {
  Fid fid;
  abi::hsm_extent extent{0, abi::k_whole_file};
};

struct Request {
  std::uint32_t action = abi::HSMA_NONE;  ///< HSMA_*
  std::uint32_t archive_id = 0;
  std::uint64_t flags = 0;
  std::string data;
  std::vector<RequestItem> items;
};

struct ProgressReport {
  Fid fid;  ///< the file or its volatile
  std::uint64_t cookie = 0;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::uint16_t flags = 0;
  std::uint16_t errval = 0;
  std::uint64_t data_version = 0;
};

/// A restore that was ended with success: the data of `volatile_file` must become those of `file`,
/// and its HSM state `after`, before finish_restore() is called.
struct Swap {
  std::uint64_t cookie = 0;
  Fid file;
  Fid volatile_file;
  HsmState after;
};

struct CurrentAction {
  std::uint32_t action = abi::HUA_NONE;
  std::uint32_t state = abi::HPS_WAITING;  ///< an MDT says "waiting" also when there is none
  abi::hsm_extent extent{};
};

class Coordinator {
 public:
  enum class State { stopped, enabled, disabled };

  Coordinator(std::string fsname, Files& files, AgentLink& link, std::uint64_t first_cookie, TimePoint now);

  Settings settings;

  // Every int is 0 or a negative errno, as an MDT answers.

  /// Record a list. The first refused item ends it; items before it stay recorded.
  int submit(const Request& request, const Caller& caller, TimePoint now);

  int register_agent(std::string_view uuid, std::span<const std::uint32_t> archives);
  void unregister_agent(std::string_view uuid);

  /// Take a report. When it fills `swap`, the answer is not final: do the swap, then finish_restore().
  int progress(const ProgressReport& report, TimePoint now, std::optional<Swap>& swap);
  int finish_restore(const Swap& swap, int swap_result, TimePoint now);

  [[nodiscard]] CurrentAction current_action(const Fid& fid) const;
  [[nodiscard]] bool restore_is_registered(const Fid& fid) const { return m_restores.contains(fid); }

  /// hsm_control: "enabled", "disabled", "shutdown", "purge". -EINVAL for any other word.
  int control(std::string_view word, TimePoint now);
  [[nodiscard]] State state() const { return m_state; }

  /// The MDT goes and comes back, as after a failover: its clients register again by themselves,
  /// restores are sent again with their cookies, other started records are unknown until they time out.
  void restart(TimePoint now);
  /// The same for what an earlier run of the daemon kept; there are no agents then.
  void recover(std::vector<Record> records, TimePoint now);

  /// Do what is due: send waiting requests, cancel those that timed out, forget old records.
  void tick(TimePoint now);
  /// Return when tick() has something to do; nothing while only a call can bring work.
  [[nodiscard]] std::optional<TimePoint> next_tick() const;

  [[nodiscard]] const RequestLog& log() const { return m_log; }
  /// Whom to tell of new and changed records.
  void keep_records(std::function<void(const Record&)> keep) { m_log.on_change = std::move(keep); }
  [[nodiscard]] const Agents& agents() const { return m_agents; }
  [[nodiscard]] const std::unordered_map<std::uint64_t, Running>& running() const { return m_running; }
  [[nodiscard]] std::size_t running_of(std::uint32_t action) const;

 private:
  // coordinator_submit.cpp
  int record_item(const Request& request, const RequestItem& item, const Caller& caller, TimePoint now);
  [[nodiscard]] int check_permission(const FileView& file, const Caller& caller, std::uint32_t action) const;
  // coordinator_pass.cpp
  void housekeeping(TimePoint now);
  [[nodiscard]] std::vector<ActionList> pick(RecordId from, bool is_housekeeping);
  int send(const ActionList& list, TimePoint now);
  bool broadcast_remove(const ActionList& list, TimePoint now);
  [[nodiscard]] bool still_valid(const Record& record, std::uint32_t archive_id, TimePoint now);
  void start(const Record& record, const std::string& agent, TimePoint now);
  // coordinator_progress.cpp
  int complete(Running& running, const ProgressReport& report, TimePoint now, std::optional<Swap>& swap);
  void end_running(std::uint64_t cookie, RecordStatus status, bool succeeded, TimePoint now);
  void remove_running(std::uint64_t cookie);
  void purge(TimePoint now);
  void resume(TimePoint now);
  void forget_running();
  [[nodiscard]] bool is_ending(std::uint64_t cookie) const;

  std::string m_fsname;
  Files& m_files;
  AgentLink& m_link;
  State m_state = State::enabled;
  RequestLog m_log;
  Agents m_agents;
  std::unordered_map<std::uint64_t, Running> m_running;  // by cookie
  std::unordered_set<Fid> m_restores;                    // files whose layout the coordinator holds
  std::uint64_t m_next_cookie;
  bool m_event = false;   // something may have become possible since the last pass
  bool m_nudged = false;  // the last running request ended: do not wait for the second to be over
  RecordId m_scan_from = 0;
  TimePoint m_last_wake;
  TimePoint m_last_housekeeping;
  TimePoint m_oldest_update;  // no started record was heard of before; spares the look at them all
};

}  // namespace lhsm::emulator
