// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/cli/control_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
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

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Return whether it was understood.
bool take_control(std::string_view name, std::string_view value, Controls& controls) {
  if (name == "bandwidth") {
    const auto size = parse_size(value, k_MiB);
    if (size) controls.bandwidth = *size;
    return size.has_value();
  }
  if (name == "max-files-per-second") return (controls.files_per_second = parse_number(value)).has_value();
  if (name != "limit-action") return false;
  const auto limits = parse_action_limits(value);
  if (limits) controls.action_limits = *limits;
  return limits.has_value();
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

Outcome<ActionLimits> parse_action_limits(std::string_view text) {
  constexpr std::array<std::string_view, 5> k_actions{"archive", "restore", "release", "remove", "import"};
  ActionLimits limits;
  for (std::string_view left = text; !left.empty();) {
    const auto end = std::min(left.find(','), left.size());
    const std::string_view part = left.substr(0, end);
    left.remove_prefix(end);
    const auto equals = std::min(part.find('='), part.size());
    const auto action = trim(part.substr(0, equals));
    const auto number = parse_number(trim(part.substr(std::min(equals + 1, part.size()))));
    const bool ends_well = left.empty() || left.size() > 1;  // no comma at the end
    if (std::find(k_actions.begin(), k_actions.end(), action) == k_actions.end() || !number || !ends_well)
      return failure(ErrorKind::invalid, EINVAL, "read limits of actions", text);
    left.remove_prefix(std::min<std::size_t>(left.size(), 1));
    if (*number > 0)
      limits.insert_or_assign(std::string(action), static_cast<std::size_t>(*number));
    else
      limits.erase(std::string(action));
  }
  return limits;
}

Outcome<Controls> parse_controls(std::string_view text) {
  Controls controls;
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#') continue;
    const auto equals = std::min(line.find('='), line.size());
    if (!take_control(trim(line.substr(0, equals)), trim(line.substr(std::min(equals + 1, line.size()))), controls))
      return failure(ErrorKind::invalid, EINVAL, "read controls", fmt::format("line {}: '{}'", number, line));
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
