// SPDX-License-Identifier: LGPL-2.1-or-later
#include "surroundings.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "lhsmtool_mpi/comm/mpi_session.hpp"

namespace lhsm::cli {

report::Style progress_style() {
  if (::isatty(STDOUT_FILENO) == 0) return report::Style::lines;
  if (!comm::started_by_launcher()) return report::Style::live;
  std::error_code ec;
  const auto target = std::filesystem::read_symlink(fmt::format("/proc/{}/fd/1", ::getppid()), ec).string();
  const bool terminal = !ec && (target.starts_with("/dev/pts/") || target.starts_with("/dev/tty"));
  return terminal ? report::Style::live : report::Style::lines;
}

}  // namespace lhsm::cli
