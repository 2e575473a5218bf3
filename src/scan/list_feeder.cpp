// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/scan/list_feeder.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <utility>
#include <vector>

#include "lhsmtool_mpi/scan/entry_list.hpp"
#include "names.hpp"

namespace lhsm::scan {

namespace {

constexpr std::uint64_t k_lines_per_task = 256;
constexpr std::size_t k_bytes_per_task = 65536;
constexpr std::size_t k_most_tasks = 256;
constexpr std::size_t k_most_problems = 128;
constexpr std::size_t k_read_bytes = std::size_t{256} << 10;

}  // namespace

ListFeeder::ListFeeder(Fd list, char separator, std::string base, std::function<void()> notify)
    : m_list(std::move(list)), m_notify(std::move(notify)), m_stop(::eventfd(0, EFD_CLOEXEC)) {
  if (!m_stop) throw Fatal(errno_error("eventfd", "list").value());
  m_filling.kind = comm::ScanTaskKind::lines;
  m_filling.directory = std::move(base);
  m_thread = std::jthread([this, separator] { run(separator); });
}

ListFeeder::~ListFeeder() {
  {
    const std::lock_guard lock(m_mutex);
    m_stopping = true;
  }
  std::ignore = ::eventfd_write(*m_stop, 1);
  m_room.notify_all();
}

std::optional<comm::ScanTask> ListFeeder::next() {
  std::optional<comm::ScanTask> task;
  {
    const std::lock_guard lock(m_mutex);
    if (m_tasks.empty()) return std::nullopt;
    task = std::move(m_tasks.front());
    m_tasks.pop_front();
  }
  m_room.notify_one();
  return task;
}

comm::ScanFound ListFeeder::take_refused() {
  const std::lock_guard lock(m_mutex);
  return std::exchange(m_refused, {});
}

Outcome<bool> ListFeeder::is_finished() const {
  const std::lock_guard lock(m_mutex);
  if (m_error) return Failure(*m_error);
  return m_finished && m_tasks.empty();
}

void ListFeeder::run(char separator) {
  LineSplitter splitter(separator);
  std::vector<char> buffer(k_read_bytes);
  std::optional<Error> error;
  const auto take = [this](std::string_view line) { take_line(line); };
  for (;;) {
    const auto readable = wait_readable();
    if (!readable) error = readable.error();
    if (!readable || !*readable) break;
    const ssize_t size = ::read(*m_list, buffer.data(), buffer.size());
    if (size < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (size < 0) error = errno_error("read", "list").value();
    if (size <= 0) break;
    splitter.add({buffer.data(), static_cast<std::size_t>(size)}, take);
    hand_on();  // a slow writer's lines need not wait for more
  }
  if (!error) {
    splitter.finish(take);
    hand_on();
  }
  {
    const std::lock_guard lock(m_mutex);
    m_error = error;
    m_finished = true;
  }
  m_notify();
}

Outcome<bool> ListFeeder::wait_readable() const {
  std::array<pollfd, 2> events{{{*m_list, POLLIN, 0}, {*m_stop, POLLIN, 0}}};
  while (::poll(events.data(), events.size(), -1) < 0)
    if (errno != EINTR) return errno_error("poll", "list");
  return events[1].revents == 0;
}

void ListFeeder::take_line(std::string_view line) {
  // NULs separate the lines of a task. A line with one inside names nothing.
  if (line.find('\0') != std::string_view::npos) {
    const std::lock_guard lock(m_mutex);
    ++m_refused.failed_lines;
    if (m_refused.problems.size() < k_most_problems)
      m_refused.problems.push_back(
          {ErrorKind::invalid, EINVAL, "read list entry with a NUL", std::string(line.substr(0, line.find('\0')))});
    return;
  }
  add_name(m_filling, line);
  if (m_filling.count >= k_lines_per_task || m_filling.names.size() >= k_bytes_per_task) hand_on();
}

void ListFeeder::hand_on() {
  if (m_filling.count == 0) return;
  comm::ScanTask empty;
  empty.kind = m_filling.kind;
  empty.directory = m_filling.directory;
  {
    std::unique_lock lock(m_mutex);
    m_room.wait(lock, [this] { return m_stopping || m_tasks.size() < k_most_tasks; });
    m_tasks.push_back(std::exchange(m_filling, std::move(empty)));
  }
  m_notify();
}

}  // namespace lhsm::scan
