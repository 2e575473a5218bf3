// SPDX-License-Identifier: LGPL-2.1-or-later
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "lhsmtool_mpi/base/threads.hpp"
#include "lhsmtool_mpi/bulk/rank_job.hpp"

namespace lhsm::bulk {

namespace {

using namespace std::chrono_literals;

/// Some threads that do what they are for to the files that are put into one queue.
class FileThreads {
 public:
  FileThreads(FileFunction function, unsigned threads, std::function<void()> notify)
      : m_function(std::move(function)), m_notify(std::move(notify)) {
    start_threads(m_threads, threads, [this](std::size_t) { run(); }, [this] { request_stop(); });
  }
  ~FileThreads() { stop(); }
  FileThreads(const FileThreads&) = delete;
  FileThreads& operator=(const FileThreads&) = delete;

  void add(const comm::FilesToDo& message) {
    const std::lock_guard lock(m_mutex);
    m_source = message.source;  // that of the whole job
    m_files.insert(m_files.end(), message.files.begin(), message.files.end());
    m_changed.notify_all();
  }
  [[nodiscard]] std::vector<comm::FileDone> take_done() {
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_done, {});
  }
  /// Wait for what has been begun.
  void stop() {
    request_stop();
    m_threads.clear();
  }

 private:
  void request_stop() {
    const std::lock_guard lock(m_mutex);
    m_stop = true;
    m_changed.notify_all();
  }
  void run() {
    std::unique_lock lock(m_mutex);
    for (;;) {
      m_changed.wait(lock, [this] { return m_stop || !m_files.empty(); });
      if (m_stop) return;
      const comm::FileToDo file = std::move(m_files.front());
      m_files.pop_front();
      const std::string source = m_source;
      lock.unlock();
      comm::FileDone done = m_function(file, source);
      lock.lock();
      m_done.push_back(std::move(done));
      // One message for all that ended meanwhile.
      if (m_done.size() == 1) m_notify();
    }
  }

  FileFunction m_function;
  std::function<void()> m_notify;
  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::deque<comm::FileToDo> m_files;
  std::string m_source;
  std::vector<comm::FileDone> m_done;
  bool m_stop = false;
  std::vector<std::jthread> m_threads;
};

}  // namespace

void run_rank_job_worker(comm::Channel& channel, const comm::Likeness& likeness, const std::string& host,
                         const std::string& file_system, unsigned threads, FileFunction function) {
  FileThreads at_work(std::move(function), threads, [&channel] { channel.wake(); });
  const auto tell = [&] {
    if (auto done = at_work.take_done(); !done.empty()) channel.send(0, comm::FilesDone{std::move(done)});
  };
  comm::Hello hello;
  likeness.tell(hello);
  hello.host = host;
  hello.slots = threads;
  hello.file_system = file_system;
  channel.send(0, hello);
  for (;;) {
    const auto envelope = channel.receive(500ms);
    tell();
    if (!envelope) continue;
    if (std::holds_alternative<comm::Stop>(envelope->message)) break;
    const auto* const message = std::get_if<comm::FilesToDo>(&envelope->message);
    if (message == nullptr) throw Fatal("a rank of a job without a copytool received a message that is not for it");
    at_work.add(*message);
  }
  at_work.stop();
  tell();
  channel.send(0, comm::Bye{});
}

}  // namespace lhsm::bulk
