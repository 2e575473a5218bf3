// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>

#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "lhsmtool_mpi/base/threads.hpp"
#include "lhsmtool_mpi/bulk/judge.hpp"
#include "lhsmtool_mpi/bulk/release.hpp"

namespace lhsm::bulk {

namespace {

using namespace std::chrono_literals;
using Answer = comm::ReleaseAnswer;

comm::FileReleased release(lustre::Client& client, const Fid& fid) {
  const auto failed = [&fid](const Error& error) { return comm::FileReleased{fid, Answer::failed, error}; };
  Outcome<Fd> file = client.open_by_fid(fid, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  if (!file) return failed(file.error());
  const auto state = client.hsm_state(**file);
  if (!state) return failed(state.error());
  file->reset();  // a release takes a lease, for which nobody may have the file open
  switch (judge(store::ItemAction::release, *state, {})) {
    case Verdict::already: return {fid, Answer::already, {}};
    case Verdict::refused: return {fid, Answer::refused, refusal(fid, why_refused(store::ItemAction::release, *state))};
    case Verdict::ask: break;
  }
  const Status done = client.request(abi::HUA_RELEASE, 0, std::array{fid});
  if (done) return {fid, Answer::released, {}};
  if (done.error().sys_errno == EPERM) return {fid, Answer::refused, refusal(fid, "the MDT does not permit it")};
  return failed(done.error());
}

/// Some threads that release what is put into one queue.
class Releasers {
 public:
  Releasers(lustre::Client& client, unsigned threads, std::function<void()> notify)
      : m_client(client), m_notify(std::move(notify)) {
    start_threads(m_threads, threads, [this](std::size_t) { run(); }, [this] { request_stop(); });
  }
  ~Releasers() { stop(); }
  Releasers(const Releasers&) = delete;
  Releasers& operator=(const Releasers&) = delete;

  void add(const std::vector<Fid>& fids) {
    const std::lock_guard lock(m_mutex);
    m_fids.insert(m_fids.end(), fids.begin(), fids.end());
    m_changed.notify_all();
  }
  [[nodiscard]] std::vector<comm::FileReleased> take_done() {
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
      m_changed.wait(lock, [this] { return m_stop || !m_fids.empty(); });
      if (m_stop) return;
      const Fid fid = m_fids.front();
      m_fids.pop_front();
      lock.unlock();
      comm::FileReleased done = release(m_client, fid);
      lock.lock();
      m_done.push_back(std::move(done));
      // One message for all that ended meanwhile.
      if (m_done.size() == 1) m_notify();
    }
  }

  lustre::Client& m_client;
  std::function<void()> m_notify;
  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::deque<Fid> m_fids;
  std::vector<comm::FileReleased> m_done;
  bool m_stop = false;
  std::vector<std::jthread> m_threads;
};

}  // namespace

void run_release_worker(comm::Channel& channel, const comm::Likeness& likeness, const std::string& host, lustre::Client& client,
                        unsigned threads) {
  Releasers releasers(client, threads, [&channel] { channel.wake(); });
  const auto tell = [&] {
    if (auto done = releasers.take_done(); !done.empty()) channel.send(0, comm::FilesReleased{std::move(done)});
  };
  comm::Hello hello;
  likeness.tell(hello);
  hello.host = host;
  hello.slots = threads;
  hello.file_system = client.fsname();
  channel.send(0, hello);
  for (;;) {
    const auto envelope = channel.receive(500ms);
    tell();
    if (!envelope) continue;
    if (std::holds_alternative<comm::Stop>(envelope->message)) break;
    const auto* const message = std::get_if<comm::ReleaseFiles>(&envelope->message);
    if (message == nullptr) throw Fatal("a rank that releases received a message that is not for it");
    releasers.add(message->fids);
  }
  releasers.stop();
  tell();
  channel.send(0, comm::Bye{});
}

}  // namespace lhsm::bulk
