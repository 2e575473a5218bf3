// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/cli/control_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <tuple>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/base/size.hpp"

namespace lhsm::cli {

namespace {

using namespace std::chrono_literals;

constexpr auto k_interval = 1s;  // inotify would not see what other clients of a network file system write
constexpr std::size_t k_longest = 4096;

std::string_view trim(std::string_view text) {
  constexpr std::string_view k_blanks = " \t\r";
  const auto begin = std::min(text.find_first_not_of(k_blanks), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(k_blanks) + 1);
}

class ControlFile {
 public:
  ControlFile(std::string path, std::function<void(const Controls&)> apply)
      : m_path(std::move(path)), m_apply(std::move(apply)) {}

  void look() {
    const Fd file(::open(m_path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (!file || ::fstat(*file, &status) != 0 || !S_ISREG(status.st_mode)) return;
    const State now{status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
    if (now == m_state) return;
    m_state = now;
    std::array<char, k_longest> text{};
    const auto got = ::pread(*file, text.data(), text.size(), 0);
    if (got < 0) {
      log::warning("{}", errno_error("read", m_path).value().describe());
      return;
    }
    const auto controls = parse_controls({text.data(), static_cast<std::size_t>(got)});
    if (controls)
      m_apply(*controls);
    else
      log::warning("{}: nothing of it is heeded: {}", m_path, controls.error().describe());
  }

 private:
  using State = std::tuple<ino_t, off_t, time_t, long>;
  std::string m_path;
  std::function<void(const Controls&)> m_apply;
  State m_state{};
};

}  // namespace

Outcome<Controls> parse_controls(std::string_view text) {
  Controls controls;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const auto equals = std::min(line.find('='), line.size());
    const auto size = parse_size(trim(line.substr(std::min(equals + 1, line.size()))), k_MiB);
    if (trim(line.substr(0, equals)) != "bandwidth" || !size)
      return failure(ErrorKind::invalid, EINVAL, "read controls", fmt::format("line {}: '{}'", number, line));
    controls.bandwidth = *size;
  }
  return controls;
}

ControlWatch watch_control_file(const std::string& path, std::function<void(const Controls&)> apply) {
  if (path.empty()) return nullptr;
  auto file = std::make_shared<ControlFile>(path, std::move(apply));
  file->look();
  return std::make_unique<std::jthread>([file](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    while (!stopped.wait_for(lock, stop, k_interval, [&stop] { return stop.stop_requested(); })) file->look();
  });
}

}  // namespace lhsm::cli
