// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/pages/output.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

namespace lhsm::pages {

namespace {

constexpr std::size_t k_buffer_bytes = std::size_t{1} << 20U;

}  // namespace

Outcome<Output> Output::open(const std::string& path) {
  if (path.empty() || path == "-") {
    Fd fd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
    if (!fd) return errno_error("dup", "standard output");
    return Output(std::move(fd));
  }
  LHSM_TRY_ASSIGN(auto file, ReplacementFile::create(path));
  return Output(std::move(file));
}

Status Output::write(std::string_view text) {
  m_buffer += text;
  return m_buffer.size() >= k_buffer_bytes ? flush() : Status();
}

Status Output::flush() {
  LHSM_TRY(m_file ? m_file->write(m_buffer) : write_all(*m_standard_output, m_buffer, "standard output"));
  m_buffer.clear();
  return {};
}

Status Output::finish() {
  LHSM_TRY(flush());
  return m_file ? m_file->finish() : Status();
}

}  // namespace lhsm::pages
