// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/scan/failed_names.hpp"

#include "lhsmtool_mpi/base/log.hpp"

namespace lhsm::scan {

namespace {

constexpr std::size_t k_write_bytes = std::size_t{256} << 10;

}  // namespace

Status FailedNames::open(const std::string& path) {
  LHSM_TRY_ASSIGN(m_file, ReplacementFile::create(path));
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
  LHSM_TRY(m_file->write(m_text));
  m_text.clear();
  return {};
}

Status FailedNames::finish() {
  if (!m_file) return {};
  LHSM_TRY(m_status);
  LHSM_TRY(write_out());
  LHSM_TRY(m_file->finish());
  if (m_left_out > 0) log::warning("{}: {} names with line ends are left out; --null keeps them", m_file->path(), m_left_out);
  m_file.reset();
  return {};
}

}  // namespace lhsm::scan
