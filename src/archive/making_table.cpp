// SPDX-License-Identifier: LGPL-2.1-or-later
#include "making_table.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tuple>

#include "lhsmtool_mpi/copy/fd_bytes.hpp"
#include "object_place.hpp"

namespace lhsm::archive {

Making::~Making() {
  if (m_table != nullptr) m_table->give_back(m_slot);
}

void Making::keep() {
  if (m_table == nullptr) return;
  const std::lock_guard lock(m_table->m_mutex);
  m_table->m_keep = true;
  m_table = nullptr;
}

MakingTable::~MakingTable() {
  if (m_file && !m_keep) std::ignore = ::unlinkat(*m_dir, m_name.c_str(), 0);  // an empty one harms nobody
}

Outcome<Making> MakingTable::claim(const Fid& fid) {
  std::size_t slot = 0;
  int file = -1;
  {
    const std::lock_guard lock(m_mutex);
    if (!m_file) LHSM_TRY(open());
    file = *m_file;
    if (m_free.empty()) m_free.push_back(m_slots++);
    slot = m_free.back();
    m_free.pop_back();
  }
  const std::uint64_t number = m_names.next_number();
  Making making(this, slot, m_names.name(number));
  const std::string record = record_text({m_format, fid, number});
  copy::FdSink sink(file, m_tree.full(fmt::format("{}/{}", k_tables_dir, m_name)));
  LHSM_TRY(sink.write_at(std::as_bytes(std::span(record)), k_table_header_bytes + slot * k_record_bytes));
  return making;
}

Outcome<std::string> MakingTable::name() {
  const std::lock_guard lock(m_mutex);
  if (!m_file) LHSM_TRY(open());
  return m_name;
}

void MakingTable::give_back(std::size_t slot) {
  const std::lock_guard lock(m_mutex);
  m_free.push_back(slot);
}

Status MakingTable::open() {
  if (!m_dir) {
    std::vector<Fd> changed;
    LHSM_TRY_ASSIGN(m_dir, m_tree.make_dir(k_tables_dir, changed, Links::none));
  }
  // A starting process that saw the table before it was locked takes it for a dead one's.
  constexpr unsigned k_attempts = 16;
  for (unsigned i = 0; i < k_attempts; ++i) {
    LHSM_TRY_ASSIGN(const bool opened, open_as(fmt::format("{}.{}", m_names.process(), i)));
    if (opened) return {};
  }
  return errno_error("lock", m_tree.full(k_tables_dir), EAGAIN);
}

Outcome<bool> MakingTable::open_as(const std::string& name) {
  const std::string subject = m_tree.full(fmt::format("{}/{}", k_tables_dir, name));
  Fd file(::openat(*m_dir, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return errno_error("create", subject);
  if (lock_table(*file) == TableLock::taken || !is_named(m_dir, name, file)) return false;
  const std::string header = header_text(m_owner);
  if (const Status written = copy::FdSink(*file, subject).write_at(std::as_bytes(std::span(header)), 0); !written) {
    std::ignore = ::unlinkat(*m_dir, name.c_str(), 0);
    return Failure(written.error());
  }
  m_file = std::move(file);
  m_name = name;
  return true;
}

TableLock lock_table(int fd) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(fd, F_OFD_SETLK, &lock) == 0) return TableLock::held;
  return errno == EAGAIN || errno == EACCES ? TableLock::taken : TableLock::unsupported;
}

}  // namespace lhsm::archive
