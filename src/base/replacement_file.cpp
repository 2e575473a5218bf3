// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/replacement_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace lhsm {

ReplacementFile::ReplacementFile(std::string path)
    : m_path(std::move(path)), m_temporary(fmt::format("{}.tmp-{}", m_path, ::getpid())) {}

ReplacementFile::ReplacementFile(ReplacementFile&& other) noexcept
    : m_path(std::move(other.m_path)), m_temporary(std::exchange(other.m_temporary, {})), m_file(std::move(other.m_file)) {}

ReplacementFile& ReplacementFile::operator=(ReplacementFile&& other) noexcept {
  if (this == &other) return *this;
  discard();
  m_path = std::move(other.m_path);
  m_temporary = std::exchange(other.m_temporary, {});
  m_file = std::move(other.m_file);
  return *this;
}

ReplacementFile::~ReplacementFile() { discard(); }

void ReplacementFile::discard() noexcept {
  if (m_file && !m_temporary.empty()) ::unlink(m_temporary.c_str());
}

/// For /dev/null, a pipe, a terminal: what is not a file's text has no place that another could take.
Outcome<ReplacementFile> ReplacementFile::write_through(std::string path) {
  ReplacementFile made(std::move(path));
  made.m_temporary.clear();
  // A fifo that nobody reads must not hold us.
  made.m_file = Fd(::open(made.m_path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!made.m_file || ::fcntl(*made.m_file, F_SETFL, 0) != 0) return errno_error("open", made.m_path);
  return made;
}

Outcome<ReplacementFile> ReplacementFile::create(std::string path) {
  struct stat there {};
  if (::stat(path.c_str(), &there) == 0 && (S_ISCHR(there.st_mode) || S_ISFIFO(there.st_mode))) return write_through(std::move(path));
  if (::lstat(path.c_str(), &there) == 0 && (S_ISBLK(there.st_mode) || S_ISSOCK(there.st_mode))) return errno_error("replace", path, EINVAL);
  ReplacementFile made(std::move(path));
  const std::string& name = made.m_temporary;
  if (::unlink(name.c_str()) != 0 && errno != ENOENT) return errno_error("unlink", name);
  made.m_file = Fd(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!made.m_file) return errno_error("open", name);
  return made;
}

Status ReplacementFile::write(std::string_view bytes) { return write_all(*m_file, bytes, m_path); }

Status ReplacementFile::finish(Durability durability) {
  if (m_temporary.empty()) return m_file.close(m_path);
  if (durability == Durability::synced && ::fsync(*m_file) != 0) return errno_error("fsync", m_path);
  // Where it closes with an error, as NFS does on a full disk, the old text stays.
  const Status closed = m_file.close(m_path);
  const std::string temporary = std::exchange(m_temporary, {});
  if (closed && ::rename(temporary.c_str(), m_path.c_str()) == 0) return {};
  const Status failed = closed ? Status(errno_error("rename to", m_path)) : closed;
  ::unlink(temporary.c_str());
  return failed;
}

Status write_all(int fd, std::string_view bytes, const std::string& subject) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno_error("write", subject);
    if (written == 0) return errno_error("write", subject, EIO);  // else it would be tried for ever
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace lhsm
