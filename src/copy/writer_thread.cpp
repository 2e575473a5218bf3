// SPDX-License-Identifier: LGPL-2.1-or-later
#include "writer_thread.hpp"

#include <pthread.h>
#include <signal.h>

#include <exception>
#include <tuple>

#include "lhsmtool_mpi/base/size.hpp"

namespace lhsm::copy {

namespace {

/// Dirty bytes after which the system is asked to write out: large enough for a device, small
/// enough that the last of it does not make the final fsync long.
constexpr std::uint64_t k_writeback_bytes = 8 * k_MiB;

/// Signals are for the threads of the program, which know what to do with them.
class BlockSignals {
 public:
  BlockSignals() {
    sigset_t all;
    sigfillset(&all);
    std::ignore = pthread_sigmask(SIG_SETMASK, &all, &m_before);  // fails for a bad `how` only
  }
  ~BlockSignals() { std::ignore = pthread_sigmask(SIG_SETMASK, &m_before, nullptr); }
  BlockSignals(const BlockSignals&) = delete;
  BlockSignals& operator=(const BlockSignals&) = delete;

 private:
  sigset_t m_before{};
};

}  // namespace

WriterThread::WriterThread() {
  const BlockSignals inherited_by_the_thread;
  m_thread = std::thread([this] { run(); });
}

WriterThread::~WriterThread() {
  {
    const std::lock_guard lock(m_mutex);
    m_quit = true;
  }
  m_wake.notify_one();
  m_thread.join();
}

void WriterThread::begin(ByteSink& sink) {
  const std::lock_guard lock(m_mutex);
  m_sink = &sink;
  m_submitted = m_taken_care_of = 0;
  m_status = {};
  m_dirty = {};
  m_cancelled = false;
}

void WriterThread::submit(const Batch& batch) {
  {
    const std::lock_guard lock(m_mutex);
    m_ring[m_submitted % k_batches] = &batch;
    ++m_submitted;
  }
  m_wake.notify_one();
}

Status WriterThread::wait_written(std::uint64_t count) {
  std::unique_lock lock(m_mutex);
  m_done.wait(lock, [&] { return m_taken_care_of >= count; });
  return m_status;
}

void WriterThread::cancel() {
  m_cancelled = true;
  std::unique_lock lock(m_mutex);
  m_done.wait(lock, [&] { return m_taken_care_of == m_submitted; });
}

void WriterThread::run() {
  std::unique_lock lock(m_mutex);
  for (;;) {
    m_wake.wait(lock, [&] { return m_quit || m_taken_care_of < m_submitted; });
    if (m_quit) return;
    if (m_status.has_value()) {
      const Batch& batch = *m_ring[m_taken_care_of % k_batches];
      lock.unlock();
      Status status = write(batch);
      lock.lock();
      m_status = std::move(status);
    }
    ++m_taken_care_of;
    m_done.notify_one();
  }
}

Status WriterThread::write(const Batch& batch) try {
  for (const Extent& segment : batch.segments) {
    if (m_cancelled) return failure(ErrorKind::cancelled, ECANCELED, "write", "the copy was given up");
    LHSM_TRY(m_sink->write_at(batch.bytes_of(segment), segment.offset));
    start_writeback(segment);
  }
  return {};
} catch (const std::exception& error) {
  return failure(ErrorKind::internal, ENOMEM, "write", error.what());
}

void WriterThread::start_writeback(Extent written) {
  if (m_dirty.length == 0) m_dirty.offset = written.offset;
  m_dirty.length = written.end() - m_dirty.offset;
  if (m_dirty.length < k_writeback_bytes) return;
  m_sink->start_writeback(m_dirty);
  m_dirty = {};
}

}  // namespace lhsm::copy
