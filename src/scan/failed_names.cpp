// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/scan/failed_names.hpp"

#include <fcntl.h>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/base/new_file.hpp"

namespace lhsm::scan {

namespace {

constexpr std::size_t k_write_bytes = std::size_t{256} << 10;

}  // namespace

FailedNames::~FailedNames() {
  if (!m_temporary.empty()) ::unlink(m_temporary.c_str());
}

Status FailedNames::open(const std::string& path) {
  const std::string temporary = path + ".tmp";
  LHSM_TRY_ASSIGN(m_file, make_new_file(temporary));
  m_path = path;
  m_temporary = temporary;
  return {};
}

void FailedNames::add(std::string_view names) {
  if (!m_file) return;
  while (!names.empty()) {
    const auto end = std::min(names.find('\0'), names.size());
    const std::string_view name = names.substr(0, end);
    names.remove_prefix(std::min(end + 1, names.size()));
    if (name.find(m_separator) != std::string_view::npos) {
      ++m_left_out;
      continue;
    }
    m_text.append(name).push_back(m_separator);
  }
  if (m_text.size() >= k_write_bytes && m_status) m_status = write_out();
}

Status FailedNames::write_out() {
  for (std::string_view left = m_text; !left.empty();) {
    const ssize_t n = ::write(*m_file, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("write", m_temporary);
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  m_text.clear();
  return {};
}

Status FailedNames::finish() {
  if (!m_file) return {};
  LHSM_TRY(m_status);
  LHSM_TRY(write_out());
  if (::fsync(*m_file) != 0) return errno_error("fsync", m_temporary);
  if (::rename(m_temporary.c_str(), m_path.c_str()) != 0) return errno_error("rename", m_path);
  m_temporary.clear();
  m_file.reset();
  if (m_left_out > 0) log::warning("{}: {} names with line ends are left out; --null keeps them", m_path, m_left_out);
  return {};
}

}  // namespace lhsm::scan
