// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/pages/output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "lhsmtool_mpi/base/new_file.hpp"

namespace lhsm::pages {

namespace {

constexpr std::size_t k_buffer_bytes = std::size_t{1} << 20U;

}  // namespace

Outcome<Output> Output::open(const std::string& path) {
  if (path.empty() || path == "-") {
    Fd fd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
    if (!fd) return errno_error("dup", "standard output");
    return Output(std::move(fd), "standard output", "");
  }
  std::string temporary = fmt::format("{}.tmp-{}", path, ::getpid());
  LHSM_TRY_ASSIGN(Fd fd, make_new_file(temporary));
  return Output(std::move(fd), path, std::move(temporary));
}

Output::Output(Output&& other) noexcept
    : m_fd(std::move(other.m_fd)),
      m_path(std::move(other.m_path)),
      m_temporary(std::exchange(other.m_temporary, {})),
      m_buffer(std::move(other.m_buffer)) {}

Output::~Output() {
  if (!m_temporary.empty()) ::unlink(m_temporary.c_str());
}

Status Output::write(std::string_view text) {
  m_buffer += text;
  return m_buffer.size() >= k_buffer_bytes ? flush() : Status();
}

Status Output::flush() {
  std::string_view left = m_buffer;
  while (!left.empty()) {
    const ssize_t n = ::write(*m_fd, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("write", m_path);
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  m_buffer.clear();
  return {};
}

Status Output::finish() {
  LHSM_TRY(flush());
  if (m_temporary.empty()) return {};
  if (::fsync(*m_fd) != 0) return errno_error("fsync", m_path);
  LHSM_TRY(m_fd.close(m_path));
  if (::rename(m_temporary.c_str(), m_path.c_str()) != 0) return errno_error("rename to", m_path);
  m_temporary.clear();
  return {};
}

}  // namespace lhsm::pages
