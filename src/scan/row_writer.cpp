// SPDX-License-Identifier: LGPL-2.1-or-later
#include "row_writer.hpp"

#include <utility>

namespace lhsm::scan {

RowWriter::RowWriter(RowSink& sink, std::function<void()> notify)
    : m_sink(sink), m_notify(std::move(notify)), m_thread([this] { run(); }) {}

RowWriter::~RowWriter() {
  const std::lock_guard lock(m_mutex);
  m_stop = true;
  m_changed.notify_all();
}

void RowWriter::add(std::string block, WorkerId from) {
  const std::lock_guard lock(m_mutex);
  m_blocks.emplace_back(std::move(block), from);
  m_changed.notify_all();
}

std::optional<WorkerId> RowWriter::next_taken() {
  const std::lock_guard lock(m_mutex);
  if (m_taken.empty()) return std::nullopt;
  const WorkerId worker = m_taken.front();
  m_taken.pop_front();
  return worker;
}

std::optional<Error> RowWriter::error() const {
  const std::lock_guard lock(m_mutex);
  return m_error;
}

bool RowWriter::is_empty() const {
  const std::lock_guard lock(m_mutex);
  return m_blocks.empty() && !m_busy;
}

void RowWriter::run() {
  std::unique_lock lock(m_mutex);
  for (;;) {
    m_changed.wait(lock, [this] { return m_stop || !m_blocks.empty(); });
    if (m_stop) return;
    const auto [block, from] = std::move(m_blocks.front());
    m_blocks.pop_front();
    m_busy = true;
    lock.unlock();
    const Status added = m_sink.add(block);
    lock.lock();
    m_busy = false;
    if (!added) {
      m_error = added.error();
      m_stop = true;
    }
    m_taken.push_back(from);
    lock.unlock();
    m_notify();
    lock.lock();
  }
}

}  // namespace lhsm::scan
