// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/verify/worker.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#include "check_object.hpp"
#include "lhsmtool_mpi/base/threads.hpp"
#include "lhsmtool_mpi/copy/direct_mode.hpp"

namespace lhsm::verify {

namespace {

using namespace std::chrono_literals;

constexpr Duration k_tick = 50ms;
constexpr std::size_t k_many_results = 16;
constexpr std::uint64_t k_long_read = std::uint64_t{16}
                                      << 20U;  // takes so long that its result does not wait for others
constexpr std::size_t k_message_bytes = std::size_t{4} << 20U;

comm::Hello hello_of(const WorkerOptions& options) {
  comm::Hello hello;
  options.likeness.tell(hello);
  hello.host = options.host;
  hello.slots = options.threads;
  return hello;
}

/// Memory that O_DIRECT can read into.
class Buffer {
 public:
  explicit Buffer(std::size_t bytes)
      : m_bytes((bytes + copy::k_direct_alignment - 1) / copy::k_direct_alignment * copy::k_direct_alignment),
        m_memory(static_cast<std::byte*>(std::aligned_alloc(copy::k_direct_alignment, m_bytes))) {
    if (!m_memory) throw std::bad_alloc();
  }
  [[nodiscard]] std::span<std::byte> bytes() { return {m_memory.get(), m_bytes}; }

 private:
  struct Free {
    void operator()(std::byte* memory) const noexcept { std::free(memory); }
  };
  std::size_t m_bytes;
  std::unique_ptr<std::byte, Free> m_memory;
};

class Worker {
 public:
  Worker(comm::Channel& channel, archive::Backend& backend, const WorkerOptions& options)
      : m_channel(channel), m_backend(backend), m_options(options), m_pace(options.bytes_per_second) {
    for (unsigned i = 0; i < options.threads; ++i) m_buffers.emplace_back(options.buffer_bytes);
    start_threads(m_threads, m_buffers.size(), [this](std::size_t i) { check(m_buffers[i]); }, [this] { stop(); });
  }
  ~Worker() { end(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void run() {
    for (;;) {
      const auto envelope = m_channel.receive(k_tick);
      send_results();
      if (!envelope) continue;
      if (std::holds_alternative<comm::Stop>(envelope->message)) break;
      const auto* const tasks = std::get_if<comm::VerifyTasks>(&envelope->message);
      if (tasks == nullptr) throw Fatal("a rank of a verification received a message that is not for it");
      const std::lock_guard lock(m_mutex);
      m_tasks.insert(m_tasks.end(), tasks->tasks.begin(), tasks->tasks.end());
      m_changed.notify_all();
    }
    end();
    m_channel.send(0, comm::Bye{});
  }

 private:
  void stop() {
    {
      const std::lock_guard lock(m_mutex);
      m_stop = true;
      m_tasks.clear();
      m_changed.notify_all();
    }
    m_pace.stop();
  }

  void end() {
    stop();
    m_threads.clear();  // joins
  }

  void check(Buffer& buffer) {
    for (;;) {
      comm::VerifyTask task;
      {
        std::unique_lock lock(m_mutex);
        m_changed.wait(lock, [this] { return m_stop || !m_tasks.empty(); });
        if (m_stop) return;
        task = m_tasks.front();
        m_tasks.pop_front();
      }
      comm::VerifyResult result = check_object(m_backend, task, buffer.bytes(), m_pace, m_stop);
      const bool is_long = result.bytes_read >= k_long_read;
      bool is_urgent = false;
      {
        const std::lock_guard lock(m_mutex);
        m_results.push_back(std::move(result));
        is_urgent = is_long || m_results.size() == k_many_results || m_tasks.size() < m_options.threads;
      }
      if (is_urgent) m_channel.wake();
    }
  }

  void send_results() {
    std::vector<comm::VerifyResult> results;
    {
      const std::lock_guard lock(m_mutex);
      results.swap(m_results);
    }
    comm::VerifyResults message;
    std::size_t bytes = 0;
    for (comm::VerifyResult& result : results) {
      bytes += result.leaves.size();
      message.results.push_back(std::move(result));
      if (bytes < k_message_bytes) continue;
      m_channel.send(0, message);
      message.results.clear();
      bytes = 0;
    }
    if (!message.results.empty()) m_channel.send(0, message);
  }

  comm::Channel& m_channel;
  archive::Backend& m_backend;
  const WorkerOptions& m_options;
  Pace m_pace;
  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::deque<comm::VerifyTask> m_tasks;
  std::vector<comm::VerifyResult> m_results;
  std::atomic<bool> m_stop = false;
  std::vector<Buffer> m_buffers;
  std::vector<std::jthread> m_threads;
};

}  // namespace

void run_worker(comm::Channel& channel, archive::Backend& backend, const WorkerOptions& options) {
  channel.send(0, hello_of(options));
  Worker(channel, backend, options).run();
}

void run_unable_worker(comm::Channel& channel, const WorkerOptions& options, const Error& reason) {
  comm::Hello hello = hello_of(options);
  hello.unable = reason;
  channel.send(0, hello);
  for (;;)
    if (const auto envelope = channel.receive(k_tick);
        envelope && std::holds_alternative<comm::Stop>(envelope->message))
      break;
  channel.send(0, comm::Bye{});
}

}  // namespace lhsm::verify
