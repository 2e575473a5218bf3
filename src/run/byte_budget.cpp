// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/byte_budget.hpp"

#include <algorithm>

#include "lhsmtool_mpi/plan/bandwidth.hpp"

namespace lhsm::run {

Status ByteBudget::take(std::uint64_t bytes, const StopFlag& stop, Duration interval,
                        const std::function<Status()>& while_waiting) {
  std::unique_lock lock(m_mutex);
  if (piece() == 0) return {};
  Waiter waiter{bytes};
  const auto at = m_waiters.insert(m_waiters.end(), &waiter);
  m_waiting_bytes += bytes;
  serve_waiters();
  ask();
  Status status;
  TimePoint report = std::chrono::steady_clock::now() + interval;
  while (!waiter.served && status) {
    if (stop.raised()) {
      status = Failure(stop.error());
    } else if (m_closed) {
      status = failure(ErrorKind::busy, EAGAIN, "copy", "stopped while it waited for bandwidth");
    } else if (m_changed.wait_until(lock, report) == std::cv_status::timeout && !waiter.served) {
      lock.unlock();
      if (while_waiting) status = while_waiting();
      lock.lock();
      report = std::chrono::steady_clock::now() + interval;
    }
  }
  if (waiter.served && status) return {};
  m_taken -= waiter.taken;
  if (!waiter.served) {
    m_waiters.erase(at);
    m_waiting_bytes -= bytes;
  }
  serve_waiters();
  ask();  // for less: what is on its way to us is enough for others
  return status;
}

/// In their order, so that small takes do not starve a large one.
void ByteBudget::serve_waiters() {
  bool any = false;
  while (!m_waiters.empty() && (piece() == 0 || m_granted - m_taken >= m_waiters.front()->bytes)) {
    Waiter& first = *m_waiters.front();
    if (piece() != 0) m_taken += first.taken = first.bytes;
    m_waiting_bytes -= first.bytes;
    first.served = any = true;
    m_waiters.pop_front();
  }
  if (any) m_changed.notify_all();
}

void ByteBudget::ask() {
  const std::uint64_t wanted = m_taken + m_waiting_bytes;
  if (wanted == m_asked || (wanted <= m_granted && m_asked <= m_granted)) return;
  m_asked = wanted;
  m_want(wanted);
}

void ByteBudget::set_limit(std::uint64_t bytes_per_second) {
  const std::lock_guard lock(m_mutex);
  m_piece = bytes_per_second == 0 ? 0 : plan::bandwidth_piece(bytes_per_second);
  m_asked = 0;  // the dispatcher has forgotten it
  m_taken = m_granted;  // what is left was granted under another limit
  serve_waiters();
  if (piece() != 0) ask();
}

void ByteBudget::grant(std::uint64_t bytes) {
  const std::lock_guard lock(m_mutex);
  m_granted += bytes;
  serve_waiters();
}

void ByteBudget::recheck() {
  const std::lock_guard lock(m_mutex);
  m_changed.notify_all();
}

void ByteBudget::close() {
  const std::lock_guard lock(m_mutex);
  m_closed = true;
  m_changed.notify_all();
}

Outcome<std::size_t> BudgetedSource::read_at(std::span<std::byte> out, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < out.size()) {
    const std::uint64_t piece = m_budget.piece();
    if (piece == 0) {
      LHSM_TRY_ASSIGN(const std::size_t got, m_source.read_at(out.subspan(done), offset + done));
      return done + got;
    }
    const auto some = out.subspan(done, static_cast<std::size_t>(std::min<std::uint64_t>(piece, out.size() - done)));
    LHSM_TRY(m_budget.take(some.size(), m_stop, m_interval, m_while_waiting));
    LHSM_TRY_ASSIGN(const std::size_t got, m_source.read_at(some, offset + done));
    done += got;
    if (got < some.size()) break;
  }
  return done;
}

}  // namespace lhsm::run
