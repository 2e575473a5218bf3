// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/report/watched_client.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <chrono>
#include <optional>

namespace lhsm::report {

namespace {

Fid to_fid(const abi::lu_fid& fid) { return {fid.f_seq, fid.f_oid, fid.f_ver}; }

/// By value: fields of packed structures cannot be referred to.
std::pair<Fid, std::uint64_t> key_of(const abi::lu_fid& fid, std::uint64_t cookie) { return {to_fid(fid), cookie}; }

std::uint64_t size_of(lustre::Client& client, const Fid& fid) {
  const auto file = client.open_by_fid(fid, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  struct stat status {};
  return file && ::fstat(**file, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

class WatchedStream final : public lustre::ActionStream {
 public:
  WatchedStream(std::unique_ptr<lustre::ActionStream> inner, log::Level level, std::function<void()> on_end)
      : m_inner(std::move(inner)), m_level(level), m_on_end(std::move(on_end)) {}
  WatchedStream(const WatchedStream&) = delete;
  WatchedStream& operator=(const WatchedStream&) = delete;
  ~WatchedStream() override {
    m_inner.reset();
    if (!m_ended) m_on_end();
  }

  [[nodiscard]] int poll_fd() const override { return m_inner->poll_fd(); }
  [[nodiscard]] Outcome<std::optional<lustre::ActionList>> receive() override {
    auto list = m_inner->receive();
    if (list && *list && log::enabled(m_level))
      for (const ActionItem& item : (*list)->items) log::write(m_level, arrival_line(item));
    return list;
  }
  [[nodiscard]] Status renew() override { return m_inner->renew(); }
  void unregister() override {
    m_inner->unregister();
    if (!m_ended) m_on_end();
    m_ended = true;
  }

 private:
  std::unique_ptr<lustre::ActionStream> m_inner;
  log::Level m_level;
  std::function<void()> m_on_end;
  bool m_ended = false;
};

}  // namespace

std::string arrival_line(const ActionItem& item) {
  // The record's length, as it came: the fixed part, and the user's data.
  const std::size_t length = sizeof(abi::hsm_action_item) + item.data.size();
  return fmt::format("{} action {} reclen {}, cookie={:#x}", item.fid.bracketed(), to_string(item.kind), length,
                     item.cookie);
}

Status WatchedActions::copy_start(abi::hsm_copy& copy) {
  LHSM_TRY(inner().copy_start(copy));
  Running running;
  running.begun = std::chrono::steady_clock::now();
  running.event.action = static_cast<ActionKind>(copy.hc_hai.hai_action);
  running.event.source = running.event.data = to_fid(copy.hc_hai.hai_fid);
  if (log::enabled(m_level)) log::write(m_level, "start copy of " + running.event.source.bracketed());
  if (m_on_event) {
    running.event.total = size_of(inner(), running.event.source);
    running.event.path = inner().path_of(running.event.source).value_or(std::string());
    // At the start nothing is known to have to be copied: facts 6.4, total_bytes 0.
    comm::Event start = running.event;
    start.total = 0;
    tell(std::move(start), comm::EventKind::start);
    // lhsmtool_posix reports no bytes before it copies the first one: a file that is quickly copied is seen running, too.
    comm::Event running_now = running.event;
    running_now.data = to_fid(copy.hc_hai.hai_dfid);
    tell(std::move(running_now), comm::EventKind::running);
  }
  const std::lock_guard lock(m_mutex);
  m_running.insert_or_assign(key_of(copy.hc_hai.hai_dfid, copy.hc_hai.hai_cookie), std::move(running));
  return {};
}

Status WatchedActions::progress(abi::hsm_progress& report) {
  LHSM_TRY(inner().progress(report));
  if (!m_on_event) return {};
  comm::Event event;
  {
    const std::lock_guard lock(m_mutex);
    const auto it = m_running.find(key_of(report.hp_fid, report.hp_cookie));
    if (it == m_running.end()) return {};
    event = it->second.event;
  }
  event.data = to_fid(report.hp_fid);
  event.current = report.hp_extent.length;
  tell(std::move(event), comm::EventKind::running);
  return {};
}

Status WatchedActions::copy_end(abi::hsm_copy& copy) {
  const Key key = key_of(copy.hc_hai.hai_dfid, copy.hc_hai.hai_cookie);
  std::optional<Running> running;
  {
    // Before the end: afterwards a file of the same FID may begin again.
    const std::lock_guard lock(m_mutex);
    if (const auto it = m_running.find(key); it != m_running.end()) {
      running = std::move(it->second);
      m_running.erase(it);
    }
  }
  comm::Event event;
  if (running) {
    event = running->event;
  } else {  // an action without a begin: a removal, or a refusal
    event.action = static_cast<ActionKind>(copy.hc_hai.hai_action);
    event.source = event.data = to_fid(copy.hc_hai.hai_fid);
  }
  event.sys_errno = copy.hc_errval;
  if (m_on_event && event.action == ActionKind::remove && event.sys_errno == 0) tell(event, comm::EventKind::start);
  Status ended = inner().copy_end(copy);
  if (!ended && event.sys_errno == 0) event.sys_errno = ended.error().sys_errno;
  if (event.sys_errno == 0 && log::enabled(m_level) && running) log_end(event, running->begun);
  if (m_on_event) {
    const bool cancelled = event.sys_errno == ECANCELED;
    const auto failed = cancelled ? comm::EventKind::cancel : comm::EventKind::error;
    tell(std::move(event), event.sys_errno == 0 ? comm::EventKind::finish : failed);
  }
  return ended;
}

void WatchedActions::tell(comm::Event event, comm::EventKind kind) const {
  if (!m_on_event) return;
  event.kind = kind;
  m_on_event(std::move(event));
}

void WatchedActions::log_end(const comm::Event& event, TimePoint begun) const {
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  log::write(m_level, fmt::format("copied {} in {:.6f} seconds", event.source.bracketed(), took.count()));
}

Outcome<std::unique_ptr<lustre::ActionStream>> WatchedRegistration::register_copytool(
    const std::vector<std::uint32_t>& archive_ids) {
  auto stream = inner().register_copytool(archive_ids);
  m_on_change({true, archive_ids.size(), stream ? Status() : Status(Failure(stream.error()))});
  if (!stream) return stream;
  return std::make_unique<WatchedStream>(std::move(*stream), m_level,
                                         [on_change = m_on_change, archives = archive_ids.size()] {
                                           on_change({false, archives, {}});
                                         });
}

}  // namespace lhsm::report
