// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/file_copy.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "core/attributes.hpp"

namespace lhsm::emulator {
namespace {

constexpr std::size_t k_buffer = 1 << 20;

Status copy_range(int from, int to, off_t begin, off_t end, std::vector<char>& buffer) {
  for (off_t at = begin; at < end;) {
    const auto want = std::min(static_cast<std::size_t>(end - at), buffer.size());
    const auto got = ::pread(from, buffer.data(), want, at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("read", "volatile file");
    if (got == 0) return {};
    for (ssize_t done = 0; done < got;) {
      const auto put = ::pwrite(to, buffer.data() + done, static_cast<std::size_t>(got - done), at + done);
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return errno_error("write", "restored file");
      done += put;
    }
    at += got;
  }
  return {};
}

bool is_listed(std::string_view names, std::string_view name) {
  for (; !names.empty(); names.remove_prefix(names.find('\0') + 1))
    if (names.substr(0, names.find('\0')) == name) return true;
  return false;
}

/// Remove the xattrs that are not among `names`: those of a volatile are not the file's.
Status remove_others(int to, std::string_view names, const AttributeNames& own) {
  std::vector<char> list(64 * 1024);
  const auto size = ::flistxattr(to, list.data(), list.size());
  if (size < 0) return errno_error("flistxattr", "volatile file");
  for (const char* name = list.data(); name < list.data() + size; name += std::char_traits<char>::length(name) + 1) {
    const std::string_view text(name);
    if (text == own.fid || text == own.hsm || text == own.layout || text.starts_with("security.")) continue;
    if (is_listed(names, text)) continue;
    if (::fremovexattr(to, name) != 0 && errno != ENODATA) return errno_error("removexattr", name);
  }
  return {};
}

}  // namespace

namespace {

Status copy_content(int from, int to, const struct stat& before) {
  struct stat st {};
  if (::fstat(from, &st) != 0) return errno_error("stat", "volatile file");
  // What the file still holds would show through the new content's holes. A released one holds nothing.
  const bool is_hollow = before.st_size == 0 || (::lseek(to, 0, SEEK_DATA) < 0 && errno == ENXIO);
  if (!is_hollow && ::ftruncate(to, 0) != 0) return errno_error("truncate", "restored file");
  if ((!is_hollow || before.st_size != st.st_size) && ::ftruncate(to, st.st_size) != 0)
    return errno_error("truncate", "restored file");
  std::vector<char> buffer(std::clamp<std::size_t>(static_cast<std::size_t>(st.st_size), 1, k_buffer));
  for (off_t at = 0; at < st.st_size;) {
    const off_t data = ::lseek(from, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;
    if (data < 0) return errno_error("seek", "volatile file");
    const off_t hole = ::lseek(from, data, SEEK_HOLE);
    if (hole < 0) return errno_error("seek", "volatile file");
    LHSM_TRY(copy_range(from, to, data, hole, buffer));
    at = hole;
  }
  // A write by anybody but root takes the set-id bits away.
  if ((before.st_mode & (S_ISUID | S_ISGID)) != 0 && ::fchmod(to, before.st_mode & 07777) != 0)
    return errno_error("chmod", "restored file");
  const timespec times[2] = {st.st_atim, st.st_mtim};
  if (::futimens(to, times) != 0) return errno_error("utimes", "restored file");
  return {};
}

}  // namespace

Status replace_content(int from, int to) {
  struct stat before {};
  if (::fstat(to, &before) != 0) return errno_error("stat", "restored file");
  Status copied = copy_content(from, to, before);
  if (copied) return copied;
  // The file stays released: without data, and as old as it was.
  const timespec times[2] = {before.st_atim, before.st_mtim};
  if (::ftruncate(to, 0) != 0 || ::ftruncate(to, before.st_size) != 0 || ::futimens(to, times) != 0)
    return errno_error("empty again", "restored file");
  return copied;
}

Status copy_inode_attributes(const std::string& from_path, int to, const std::string& skip_name_space) {
  struct stat st {};
  if (::stat(from_path.c_str(), &st) != 0) return errno_error("stat", from_path);
  if (::fchmod(to, st.st_mode & 07777) != 0) return errno_error("chmod", from_path);
  std::vector<char> list(64 * 1024);
  const auto size = ::listxattr(from_path.c_str(), list.data(), list.size());
  if (size < 0) return errno == EOPNOTSUPP ? Status{} : errno_error("listxattr", from_path);
  const AttributeNames own(skip_name_space);
  std::vector<char> value(64 * 1024);
  for (const char* name = list.data(); name < list.data() + size; name += std::char_traits<char>::length(name) + 1) {
    const std::string_view text(name);
    if (text == own.fid || text == own.hsm || text == own.layout) continue;
    const auto length = ::getxattr(from_path.c_str(), name, value.data(), value.size());
    if (length < 0) return errno_error("getxattr", name);
    if (::fsetxattr(to, name, value.data(), static_cast<std::size_t>(length), 0) != 0)
      return errno_error("setxattr", name);
  }
  return remove_others(to, {list.data(), static_cast<std::size_t>(size)}, own);
}

}  // namespace lhsm::emulator
