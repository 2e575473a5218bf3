// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <list>
#include <map>

#include "lhsmtool_mpi/comm/loopback.hpp"
#include "mpi_check.hpp"

namespace lhsm::comm {

namespace {

using namespace std::chrono_literals;

// MPI offers nothing to sleep on, and its own waits spin. So we poll: often for a moment after the last message, then each 1.5 ms,
// so that a message waits 0.75 ms on average; where nothing has come for a second, each 4 ms, and such a rank takes about half a per
// cent of a core. A look costs some 10 us of it: beginning with 50 us, ranks that restore small files spent a third of their CPU on
// looking.
constexpr Duration k_poll_first = 200us;
constexpr Duration k_poll_longest = 1500us;
constexpr Duration k_poll_at_rest = 4ms;
constexpr Duration k_rest_after = 1s;

/// How long to sleep until the next look.
class PollPace {
 public:
  /// There is something, or there will be soon.
  void quicken() {
    m_interval = k_poll_first;
    m_waited = Duration::zero();
  }
  [[nodiscard]] Duration interval() const { return m_interval; }
  void waited_in_vain() {
    m_waited += m_interval;
    m_interval = m_waited < k_rest_after ? std::min(m_interval * 2, k_poll_longest) : k_poll_at_rest;
  }

 private:
  Duration m_interval = k_poll_first;
  Duration m_waited = Duration::zero();
};

/// Frames over MPI, without a decision about whom to wait for.
class MpiFrames {
 public:
  explicit MpiFrames(MPI_Comm communicator) : m_communicator(communicator) {}
  ~MpiFrames() {
    // What nobody took (the run is being torn down) is MPI's until its end: Open MPI cannot cancel a send, and says it had.
    if (m_pending.empty()) return;
    static auto& kept = *new std::list<std::map<int, std::list<Pending>>>();
    kept.push_back(std::move(m_pending));
  }
  MpiFrames(const MpiFrames&) = delete;
  MpiFrames& operator=(const MpiFrames&) = delete;

  void send(int rank, Bytes frame) {
    Pending& pending = m_pending[rank].emplace_back();
    pending.frame = std::move(frame);
    check_mpi(MPI_Isend(pending.frame.data(), static_cast<int>(pending.frame.size()), MPI_BYTE, rank, k_tag,
                        m_communicator, &pending.request),
              "MPI_Isend");
    complete_sends();
  }

  std::optional<std::pair<int, Bytes>> take() {
    complete_sends();
    int found = 0;
    MPI_Message handle = MPI_MESSAGE_NULL;
    MPI_Status status{};
    // Open MPI looks first and fetches from the network afterwards: what one call brings in, only the
    // next one finds. With one look, every message would wait for two polls (measured: 5.2 ms there and
    // back instead of 1.3).
    for (int looks = 0; looks < 2 && found == 0; ++looks)
      check_mpi(MPI_Improbe(MPI_ANY_SOURCE, k_tag, m_communicator, &found, &handle, &status), "MPI_Improbe");
    if (found == 0) return std::nullopt;
    int size = 0;
    check_mpi(MPI_Get_count(&status, MPI_BYTE, &size), "MPI_Get_count");
    if (size < 0 || static_cast<std::size_t>(size) > k_max_message_bytes)
      throw Fatal("message from rank " + std::to_string(status.MPI_SOURCE) + ": longer than any message is");
    Bytes frame(static_cast<std::size_t>(size));
    check_mpi(MPI_Mrecv(frame.data(), size, MPI_BYTE, &handle, &status), "MPI_Mrecv");
    return std::pair{status.MPI_SOURCE, std::move(frame)};
  }

  /// Return whether every send has left this process.
  bool flushed() {
    complete_sends();
    return m_pending.empty();
  }

 private:
  struct Pending {
    Bytes frame;
    MPI_Request request = MPI_REQUEST_NULL;
  };

  void complete_sends() {
    for (auto it = m_pending.begin(); it != m_pending.end();) {
      auto& frames = it->second;
      while (!frames.empty() && is_done(frames.front())) frames.pop_front();
      it = frames.empty() ? m_pending.erase(it) : std::next(it);
    }
  }

