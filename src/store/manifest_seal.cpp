// SPDX-License-Identifier: LGPL-2.1-or-later
#include "manifest_seal.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

#include "checksum.hpp"
#include "lhsmtool_mpi/store/manifest.hpp"
#include "read_at.hpp"

namespace lhsm::store {

namespace {

constexpr std::string_view k_magic = "lhsmtool_mpi manifest\n";

Outcome<std::uint64_t> checksum_of(int fd, std::uint64_t bytes, const std::string& path) {
  Checksum checksum;
  std::vector<std::byte> buffer(std::size_t{4} << 20U);
  for (std::uint64_t offset = k_seal_bytes; offset < bytes;) {
    const auto want = std::min<std::uint64_t>(buffer.size(), bytes - offset);
    LHSM_TRY_ASSIGN(const std::size_t got, read_at(fd, std::span(buffer).first(want), offset, path));
    if (got < want) return corrupt(path, fmt::format("cut short at {} of {} bytes", offset + got, bytes));
    checksum.add(std::span(buffer).first(got));
    offset += got;
  }
  return checksum.value();
}

std::string seal_text(const ManifestSeal& seal) {
  std::string text =
      fmt::format("{}version {}\nuuid {}\ngeneration {}\nbytes {}\nxxh3 {:016x}\n", k_magic, k_manifest_version,
                  seal.identity.uuid_text(), seal.identity.generation, seal.bytes, seal.checksum);
  text += fmt::format("seal {:016x}\n", checksum(std::as_bytes(std::span(text))));
  text.resize(k_seal_bytes, '\0');
  return text;
}

/// Cut "<name> <value>\n" off `text` and return the value.
std::optional<std::string_view> cut(std::string_view& text, std::string_view name) {
  const auto end = text.find('\n');
  if (!text.starts_with(name) || end == std::string_view::npos || end <= name.size()) return std::nullopt;
  const auto value = text.substr(name.size() + 1, end - name.size() - 1);
  text.remove_prefix(end + 1);
  return value;
}

template <class T>
bool number(std::optional<std::string_view> text, int base, T& value) {
  if (!text || text->empty()) return false;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value, base);
  return error == std::errc{} && end == text->data() + text->size();
}

bool parse_uuid(std::optional<std::string_view> text, ManifestIdentity& identity) {
  if (!text || text->size() != 2 * identity.uuid.size()) return false;
  for (std::size_t i = 0; i < identity.uuid.size(); ++i)
    if (!number(text->substr(2 * i, 2), 16, identity.uuid[i])) return false;
  return true;
}

}  // namespace

bool looks_like_manifest(int fd) {
  std::array<char, k_magic.size()> head{};
  return ::pread(fd, head.data(), head.size(), 0) == static_cast<ssize_t>(head.size()) &&
         std::string_view(head.data(), head.size()) == k_magic;
}

Failure corrupt(const std::string& path, const std::string& why) {
  return failure(ErrorKind::corrupt, EBADMSG, "read", path + ": " + why);
}

Status write_seal(int fd, const ManifestIdentity& identity, const std::string& path, Disk& disk) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return errno_error("stat", path);
  ManifestSeal seal{identity, static_cast<std::uint64_t>(status.st_size), 0};
  LHSM_TRY_ASSIGN(seal.checksum, checksum_of(fd, seal.bytes, path));
  const std::string text = seal_text(seal);
  return disk.write_at(fd, std::as_bytes(std::span(text)), 0, path);
}

Outcome<ManifestSeal> read_seal(int fd, const std::string& path) {
  std::string bytes(k_seal_bytes, '\0');
  LHSM_TRY_ASSIGN(const std::size_t got, read_at(fd, std::as_writable_bytes(std::span(bytes)), 0, path));
  std::string_view rest = std::string_view(bytes).substr(0, got);
  if (!rest.starts_with(k_magic)) return failure(ErrorKind::invalid, EINVAL, "read", path + ": not a manifest");
  rest.remove_prefix(k_magic.size());
  std::uint32_t version = 0;
  if (!number(cut(rest, "version"), 10, version)) return corrupt(path, "its head is damaged");
  if (version != k_manifest_version) {
    return failure(
        ErrorKind::unsupported, EOPNOTSUPP, "read",
        fmt::format("{}: a manifest of format {}, this program knows {}", path, version, k_manifest_version));
  }
  ManifestSeal seal;
  const bool parsed = parse_uuid(cut(rest, "uuid"), seal.identity) &&
                      number(cut(rest, "generation"), 10, seal.identity.generation) &&
                      number(cut(rest, "bytes"), 10, seal.bytes) && number(cut(rest, "xxh3"), 16, seal.checksum);
  if (!parsed || seal_text(seal) != bytes) return corrupt(path, "its head is damaged");
  struct stat status {};
  if (::fstat(fd, &status) != 0) return errno_error("stat", path);
  if (static_cast<std::uint64_t>(status.st_size) != seal.bytes)
    return corrupt(path, fmt::format("has {} bytes instead of {}", status.st_size, seal.bytes));
  return seal;
}

Status verify_seal(int fd, const ManifestSeal& seal, const std::string& path) {
  LHSM_TRY_ASSIGN(const std::uint64_t checksum, checksum_of(fd, seal.bytes, path));
  if (checksum != seal.checksum) return corrupt(path, "was changed or damaged since it was written (checksum)");
  return {};
}

}  // namespace lhsm::store
