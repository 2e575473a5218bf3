// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/log.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <poll.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <memory>
#include <mutex>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/base/fold.hpp"
#include "log_text.hpp"

namespace lhsm::log {

namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warning: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
    case Level::off: return spdlog::level::off;
  }
  return spdlog::level::info;
}

/// Writes each line with one call, so that it goes whole into a file that others append to, and into a pipe up to
/// PIPE_BUF.
class LineSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void set_up(const Setup& setup, Fd file) {
    const std::lock_guard lock(mutex_);
    m_setup = setup;
    m_json_host = json_string(setup.host);
    m_file = std::move(file);
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string_view level = spdlog::level::to_string_view(message.level).data();
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(message.time.time_since_epoch()).count();
    const std::tm parts = fmt::localtime(static_cast<std::time_t>(ms / 1000));
    const std::string_view text{message.payload.data(), message.payload.size()};
    std::string offset = fmt::format("{:%z}", parts);
    if (offset.size() == 5) offset.insert(3, 1, ':');  // as RFC 3339 has it
    const auto line = [&](std::string_view name, std::string_view said) {
      return m_setup.format == Format::json
                 ? fmt::format("{{\"time\":\"{:%Y-%m-%dT%H:%M:%S}.{:03}{}\",\"level\":\"{}\",\"host\":{},\"rank\":{},\"message\":{}}}\n",
                               parts, ms % 1000, offset, name, m_json_host, m_setup.rank, json_string(said))
                 : fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03} {}[{}] {} {}\n", parts, ms % 1000, m_setup.host, m_setup.rank, name,
                               one_line(said));
    };
    if (m_lost > 0 && put(line("warning", fmt::format("{} lines of this log could not be written", m_lost)))) m_lost = 0;
    if (m_lost > 0 || !put(line(level, text))) ++m_lost;
  }
  void flush_() override {}

  /// Return whether the line is written whole. On a full disk it may be cut; the next one begins a line of its own.
  bool put(std::string line) {
    const int fd = m_file ? *m_file : STDERR_FILENO;
    if (m_is_cut) line.insert(0, 1, '\n');
    std::string_view rest = line;
    while (!rest.empty()) {
      const ssize_t written = ::write(fd, rest.data(), rest.size());
      if (written > 0) {
        rest.remove_prefix(static_cast<std::size_t>(written));
        m_is_cut = !rest.empty();
      } else if (errno == EAGAIN) {  // whoever gave us stderr may have set it so
        pollfd ready{fd, POLLOUT, 0};
        if (::poll(&ready, 1, -1) < 0 && errno != EINTR) return false;
      } else if (errno != EINTR) {
        return false;
      }
    }
    return true;
  }

  std::uint64_t m_lost = 0;  // lines, since one was written
  bool m_is_cut = false;     // the last one is there in part
  Setup m_setup;
  std::string m_json_host = "\"\"";
  Fd m_file;
};

LineSink& sink() {
  static auto& instance = *new LineSink();  // as the following: threads that outlive main may still write
  return instance;
}

spdlog::logger& logger() {
  static auto& instance = *new spdlog::logger("lhsmtool_mpi", std::shared_ptr<LineSink>(&sink(), [](LineSink*) {}));
  return instance;
}

/// The warnings of all threads.
struct Warnings {
  std::mutex mutex;
  Fold fold;
};

Warnings& warnings() {
  static auto& instance = *new Warnings();
  return instance;
}

void say(const std::vector<Fold::Folded>& folded) {
  for (const Fold::Folded& kind : folded)
    write(Level::warning, fmt::format("{} more {} were not logged, the last one: {}", kind.count,
                                      kind.kind.empty() ? "warnings" : "warnings of this kind", kind.last));
}

}  // namespace

std::string library_version() { return fmt::format("{}.{}.{}", SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH); }

std::string file_of(std::string_view name, std::string_view host, int rank, int ranks) {
  std::string file;
  bool has_rank = false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char next = name[i] == '%' && i + 1 < name.size() ? name[i + 1] : '\0';
    if (next == 'r')
      file += std::to_string(rank);
    else if (next == 'h')
      file += host;
    else
      file += name[i];
    has_rank = has_rank || next == 'r';
    if (next == 'r' || next == 'h' || next == '%') ++i;
  }
  return has_rank || ranks == 1 ? file : fmt::format("{}.{}", file, rank);
}

Status set_up(const Setup& setup) {
  Fd file;
  if (!setup.file.empty()) {
    const std::string path = file_of(setup.file, setup.host, setup.rank, setup.ranks);
    file = Fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
    if (!file) return errno_error("open log file", path);
  }
  sink().set_up(setup, std::move(file));
  logger().set_level(to_spdlog(setup.level));
  return {};
}

void set_up(std::string_view host, int rank, Level level) {
  Setup setup;
  setup.host = host;
  setup.rank = rank;
  setup.level = level;
  static_cast<void>(set_up(setup));  // without a file there is nothing to fail
}

bool enabled(Level level) { return logger().should_log(to_spdlog(level)); }

void write(Level level, std::string_view text) { logger().log(to_spdlog(level), "{}", text); }

void write_warning(std::string_view kind, std::string_view text) {
  pass(std::chrono::steady_clock::now());
  {
    const std::lock_guard lock(warnings().mutex);
    if (!warnings().fold.admit(kind, text)) return;
  }
  write(Level::warning, text);
}

void pass(TimePoint now) {
  const auto folded = [now] {
    const std::lock_guard lock(warnings().mutex);
    return warnings().fold.pass(now);
  }();
  say(folded);
}

void close() {
  const auto folded = [] {
    const std::lock_guard lock(warnings().mutex);
    return warnings().fold.close();
  }();
  say(folded);
}

}  // namespace lhsm::log
