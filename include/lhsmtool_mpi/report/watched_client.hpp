// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Clients that tell what passes through them: to the log, and as events. What lhsmtool_posix says is
// said inside the same calls, by the hooks of liblustreapi, so whoever watches it finds the same here.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/comm/message.hpp"
#include "lhsmtool_mpi/lustre/forwarding_client.hpp"

namespace lhsm::report {

/// A worker's client: sees actions begin, progress and end. A log line for each begin and end of a copy,
/// at `level`; each as an event to `on_event`, unless that is empty. on_event is called by any thread
/// and must not wait. With events each begin costs two more calls, for the file's size and path.
class WatchedActions final : public lustre::ForwardingClient {
 public:
  using OnEvent = std::function<void(comm::Event)>;
  WatchedActions(lustre::Client& inner, log::Level level, OnEvent on_event)
      : ForwardingClient(inner), m_level(level), m_on_event(std::move(on_event)) {}

  [[nodiscard]] Status copy_start(abi::hsm_copy& copy) override;
  [[nodiscard]] Status progress(abi::hsm_progress& report) override;
  [[nodiscard]] Status copy_end(abi::hsm_copy& copy) override;

 private:
  struct Running {
    comm::Event event;  // with action, source, path and total
    TimePoint begun;
  };
  /// FIDs of what is written to or read from, and cookies, which alone are unique per MDT only.
  using Key = std::pair<Fid, std::uint64_t>;
  void tell(comm::Event event, comm::EventKind kind) const;
  void log_end(const comm::Event& event, TimePoint begun) const;

  log::Level m_level;
  OnEvent m_on_event;
  std::mutex m_mutex;
  std::map<Key, Running> m_running;
};

/// The dispatcher's client: sees the registration and what arrives through it.
class WatchedRegistration final : public lustre::ForwardingClient {
 public:
  /// `on_change` hears of each attempt to register (with its result), and with `false` of the end of a
  /// registration. Items are logged at `level`, each once, in the order in which they come.
  struct Change {
    bool registered = false;
    std::size_t archives = 0;  ///< how many ids
    Status status;
  };
  using OnChange = std::function<void(const Change&)>;
  WatchedRegistration(lustre::Client& inner, log::Level level, OnChange on_change)
      : ForwardingClient(inner), m_level(level), m_on_change(std::move(on_change)) {}

  [[nodiscard]] Outcome<std::unique_ptr<lustre::ActionStream>> register_copytool(
      const std::vector<std::uint32_t>& archive_ids) override;

 private:
  log::Level m_level;
  OnChange m_on_change;
};

/// Return the line that lhsmtool_posix logs for an item: "[fid] action RESTORE reclen 72, cookie=0x1".
[[nodiscard]] std::string arrival_line(const ActionItem& item);

}  // namespace lhsm::report
