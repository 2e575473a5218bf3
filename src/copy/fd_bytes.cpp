// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/copy/fd_bytes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <tuple>

namespace lhsm::copy {

FdSource::FdSource(int fd, std::string subject, Direct direct)
    : m_fd(fd), m_subject(std::move(subject)), m_direct(fd, direct) {}

Outcome<std::size_t> FdSource::read_at(std::span<std::byte> out, std::uint64_t offset) {
  advise_sequential(offset);
  std::size_t done = 0;
  while (done < out.size()) {
    std::byte* const to = out.data() + done;
    const std::size_t length = m_direct.prepare(to, offset + done, out.size() - done);
    const ssize_t got = ::pread(m_fd, to, length, static_cast<off_t>(offset + done));
    if (got < 0) {
      const int error = errno;
      if (error == EINTR || (error == EINVAL && m_direct.refused())) continue;
      return errno_error("pread", m_subject, error);
    }
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  m_next_offset = offset + done;
  return done;
}

/// The second read of a row shows that it is one: a file that is read at once costs no call.
void FdSource::advise_sequential(std::uint64_t offset) {
  if (m_advised || offset == 0 || offset != m_next_offset || m_direct.active()) return;
  m_advised = true;
  std::ignore = ::posix_fadvise(m_fd, 0, 0, POSIX_FADV_SEQUENTIAL);  // advice
}

Outcome<std::optional<Extent>> FdSource::next_data(Extent range) {
  if (range.length == 0) return std::nullopt;
  const off_t data = ::lseek(m_fd, static_cast<off_t>(range.offset), SEEK_DATA);
  if (data < 0) {
    const int error = errno;
    if (error == ENXIO) return hole_or_end(range);
    if (error == EINVAL || error == EOPNOTSUPP || error == ENOSYS) return range;
    return errno_error("lseek SEEK_DATA", m_subject, error);
  }
  const auto begin = static_cast<std::uint64_t>(data);
  if (begin < range.offset) return range;  // a device, which knows neither SEEK_DATA nor that it does not
  if (begin >= range.end()) return std::nullopt;
  const off_t hole = ::lseek(m_fd, data, SEEK_HOLE);
  // A file that was cut in between, or that knows data only: reading tells.
  const std::uint64_t end = hole > data ? std::min(static_cast<std::uint64_t>(hole), range.end()) : range.end();
  return Extent{begin, end - begin};
}

Outcome<std::optional<Extent>> FdSource::hole_or_end(Extent range) const {
  struct stat status {};
  if (::fstat(m_fd, &status) != 0) return errno_error("fstat", m_subject);
  const std::uint64_t end = std::max(static_cast<std::uint64_t>(status.st_size), range.offset);
  if (end >= range.end()) return std::nullopt;
  return Extent{end, range.end() - end};
}

FdSink::FdSink(int fd, std::string subject, Direct direct)
    : m_fd(fd), m_subject(std::move(subject)), m_direct(fd, direct) {}

Status FdSink::write_at(std::span<const std::byte> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const std::size_t length = m_direct.prepare(bytes.data(), offset, bytes.size());
    const ssize_t put = ::pwrite(m_fd, bytes.data(), length, static_cast<off_t>(offset));
    if (put < 0) {
      const int error = errno;
      if (error == EINTR || (error == EINVAL && m_direct.refused())) continue;
      return errno_error("pwrite", m_subject, error);
    }
    if (put == 0) return failure(ErrorKind::io, EIO, "pwrite", m_subject);  // would be tried for ever
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

Status FdSink::sync() {
  if (::fsync(m_fd) != 0) return errno_error("fsync", m_subject);
  return {};
}

void FdSink::start_writeback(Extent range) {
  if (!m_writeback || m_direct.active()) return;
  // Where it is not known once, it is not tried again; an error of the data comes out of sync().
  m_writeback = ::sync_file_range(m_fd, static_cast<off_t>(range.offset), static_cast<off_t>(range.length),
                                  SYNC_FILE_RANGE_WRITE) == 0;
}

}  // namespace lhsm::copy
