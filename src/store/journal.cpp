// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/store/journal.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cassert>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <tuple>

#include "journal_file.hpp"
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
  Impl(Fd fd, std::string path, const JournalBase& base, OnTheWay on_the_way, std::uint64_t size, Notify notify, Disk& disk)
      : m_path(std::move(path)),
        m_notify(std::move(notify)),
        m_disk(disk),
        m_fd(std::move(fd)),
        m_base(base),
        m_seed(seed_of(base)),
        m_way(std::move(on_the_way)),
        m_end(size),
        m_synced(size) {
    m_thread = std::thread([this] { run(); });
  }

  ~Impl() { std::ignore = close(); }

  Outcome<std::uint64_t> append(const JournalRecord& record) {
    const std::lock_guard lock(m_mutex);
    if (has_row(record) && row_of(record) >= m_base.item_count)
      return failure(ErrorKind::invalid, EINVAL, "append",
                     fmt::format("{}: row {} of {}", m_path, row_of(record), m_base.item_count));
    assert(!m_closing);
    if (!m_status) return Failure(m_status.error());
    const std::size_t before = m_pending.size();
    if (!append_frame(record, before == 0, m_seed, m_end, m_pending))
      return failure(ErrorKind::invalid, EMSGSIZE, "append", m_path);
    m_end += m_pending.size() - before;
    m_unwritten += m_pending.size() - before;
    m_way.take(record);
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
    return m_unwritten;
  }

  std::uint64_t file_bytes() const {
    const std::lock_guard lock(m_mutex);
    return m_end;
  }

  bool wait_for_size(std::uint64_t bytes, const std::atomic<bool>& stop) {
    std::unique_lock lock(m_mutex);
    const auto is_over = [&] { return stop || m_closing || !m_status; };
    m_done.wait(lock, [&] { return m_end >= bytes || is_over(); });
    return !is_over();
  }

  void wake() {
    const std::lock_guard lock(m_mutex);
    m_done.notify_all();
  }

  Status rotate(const std::string& rotated) {
    std::unique_lock lock(m_mutex);
    if (!m_status) return m_status;
    assert(!m_closing);
    m_rotated = rotated;
    m_rotation = Rotation::asked;
    m_work.notify_one();
    m_done.wait(lock, [&] { return m_rotation == Rotation::none || !m_status; });
    return m_status ? std::exchange(m_rotation_status, {}) : m_status;
  }

  Status close() {
    {
      const std::lock_guard lock(m_mutex);
      m_closing = true;
      m_work.notify_one();
      m_done.notify_all();
    }
    if (m_thread.joinable()) m_thread.join();
    return m_status;
  }

 private:
  enum class Rotation : std::uint8_t {
    none,
    asked,
    begun,  // the new file is gone on with; what it begins with is not durable yet
  };

  void run() {
    std::unique_lock lock(m_mutex);
    for (;;) {
      m_work.wait(lock, [&] { return !m_pending.empty() || m_closing || m_rotation == Rotation::asked; });
      if (m_rotation == Rotation::asked) begin_rotation(lock);
      if (m_status && !m_pending.empty()) write_pending(lock);
      if (!m_status || (m_closing && m_pending.empty())) return;
      if (m_rotation == Rotation::begun) end_rotation({});
    }
  }

  /// Write what is pending, and tell. m_status says how it went.
  void write_pending(std::unique_lock<std::mutex>& lock) {
    m_batch.clear();
    m_batch.swap(m_pending);
    write_batch(lock, m_appended, [] {});
  }

  /// `then` is called under the lock when the batch is durable.
  template <class Then>
  void write_batch(std::unique_lock<std::mutex>& lock, std::uint64_t sequence, Then then) {
    const std::uint64_t offset = m_synced;
    lock.unlock();
    const Status written = m_batch.empty() ? Status{} : write(m_batch, offset);
    lock.lock();
    if (written) {
      m_durable = sequence;
      m_synced = offset + m_batch.size();
      m_unwritten -= m_batch.size();
      then();
    } else {
      m_status = written;
    }
    m_done.notify_all();
    if (m_notify) {
      lock.unlock();
      m_notify();
      lock.lock();
    }
    if (m_batch.capacity() > k_kept_bytes) m_batch = {};
  }

  /// Make the new file, and let what is appended from now on go into it, once the rest is in the file so far.
  void begin_rotation(std::unique_lock<std::mutex>& lock) {
    lock.unlock();
    const JournalBase next = new_base({m_base.manifest.uuid, m_base.manifest.generation + 1}, m_base.item_count);
    auto fresh = make_next(next);
    lock.lock();
    if (!fresh) return end_rotation(Failure(fresh.error()));
    m_batch.clear();
    m_batch.swap(m_pending);
    const std::uint64_t sequence = m_appended;
    m_base = next;
    m_seed = seed_of(next);
    m_end = k_base_bytes;
    m_way.drop_repeated();
    for (const JournalRecord& record : m_way.records()) {
      const std::size_t before = m_pending.size();
      // It was appended before, so it is not too long.
      std::ignore = append_frame(record, before == 0, m_seed, m_end, m_pending);
      m_end += m_pending.size() - before;
    }
    m_unwritten += m_pending.size();
    m_rotation = Rotation::begun;
    write_batch(lock, sequence, [&] {
      m_fd = std::move(*fresh);
      m_synced = k_base_bytes;
      m_is_renamed = false;
    });
  }

  void end_rotation(Status status) {
    m_rotation = Rotation::none;
    m_rotation_status = std::move(status);
    m_done.notify_all();
  }

  /// Give the file so far its other name, and an empty new one its name. Wherever this ends, the next start finds its way: without the
  /// new file it gives the old one its name back, and one that is empty says nothing.
  Outcome<Fd> make_next(const JournalBase& next) {
    const std::string temporary = temporary_name(m_path);
    LHSM_TRY_ASSIGN(Fd fd, make_journal(temporary, next, {}, m_disk));
    Status status;
    if (!m_is_renamed) {
      status = check_name();
      if (status) status = m_disk.rename(m_path, m_rotated);
      m_is_renamed = status.has_value();
    }
    // Else a crash could leave the new file alone.
    if (status) status = m_disk.sync_directory_of(m_path);
    if (status) status = m_disk.rename(temporary, m_path);
    if (!status) {
      std::ignore = m_disk.remove(temporary);
      return Failure(status.error());
    }
    LHSM_TRY(m_disk.sync_directory_of(m_path));
    return fd;
  }

  /// What has the name must be this file: another run may have taken the job over, and its journal is not to be renamed.
  [[nodiscard]] Status check_name() const {
    struct stat named {};
    struct stat held {};
    if (::lstat(m_path.c_str(), &named) != 0) return errno_error("lstat", m_path);
    if (::fstat(*m_fd, &held) != 0) return errno_error("fstat", m_path);
    if (named.st_dev != held.st_dev || named.st_ino != held.st_ino) return errno_error("find its own file at", m_path, ESTALE);
    return {};
  }

  Status write(const std::string& batch, std::uint64_t offset) {
    Status status = m_disk.write_at(*m_fd, std::as_bytes(std::span(batch)), offset, m_path);
    if (status) status = m_disk.sync_data(*m_fd, m_path);
    // Nobody was told of these records, and a replay could read what never reached the disk from memory.
    if (!status) std::ignore = m_disk.truncate(*m_fd, offset, m_path);
    return status;
  }

  static constexpr std::size_t k_kept_bytes = std::size_t{16} << 20U;

  const std::string m_path;
  const Notify m_notify;
  Disk& m_disk;

  // The thread's own.
  Fd m_fd;
  std::string m_batch;        // that is being written
  bool m_is_renamed = false;  // the file that is written to has the name that it is to have when it is complete

  mutable std::mutex m_mutex;
  std::condition_variable m_work;  // there is something pending, or the end
  std::condition_variable m_done;  // more is durable, or the journal has failed
  JournalBase m_base;              // of the file that is appended to
  std::uint64_t m_seed;
  OnTheWay m_way;                  // after all that was appended
  std::string m_pending;           // follows what is being written
  std::uint64_t m_end;             // of the file that is appended to, once all is written
  std::uint64_t m_synced;          // of the file that is written to, as far as it is on disk
  std::uint64_t m_unwritten = 0;   // bytes that are not on disk
  std::uint64_t m_appended = 0;
  std::uint64_t m_durable = 0;
  Status m_status;
  bool m_closing = false;
  Rotation m_rotation = Rotation::none;
  std::string m_rotated;
  Status m_rotation_status;
  std::thread m_thread;
};

Journal::Journal(Fd fd, std::string path, const JournalBase& base, OnTheWay on_the_way, std::uint64_t size, Notify notify,
                 Disk& disk)
    : m_impl(std::make_unique<Impl>(std::move(fd), std::move(path), base, std::move(on_the_way), size, std::move(notify), disk)) {}
Journal::~Journal() = default;
Outcome<std::uint64_t> Journal::append(const JournalRecord& record) { return m_impl->append(record); }
Journal::Durable Journal::durable() const { return m_impl->durable(); }
Status Journal::wait_durable(std::uint64_t sequence) { return m_impl->wait_durable(sequence); }
std::uint64_t Journal::pending_bytes() const { return m_impl->pending_bytes(); }
std::uint64_t Journal::file_bytes() const { return m_impl->file_bytes(); }
bool Journal::wait_for_size(std::uint64_t bytes, const std::atomic<bool>& stop) { return m_impl->wait_for_size(bytes, stop); }
void Journal::wake() { m_impl->wake(); }
Status Journal::rotate(const std::string& rotated) { return m_impl->rotate(rotated); }
Status Journal::close() { return m_impl->close(); }

}  // namespace lhsm::store
