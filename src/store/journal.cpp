// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/store/journal.hpp"

#include <fmt/format.h>

#include <cassert>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <tuple>

#include "journal_frame.hpp"

namespace lhsm::store {

namespace {

std::uint64_t row_of(const JournalRecord& record) {
  return std::visit(
      [](const auto& one) {
        if constexpr (requires { one.row; })
          return one.row;
        else
          return std::uint64_t{0};
      },
      record);
}

bool has_row(const JournalRecord& record) { return record.index() < 3; }

}  // namespace

class Journal::Impl {
 public:
  Impl(Fd fd, std::string path, const JournalBase& base, std::uint64_t size, Notify notify, Disk& disk)
      : m_fd(std::move(fd)),
        m_path(std::move(path)),
        m_seed(seed_of(base)),
        m_item_count(base.item_count),
        m_notify(std::move(notify)),
        m_disk(disk),
        m_end(size),
        m_synced(size) {
    m_thread = std::thread([this] { run(); });
  }

  ~Impl() { std::ignore = close(); }

  Outcome<std::uint64_t> append(const JournalRecord& record) {
    if (has_row(record) && row_of(record) >= m_item_count)
      return failure(ErrorKind::invalid, EINVAL, "append",
                     fmt::format("{}: row {} of {}", m_path, row_of(record), m_item_count));
    const std::lock_guard lock(m_mutex);
    assert(!m_closing);
    if (!m_status) return Failure(m_status.error());
    const std::size_t before = m_pending.size();
    if (!append_frame(record, before == 0, m_seed, m_end, m_pending))
      return failure(ErrorKind::invalid, EMSGSIZE, "append", m_path);
    m_end += m_pending.size() - before;
    if (before == 0) m_work.notify_one();
    return ++m_appended;
  }

  Durable durable() const {
    const std::lock_guard lock(m_mutex);
    return {m_durable, m_status};
  }

  Status wait_durable(std::uint64_t sequence) {
    std::unique_lock lock(m_mutex);
    assert(sequence <= m_appended);
    m_done.wait(lock, [&] { return m_durable >= sequence || !m_status; });
    return m_durable >= sequence ? Status{} : m_status;
  }

  std::uint64_t pending_bytes() const {
    const std::lock_guard lock(m_mutex);
    return m_end - m_synced;
  }

  Status close() {
    {
      const std::lock_guard lock(m_mutex);
      m_closing = true;
      m_work.notify_one();
    }
    if (m_thread.joinable()) m_thread.join();
    return m_status;
  }

 private:
  void run() {
    std::string batch;
    std::unique_lock lock(m_mutex);
    for (;;) {
      m_work.wait(lock, [&] { return !m_pending.empty() || m_closing; });
      if (m_pending.empty()) return;
      batch.clear();
      batch.swap(m_pending);
      const std::uint64_t offset = m_synced;
      const std::uint64_t sequence = m_appended;
      lock.unlock();
      const Status written = write(batch, offset);
      lock.lock();
      if (written) {
        m_durable = sequence;
        m_synced = offset + batch.size();
      } else {
        m_status = written;
      }
      m_done.notify_all();
      if (m_notify) {
        lock.unlock();
        m_notify();
        lock.lock();
      }
      if (!m_status) return;
      if (batch.capacity() > k_kept_bytes) batch = {};
    }
  }

  Status write(const std::string& batch, std::uint64_t offset) {
    Status status = m_disk.write_at(*m_fd, std::as_bytes(std::span(batch)), offset, m_path);
    if (status) status = m_disk.sync_data(*m_fd, m_path);
    // Nobody was told of these records, and a replay could read what never reached the disk from memory.
    if (!status) std::ignore = m_disk.truncate(*m_fd, offset, m_path);
    return status;
  }

  static constexpr std::size_t k_kept_bytes = std::size_t{16} << 20U;

  const Fd m_fd;
  const std::string m_path;
  const std::uint64_t m_seed;
  const std::uint64_t m_item_count;
  const Notify m_notify;
  Disk& m_disk;

  mutable std::mutex m_mutex;
  std::condition_variable m_work;  // there is something pending, or the end
  std::condition_variable m_done;  // more is durable, or the journal has failed
  std::string m_pending;           // follows what is being written
  std::uint64_t m_end;             // of the file once all is written
  std::uint64_t m_synced;          // of the file that is on disk
  std::uint64_t m_appended = 0;
  std::uint64_t m_durable = 0;
  Status m_status;
  bool m_closing = false;
  std::thread m_thread;
};

Journal::Journal(Fd fd, std::string path, const JournalBase& base, std::uint64_t size, Notify notify, Disk& disk)
    : m_impl(std::make_unique<Impl>(std::move(fd), std::move(path), base, size, std::move(notify), disk)) {}
Journal::~Journal() = default;
Outcome<std::uint64_t> Journal::append(const JournalRecord& record) { return m_impl->append(record); }
Journal::Durable Journal::durable() const { return m_impl->durable(); }
Status Journal::wait_durable(std::uint64_t sequence) { return m_impl->wait_durable(sequence); }
std::uint64_t Journal::pending_bytes() const { return m_impl->pending_bytes(); }
Status Journal::close() { return m_impl->close(); }

}  // namespace lhsm::store
