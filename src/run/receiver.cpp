// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/receiver.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <iterator>
#include <tuple>

#include "lhsmtool_mpi/base/log.hpp"

namespace lhsm::run {

Receiver::Receiver(lustre::Client& client, const std::vector<std::uint32_t>& archive_ids,
                   std::function<void()> on_arrival)
    : m_client(client), m_on_arrival(std::move(on_arrival)), m_stop(::eventfd(0, EFD_CLOEXEC)) {
  if (!m_stop) throw Fatal(errno_error("eventfd", "receiver").value());
  auto stream = client.register_copytool(archive_ids);
  if (!stream) throw Fatal(stream.error());
  m_stream = std::move(*stream);
  m_thread = std::thread([this] { run(); });
}

Receiver::~Receiver() { stop(); }

void Receiver::stop() {
  if (!m_thread.joinable()) return;
  const std::uint64_t one = 1;
  std::ignore = ::write(*m_stop, &one, sizeof one);  // an eventfd takes it
  m_thread.join();
  m_stream.reset();
}

void Receiver::run() {
  std::array<pollfd, 2> events{{{m_stream->poll_fd(), POLLIN, 0}, {*m_stop, POLLIN, 0}}};
  for (;;) {
    if (::poll(events.data(), events.size(), -1) < 0) continue;  // EINTR
    // What the coordinator has sent counts as received: it is read before the registration ends.
    const bool stopping = events[1].revents != 0;
    auto items = m_stream->receive();
    if (stopping && (!items || items->empty())) return;
    if (!items && items.error().sys_errno == EPROTO) {
      // One list that cannot be read. Its items time out at the coordinator; nothing names them here.
      log::error("a list of actions is lost: {}", items.error().describe());
      if ((events[0].revents & POLLHUP) == 0) continue;
    }
    if (items) {
      for (ActionItem& item : *items) {
        if (const auto mdt = m_client.mdt_index(item.fid); mdt) item.mdt_index = *mdt;
      }
    }
    {
      const std::lock_guard lock(m_mutex);
      if (items)
        m_arrived.insert(m_arrived.end(), std::make_move_iterator(items->begin()), std::make_move_iterator(items->end()));
      else
        m_broken = items.error();
    }
    m_on_arrival();
    if (!items) return;
  }
}

std::vector<ActionItem> Receiver::take() {
  const std::lock_guard lock(m_mutex);
  return std::exchange(m_arrived, {});
}

std::optional<Error> Receiver::broken() const {
  const std::lock_guard lock(m_mutex);
  return m_broken;
}

}  // namespace lhsm::run
