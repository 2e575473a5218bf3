// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/receiver.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <tuple>

#include "lhsmtool_mpi/base/log.hpp"

namespace lhsm::run {

namespace {

using namespace std::chrono_literals;

constexpr Duration k_pause_after_error = 1s;

/// Whether the coordinator merely does not run yet, which a start of ours may come before.
bool may_pass(const Error& error) {
  return error.sys_errno == ENXIO || error.sys_errno == EAGAIN || error.sys_errno == ENOMEM;
}

/// A registration that was tried and refused though all coordinators had said that they run.
bool may_have_done_damage(const Error& error) {
  // These come before the kernel has our pipe.
  return error.operation == lustre::k_register_copytool && error.sys_errno != ENOMEM && error.sys_errno != EBADF;
}

}  // namespace

Receiver::Receiver(lustre::Client& client, std::vector<std::uint32_t> archive_ids, RegistrationOptions options,
                   std::function<void()> on_arrival)
    : m_client(client),
      m_archive_ids(std::move(archive_ids)),
      m_options(options),
      m_on_arrival(std::move(on_arrival)),
      m_stop_reading(::eventfd(0, EFD_CLOEXEC)) {
  if (!m_stop_reading) throw Fatal(errno_error("eventfd", "receiver").value());
  m_registrar = std::thread([this] {
    stay_registered();
    wind_up();
  });
}

Receiver::~Receiver() {
  request_stop();
  m_registrar.join();
}

void Receiver::doubt() {
  const std::lock_guard lock(m_mutex);
  m_in_doubt = true;
  m_changed.notify_all();
}

void Receiver::request_stop() {
  const std::lock_guard lock(m_mutex);
  m_stopping = true;
  m_changed.notify_all();
}

bool Receiver::stopped() const {
  const std::lock_guard lock(m_mutex);
  return m_stopped;
}

// The registrar's thread.

void Receiver::stay_registered() {
  std::chrono::milliseconds delay = m_options.first_delay;
  bool failing = false;
  bool ever = false;
  std::unique_lock lock(m_mutex);
  while (!m_stopping) {
    m_in_doubt = false;
    lock.unlock();
    const Status done = register_once();
    lock.lock();
    ++m_tries;
    m_changed.notify_all();
    if (done) {
      if (failing || !ever) log::info("registered as copytool on {}", m_client.mount_point());
      failing = false;
      ever = true;
      delay = m_options.first_delay;
      m_last_heard = m_registered_at = std::chrono::steady_clock::now();
      wait_until_due(lock);
      continue;
    }
    if (may_have_done_damage(done.error()) || (!ever && !may_pass(done.error()))) {
      if (may_have_done_damage(done.error()))
        log::error("{}; not tried again, as clients before 2.17.55 do not survive that for long (LU-20311): look after this node",
                   done.error().describe());
      m_refused = done.error();
      lock.unlock();
      m_on_arrival();
      return;
    }
    if (!failing) log::warning("{}; this is tried again until it succeeds", done.error().describe());
    failing = true;
    m_changed.wait_for(lock, delay, [this] { return m_stopping; });
    delay = std::min(2 * delay, m_options.longest_delay);
  }
}

void Receiver::wind_up() {
  if (m_stream != nullptr) {
    m_stream->unregister();  // while the reader reads on: the pipe may be full
    const std::uint64_t one = 1;
    std::ignore = ::write(*m_stop_reading, &one, sizeof one);  // an eventfd takes it
    m_reader.join();
  }
  {
    const std::lock_guard lock(m_mutex);
    m_stopped = true;
  }
  m_on_arrival();
}

Status Receiver::register_once() {
  if (m_stream != nullptr) return m_stream->renew();
  LHSM_TRY_ASSIGN(m_stream, m_client.register_copytool(m_archive_ids));
  m_reader = std::thread([this] { read(); });
  return {};
}

/// Wait until the registration should be renewed. One that is used is left alone: between the end of the
/// old and the begin of the new one the coordinator finds nobody.
void Receiver::wait_until_due(std::unique_lock<std::mutex>& lock) {
  while (!m_stopping) {
    const TimePoint due =
        m_in_doubt ? m_registered_at + m_options.least_interval : m_last_heard + m_options.renew_interval;
    if (std::chrono::steady_clock::now() >= due) return;
    m_changed.wait_until(lock, due);
  }
}

// The reader's thread.

void Receiver::read() {
  std::array<pollfd, 2> events{{{m_stream->poll_fd(), POLLIN, 0}, {*m_stop_reading, POLLIN, 0}}};
  for (;;) {
    if (::poll(events.data(), events.size(), -1) < 0) continue;  // EINTR
    // What the coordinator has sent counts as received: after the last look at the event all is read.
    const bool stopping = events[1].revents != 0;
    const bool whole = read_lists();
    if (stopping) return;
    if (whole) continue;
    // The same may be said again at once, and for long.
    std::unique_lock lock(m_mutex);
    m_changed.wait_for(lock, k_pause_after_error, [this, tries = m_tries] { return m_stopping || m_tries != tries; });
  }
}

/// Take all that is there. False: the stream is broken.
bool Receiver::read_lists() {
  for (;;) {
    auto list = m_stream->receive();
    if (!list) {
      if (!m_is_broken) log::error("{}", list.error().describe());
      m_is_broken = true;
      doubt();
      return false;
    }
    m_is_broken = false;
    if (!*list) return true;
    take_list(std::move(**list));
    m_on_arrival();
  }
}

void Receiver::take_list(lustre::ActionList list) {
  if (!list.damage.empty())
    log::error("a list of actions is damaged ({}): {} of them are answered, {} bytes cannot be read", list.damage,
               list.items.size(), list.unread_bytes);
  std::vector<Arrival> arrivals;
  arrivals.reserve(list.items.size());
  for (ActionItem& item : list.items) {
    if (const auto mdt = m_client.mdt_index(item.fid); mdt) item.mdt_index = *mdt;
    Arrival& arrival = arrivals.emplace_back(Arrival{std::move(item), 0});
    // Both would hang until the coordinator's timeout if they were dropped (facts, pitfall 26). EXDEV: the FID
    // is of another file system, where it may even exist here as another file. EINVAL: that archive has
    // other objects than ours.
    if (list.fsname != m_client.fsname())
      arrival.reject_errno = EXDEV;
    else if (!m_archive_ids.empty() &&
             std::find(m_archive_ids.begin(), m_archive_ids.end(), arrival.item.archive_id) == m_archive_ids.end())
      arrival.reject_errno = EINVAL;
    if (arrival.reject_errno != 0)
      log::warning("{} of archive {} on {} is not for us and refused", arrival.item.describe(), arrival.item.archive_id,
                   list.fsname);
  }
  const std::lock_guard lock(m_mutex);
  m_last_heard = std::chrono::steady_clock::now();
  std::move(arrivals.begin(), arrivals.end(), std::back_inserter(m_arrived));
}

std::vector<Arrival> Receiver::take() {
  const std::lock_guard lock(m_mutex);
  return std::exchange(m_arrived, {});
}

std::optional<Error> Receiver::refused() const {
  const std::lock_guard lock(m_mutex);
  return m_refused;
}

}  // namespace lhsm::run
