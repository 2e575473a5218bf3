// SPDX-License-Identifier: LGPL-2.1-or-later
#include "run_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <ctime>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/cli/build_id.hpp"

namespace lhsm::cli {

Outcome<Fd> lock_pid_file(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return errno_error("open pid file", path);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(*fd, F_SETLK, &lock) != 0) return errno_error("lock pid file", path);
  const std::string text = fmt::format("{}\n", ::getpid());
  if (::ftruncate(*fd, 0) != 0) return errno_error("truncate pid file", path);
  const auto written = ::write(*fd, text.data(), text.size());
  if (written < 0) return errno_error("write pid file", path);
  if (static_cast<std::size_t>(written) != text.size()) return errno_error("write pid file", path, ENOSPC);
  return fd;
}

report::StateFiles::Options state_files_of(const ServeOptions& options) {
  return {options.status_file, options.metrics_file, options.command, options.mount_point, build_identity()};
}

Status RunFiles::open(const ServeOptions& options) {
  if (!options.pid_file.empty()) {
    LHSM_TRY_ASSIGN(m_pid_file, lock_pid_file(options.pid_file));
  }
  if (!options.event_fifo.empty()) {
    LHSM_TRY_ASSIGN(m_fifo, report::EventFifo::open(options.event_fifo));
  }
  return {};
}

void RunFiles::close() {
  if (m_fifo != nullptr && m_fifo->lost() > 0) log::info("{} events had no reader, or a slow one", m_fifo->lost());
  m_fifo.reset();
}

void RunFiles::write(const comm::Event& event) {
  if (m_fifo != nullptr) m_fifo->write(report::event_line(event, std::time(nullptr)));
}

void RunFiles::write(const report::WatchedRegistration::Change& change, lustre::Client& client) {
  if (m_fifo == nullptr) return;
  const std::string uuid = client.agent_uuid().value_or(std::string());
  m_fifo->write(report::registration_line(change.registered, change.archives, client.mount_point(), uuid, std::time(nullptr)));
}

}  // namespace lhsm::cli
