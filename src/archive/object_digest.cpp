// SPDX-License-Identifier: LGPL-2.1-or-later
#include "object_digest.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <array>

#include "lhsmtool_mpi/copy/fd_bytes.hpp"
#include "names.hpp"

namespace lhsm::archive {

namespace {

constexpr std::size_t k_longest = 256;  // longer than any digest with its time

}  // namespace

std::string digest_beside(std::string_view digest, const timespec& mtime) {
  return fmt::format("{} {}.{:09}\n", digest, mtime.tv_sec, mtime.tv_nsec);
}

Outcome<std::optional<copy::ObjectDigest>> read_digest(const Beneath& tree, const std::string& path, int fd) {
  std::array<char, k_longest> value{};
  const auto size = ::fgetxattr(fd, k_digest_xattr, value.data(), value.size());
  if (size >= 0) return copy::ObjectDigest::parse({value.data(), static_cast<std::size_t>(size)});
  if (errno == ERANGE) return std::nullopt;
  if (errno != ENODATA && errno != EOPNOTSUPP && errno != EPERM) return errno_error("fgetxattr", tree.full(path));

  const std::string beside = path + std::string(k_digest_suffix);
  auto file = open_regular(tree, beside, O_RDONLY);
  if (!file && file.error().sys_errno == ENOENT) return std::nullopt;
  if (!file) return Failure(file.error());
  copy::FdSource source(**file, tree.full(beside));
  LHSM_TRY_ASSIGN(const std::size_t got, source.read_at(std::as_writable_bytes(std::span(value)), 0));
  const std::string_view text(value.data(), got);
  const auto digest = text.substr(0, text.find(' '));
  struct stat now {};
  if (::fstat(fd, &now) != 0) return errno_error("fstat", tree.full(path));
  if (text != digest_beside(digest, now.st_mtim)) return std::nullopt;
  return copy::ObjectDigest::parse(digest);
}

}  // namespace lhsm::archive