  static bool is_done(Pending& pending) {
    int done = 0;
    check_mpi(MPI_Test(&pending.request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    return done != 0;
  }

  MPI_Comm m_communicator;
  // By the rank that is to take them, each in order, mostly: what others have taken must not pile up behind a rank that
  // stands still. Lists: a frame must not move while MPI reads it.
  std::map<int, std::list<Pending>> m_pending;
};

/// Poll `take` until it has something, `timeout` is over, or somebody woke us.
template <class Take>
std::optional<Envelope> poll_for_message(Take take, Waker& waker, PollPace& pace, Duration timeout) {
  const TimePoint deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    if (auto frame = take()) {
      pace.quicken();
      return Envelope{frame->first, decode_or_throw(frame->second, frame->first)};
    }
    const Duration left = deadline - std::chrono::steady_clock::now();
    if (left <= Duration::zero()) return std::nullopt;
    if (waker.wait(std::min(pace.interval(), left))) {
      pace.quicken();
      if (auto frame = take()) return Envelope{frame->first, decode_or_throw(frame->second, frame->first)};
      return std::nullopt;
    }
    pace.waited_in_vain();
  }
}

/// Wait until the peer's MPI has taken over what we sent; bounded, since a peer may be gone.
void flush(MpiFrames& frames, Waker& waker) {
  const TimePoint deadline = std::chrono::steady_clock::now() + 5s;
  while (!frames.flushed() && std::chrono::steady_clock::now() < deadline) waker.wait(k_poll_longest);
}

class MpiWorkerChannel final : public Channel {
 public:
  explicit MpiWorkerChannel(MPI_Comm communicator) : m_frames(communicator) {}
  ~MpiWorkerChannel() override { flush(m_frames, m_waker); }
  MpiWorkerChannel(const MpiWorkerChannel&) = delete;
  MpiWorkerChannel& operator=(const MpiWorkerChannel&) = delete;

  void send(WorkerId, const Message& message) override {
    m_frames.send(0, encode(message));
    m_pace.quicken();
  }
  std::optional<Envelope> receive(Duration timeout) override {
    return poll_for_message([this] { return m_frames.take(); }, m_waker, m_pace, timeout);
  }
  void wake() override { m_waker.wake(); }

 private:
  Waker m_waker;
  MpiFrames m_frames;
  PollPace m_pace;
};

class MpiDispatcherChannel final : public Channel {
 public:
  explicit MpiDispatcherChannel(MPI_Comm communicator) : m_frames(communicator), m_worker0(0, m_mailbox) {}
  ~MpiDispatcherChannel() override { flush(m_frames, m_mailbox.waker()); }
  MpiDispatcherChannel(const MpiDispatcherChannel&) = delete;
  MpiDispatcherChannel& operator=(const MpiDispatcherChannel&) = delete;

  void send(WorkerId peer, const Message& message) override {
    if (peer == 0)
      m_worker0.mailbox().put(0, encode(message));
    else
      m_frames.send(peer, encode(message));
    m_pace.quicken();
  }
  std::optional<Envelope> receive(Duration timeout) override {
    const auto take = [this]() -> std::optional<std::pair<int, Bytes>> {
      if (auto local = m_mailbox.take()) return local;
      return m_frames.take();
    };
    return poll_for_message(take, m_mailbox.waker(), m_pace, timeout);
  }
  void wake() override { m_mailbox.waker().wake(); }
  Channel& local_worker() { return m_worker0; }

 private:
  MpiFrames m_frames;
  Mailbox m_mailbox;
  LocalWorkerEnd m_worker0;
  PollPace m_pace;
};

}  // namespace

std::unique_ptr<Channel> make_mpi_worker_channel(MPI_Comm communicator) {
  return std::make_unique<MpiWorkerChannel>(communicator);
}

std::unique_ptr<Channel> make_mpi_dispatcher_channel(MPI_Comm communicator, Channel*& local_worker) {
  auto channel = std::make_unique<MpiDispatcherChannel>(communicator);
  local_worker = &channel->local_worker();
  return channel;
}

}  // namespace lhsm::comm
