// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/agent_pipes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iterator>

namespace lhsm::emulator {

Status AgentPipes::add(std::string_view agent, pid_t pid, Fd pipe) {
  const int flags = ::fcntl(*pipe, F_GETFL);
  if (flags < 0 || ::fcntl(*pipe, F_SETFL, flags | O_NONBLOCK) != 0) return errno_error("register", agent);
  struct stat st {};
  if (::fstat(*pipe, &st) != 0) return errno_error("register", agent);
  // The pipe of somebody who left and has not read everything yet: nothing may overtake that.
  for (Pipe& known : m_pipes)
    if (known.has_left && known.inode == st.st_ino) {
      known.agent = agent;
      known.pid = pid;
      known.has_left = false;
      return {};
    }
  Pipe entry;
  entry.agent = agent;
  entry.pid = pid;
  entry.inode = st.st_ino;
  entry.fd = std::move(pipe);
  m_pipes.push_back(std::move(entry));
  return {};
}

void AgentPipes::remove(std::string_view agent, pid_t pid) {
  for (auto it = m_pipes.begin(); it != m_pipes.end();) {
    if (it->agent == agent && it->pid == pid) {
      it->has_left = true;
      if (it->queue.empty()) {
        it = m_pipes.erase(it);
        continue;
      }
    }
    ++it;
  }
}

AgentPipes::Drain AgentPipes::drain(Pipe& pipe) {
  while (!pipe.queue.empty()) {
    const auto& message = pipe.queue.front();
    const auto size = ::write(*pipe.fd, message.data() + pipe.offset, message.size() - pipe.offset);
    if (size < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN ? Drain::waiting : Drain::broken;
    }
    pipe.offset += static_cast<std::size_t>(size);
    if (pipe.offset < message.size()) continue;
    pipe.queue.pop_front();
    pipe.offset = 0;
  }
  return Drain::empty;
}

bool AgentPipes::settle(std::list<Pipe>::iterator it) {
  const bool was_waiting = it->offset != 0 || it->queue.size() > 1;
  switch (drain(*it)) {
    case Drain::empty:
      m_watch(*it->fd, false);
      if (!it->has_left) return true;
      m_pipes.erase(it);
      return false;
    case Drain::waiting:
      if (!was_waiting || it->queue.size() == 1) m_watch(*it->fd, true);
      return true;
    case Drain::broken:
      m_watch(*it->fd, false);
      m_pipes.erase(it);
      return false;
  }
  return false;
}

bool AgentPipes::deliver(const std::string& agent, const std::string& message) {
  bool delivered = false;
  for (auto it = m_pipes.begin(); it != m_pipes.end();) {
    const auto next = std::next(it);
    if (it->agent == agent && !it->has_left) {
      it->queue.push_back(message);
      // A queue that waits already is written on when its pipe can take more.
      delivered = (it->queue.size() > 1 || settle(it)) || delivered;
    }
    it = next;
  }
  return delivered;
}

bool AgentPipes::flush(int pipe_fd) {
  for (auto it = m_pipes.begin(); it != m_pipes.end(); ++it)
    if (*it->fd == pipe_fd) return settle(it);
  return false;
}

void AgentPipes::shut_down() {
  abi::kuc_hdr header{};
  header.kuc_magic = abi::KUC_MAGIC;
  header.kuc_transport = abi::KUC_TRANSPORT_GENERIC;
  header.kuc_msgtype = abi::KUC_MSG_SHUTDOWN;
  header.kuc_msglen = sizeof header;
  for (auto it = m_pipes.begin(); it != m_pipes.end();) {
    const auto next = std::next(it);
    it->queue.emplace_back(reinterpret_cast<const char*>(&header), sizeof header);
    settle(it);
    it = next;
  }
}

}  // namespace lhsm::emulator
