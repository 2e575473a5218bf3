// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string>

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

/// A '%' in the host's name must not become a pattern flag.
std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(c == '%' ? "%%" : std::string(1, c));
  return out;
}

spdlog::logger& logger() {
  static const auto instance =
      std::make_shared<spdlog::logger>("lhsmtool_mpi", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  return *instance;
}

}  // namespace

std::string library_version() { return fmt::format("{}.{}.{}", SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH); }

void set_up(std::string_view host, int rank, Level level) {
  logger().set_pattern(fmt::format("%Y-%m-%dT%H:%M:%S.%e {}[{}] %l %v", escape(host), rank));
  logger().set_level(to_spdlog(level));
  logger().flush_on(spdlog::level::trace);
}

bool enabled(Level level) { return logger().should_log(to_spdlog(level)); }

void write(Level level, std::string_view text) { logger().log(to_spdlog(level), "{}", text); }

}  // namespace lhsm::log
