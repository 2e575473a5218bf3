// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/report/event_fifo.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>
#include <tuple>

namespace lhsm::report {

namespace {

using Json = nlohmann::ordered_json;

Json begin_line(std::string_view type, std::time_t when) {
  std::tm parts{};
  ::localtime_r(&when, &parts);
  std::array<char, 40> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%d %T %z", &parts);
  Json line;
  line["event_time"] = std::string(text.data(), length);
  line["event_type"] = type;
  return line;
}

/// Names are bytes, JSON is UTF-8: what is none is replaced.
std::string text_of(const Json& line) { return line.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string_view suffix_of(comm::EventKind kind) {
  switch (kind) {
    case comm::EventKind::start: return "_START";
    case comm::EventKind::running: return "_RUNNING";
    case comm::EventKind::finish: return "_FINISH";
    case comm::EventKind::cancel: return "_CANCEL";
    case comm::EventKind::error: break;
  }
  return "_ERROR";
}

}  // namespace

std::string event_line(const comm::Event& event, std::time_t when) {
  Json line = begin_line(std::string(to_string(event.action)).append(suffix_of(event.kind)), when);
  const bool running = event.kind == comm::EventKind::running;
  if (running) line["current_bytes"] = event.current;
  if (running || event.kind == comm::EventKind::start) {
    line["total_bytes"] = event.total;
    line["lustre_path"] = event.path;
  }
  if (event.kind == comm::EventKind::error) {
    line["error"] = std::strerror(event.sys_errno);
    line["errno"] = event.sys_errno;
  }
  line["source_fid"] = event.source.str();
  line["data_fid"] = event.data.str();
  std::string text = text_of(line);
  if (text.size() + 1 > PIPE_BUF) {  // a very long path; the FID names the file as well
    line["lustre_path"] = "";
    text = text_of(line);
  }
  return text;
}

std::string registration_line(bool registered, std::size_t archives, const std::string& mount_point,
                              const std::string& uuid, std::time_t when) {
  Json line = begin_line(registered ? "REGISTER" : "UNREGISTER", when);
  line["archive"] = archives;
  line["mount_point"] = mount_point;
  line["uuid"] = uuid;
  return text_of(line);
}

Outcome<std::unique_ptr<EventFifo>> EventFifo::open(std::string path) {
  constexpr mode_t k_mode = 0644;
  const bool made = ::mkfifo(path.c_str(), k_mode) == 0;
  if (!made) {
    if (errno != EEXIST) return errno_error("mkfifo", path);
    struct stat there {};
    if (::stat(path.c_str(), &there) != 0) return errno_error("stat", path);
    if (!S_ISFIFO(there.st_mode) || (there.st_mode & 0777U) != k_mode)
      return errno_error("use as event fifo what is no fifo of mode 0644,", path, EEXIST);
  }
  // An open for writing would fail without a reader, so there is one for as long as it takes.
  const Fd reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  Fd writer;
  if (reader) writer = Fd(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  if (!writer) {
    const int error = errno;
    if (made) std::ignore = ::unlink(path.c_str());
    return errno_error("open event fifo", path, error);
  }
  std::ignore = std::signal(SIGPIPE, SIG_IGN);
  return std::unique_ptr<EventFifo>(new EventFifo(std::move(path), std::move(writer), made));
}

EventFifo::~EventFifo() {
  if (m_made) std::ignore = ::unlink(m_path.c_str());
}

void EventFifo::write(std::string line) {
  line += '\n';
  const std::lock_guard lock(m_mutex);
  // EPIPE: nobody reads. EAGAIN: somebody who is too slow. A line of up to PIPE_BUF goes whole or not.
  if (line.size() > PIPE_BUF || ::write(*m_fd, line.data(), line.size()) < 0) ++m_lost;
}

std::uint64_t EventFifo::lost() const {
  const std::lock_guard lock(m_mutex);
  return m_lost;
}

}  // namespace lhsm::report
