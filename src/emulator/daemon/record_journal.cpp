// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/record_journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "core/wire.hpp"
#include "lhsmtool_mpi/base/log.hpp"

namespace lhsm::emulator {
namespace {

constexpr std::size_t k_images_min = 65536;  ///< below this many a journal is not worth a rewrite

std::uint64_t checksum(std::string_view bytes) {
  std::uint64_t sum = 0xcbf29ce484222325ULL ^ bytes.size();
  for (const char byte : bytes) sum = (sum ^ static_cast<unsigned char>(byte)) * 0x100000001b3ULL;
  return sum;
}

/// A length, a checksum, and the fields.
void append_image(std::string& out, const Record& record) {
  Writer image;
  image.put(record.id).put(record.status).put(record.action).put(record.archive_id).put(record.flags);
  image.put(record.fid).put_struct(record.extent).put(record.cookie).put(record.data);
  image.put(record.changed.time_since_epoch().count());
  Writer framed;
  framed.put(checksum(image.bytes())).put(image.bytes());
  out += framed.bytes();
}

bool read_image(Reader& in, Record& record) {
  const auto sum = in.get<std::uint64_t>();
  const auto bytes = in.get_text();
  if (!in.ok() || checksum(bytes) != sum) return false;
  Reader image(bytes);
  record.id = image.get<RecordId>();
  record.status = image.get<RecordStatus>();
  record.action = image.get<std::uint32_t>();
  record.archive_id = image.get<std::uint32_t>();
  record.flags = image.get<std::uint64_t>();
  record.fid = image.get<Fid>();
  record.extent = image.get_struct<abi::hsm_extent>();
  record.cookie = image.get<std::uint64_t>();
  record.data = image.get_text();
  record.changed = TimePoint(Duration(image.get<Duration::rep>()));
  return image.ok() && image.at_end();
}

Outcome<std::string> read_whole(int mount_fd, const std::string& name) {
  const Fd file(::openat(mount_fd, name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) {
    if (errno == ENOENT) return std::string();
    return errno_error("open", name);
  }
  std::string text;
  std::string buffer(std::size_t{1} << 20U, '\0');
  for (ssize_t got = 0; (got = ::read(*file, buffer.data(), buffer.size())) != 0;) {
    if (got < 0) return errno_error("read", name);
    text.append(buffer, 0, static_cast<std::size_t>(got));
  }
  return text;
}

Status write_whole(int fd, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const auto size = ::write(fd, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno_error("write", name);
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return {};
}

}  // namespace

Outcome<RecordJournal> RecordJournal::open(int mount_fd, std::uint32_t mdt, TimePoint now,
                                           std::vector<Record>& records) {
  RecordJournal journal;
  journal.m_mount_fd = mount_fd;
  journal.m_name = ".lustre/hsm_actions." + std::to_string(mdt);
  LHSM_TRY_ASSIGN(const auto text, read_whole(mount_fd, journal.m_name));
  std::map<RecordId, Record> by_id;
  TimePoint latest = TimePoint::min();
  Reader in(text);
  for (Record record; !in.at_end() && read_image(in, record); by_id[record.id] = record)
    latest = std::max(latest, record.changed);
  if (!in.at_end()) log::info("{}: the end was cut off by a kill", journal.m_name);
  RequestLog log;
  records.clear();
  for (auto& [id, record] : by_id) {
    record.changed += now - latest;
    log.restore(record);
    records.push_back(std::move(record));
  }
  LHSM_TRY(journal.rewrite(log));
  return journal;
}

void RecordJournal::add(const Record& record) {
  append_image(m_unwritten, record);
  ++m_images;
}

Status RecordJournal::flush(const RequestLog& log) {
  if (m_unwritten.empty()) return {};
  if (m_is_torn || (m_images > k_images_min && m_images > 8 * log.all().size())) return rewrite(log);
  // Half an image in the middle would hide all that follows.
  m_is_torn = true;
  LHSM_TRY(write_whole(*m_file, m_unwritten, m_name));
  m_is_torn = false;
  m_unwritten.clear();
  return {};
}

Status RecordJournal::rewrite(const RequestLog& log) {
  m_unwritten.clear();
  m_images = 0;
  m_is_torn = true;
  for (const auto& [id, record] : log.all()) add(record);
  const auto fresh = m_name + ".new";
  m_file = Fd(::openat(m_mount_fd, fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  if (!m_file) return errno_error("open", fresh);
  LHSM_TRY(write_whole(*m_file, m_unwritten, fresh));
  if (::renameat(m_mount_fd, fresh.c_str(), m_mount_fd, m_name.c_str()) != 0) return errno_error("rename", m_name);
  m_is_torn = false;
  m_unwritten.clear();
  return {};
}

}  // namespace lhsm::emulator
