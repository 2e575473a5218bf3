// SPDX-License-Identifier: LGPL-2.1-or-later
#include "journal_frame.hpp"

#include <fmt/format.h>

#include <cstring>

#include "checksum.hpp"
#include "manifest_seal.hpp"
#include "read_at.hpp"

namespace lhsm::store {

namespace {

constexpr std::string_view k_magic = "lhsmjrnl";
constexpr std::uint8_t k_first_of_batch = 1;

template <class T>
void put(std::string& out, std::size_t at, T value) {
  std::memcpy(out.data() + at, &value, sizeof value);
}

template <class T>
T get(std::span<const std::byte> bytes, std::size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// A frame: 0 checksum (8) of all that follows, 8 length (4), 12 type (1), 13 flags (1), 14 check of 8..13 (2),
// 16 payload, filled up with zeros to a multiple of 8.
constexpr std::size_t k_length_at = 8;
constexpr std::size_t k_type_at = 12;
constexpr std::size_t k_flags_at = 13;
constexpr std::size_t k_check_at = 14;

constexpr std::size_t padded(std::size_t bytes) { return (bytes + 7) / 8 * 8; }

std::uint16_t header_check(std::span<const std::byte> header, std::uint64_t seed, std::uint64_t offset) {
  return static_cast<std::uint16_t>(checksum(header.subspan(k_length_at, k_check_at - k_length_at), seed + offset));
}

}  // namespace

std::string base_bytes(const JournalBase& base) {
  std::string bytes(k_base_bytes, '\0');
  std::memcpy(bytes.data(), k_magic.data(), k_magic.size());
  put(bytes, 8, k_journal_version);
  std::memcpy(bytes.data() + 16, base.manifest.uuid.data(), base.manifest.uuid.size());
  put(bytes, 32, base.manifest.generation);
  put(bytes, 40, base.item_count);
  put(bytes, 48, base.journal);
  put(bytes, 56, checksum(std::as_bytes(std::span(bytes)).first(56)));
  return bytes;
}

Outcome<JournalBase> read_base(int fd, const std::string& path) {
  std::string space(k_base_bytes, '\0');
  LHSM_TRY_ASSIGN(const std::size_t got, read_at(fd, std::as_writable_bytes(std::span(space)), 0, path));
  const auto bytes = std::as_bytes(std::span(space));
  if (got < k_magic.size() || !space.starts_with(k_magic))
    return failure(ErrorKind::invalid, EINVAL, "read", path + ": not a journal");
  const auto version = get<std::uint32_t>(bytes, 8);
  if (got >= 12 && version != k_journal_version) {
    return failure(ErrorKind::unsupported, EOPNOTSUPP, "read",
                   fmt::format("{}: a journal of format {}, this program knows {}", path, version, k_journal_version));
  }
  JournalBase base;
  std::memcpy(base.manifest.uuid.data(), bytes.data() + 16, base.manifest.uuid.size());
  base.manifest.generation = get<std::uint64_t>(bytes, 32);
  base.item_count = get<std::uint64_t>(bytes, 40);
  base.journal = get<std::uint64_t>(bytes, 48);
  if (got < k_base_bytes || base_bytes(base) != space) return corrupt(path, "its first 64 bytes are damaged");
  return base;
}

std::uint64_t seed_of(const JournalBase& base) {
  const std::string bytes = base_bytes(base);
  return checksum(std::as_bytes(std::span(bytes)));
}

bool append_frame(const JournalRecord& record, bool first_of_batch, std::uint64_t seed, std::uint64_t offset,
                  std::string& out) {
  const std::size_t begin = out.size();
  out.resize(begin + k_frame_header_bytes);
  encode(record, out);
  const std::size_t length = out.size() - begin - k_frame_header_bytes;
  if (length > k_longest_record) {
    out.resize(begin);
    return false;
  }
  out.resize(begin + k_frame_header_bytes + padded(length));
  put(out, begin + k_length_at, static_cast<std::uint32_t>(length));
  put(out, begin + k_type_at, static_cast<std::uint8_t>(type_of(record)));
  put(out, begin + k_flags_at, first_of_batch ? k_first_of_batch : std::uint8_t{0});
  const auto frame = std::as_bytes(std::span(out)).subspan(begin);
  put(out, begin + k_check_at, header_check(frame, seed, offset));
  put(out, begin, checksum(frame.subspan(k_length_at), seed + offset));
  return true;
}

std::optional<std::size_t> frame_bytes(std::span<const std::byte> bytes, std::uint64_t seed, std::uint64_t offset) {
  if (bytes.size() < k_frame_header_bytes) return std::nullopt;
  const auto length = get<std::uint32_t>(bytes, k_length_at);
  // In the order of their costs: this is asked at each place after damage.
  if (length > k_longest_record || get<std::uint8_t>(bytes, k_type_at) == 0 ||
      get<std::uint8_t>(bytes, k_flags_at) > k_first_of_batch)
    return std::nullopt;
  if (get<std::uint16_t>(bytes, k_check_at) != header_check(bytes, seed, offset)) return std::nullopt;
  return k_frame_header_bytes + padded(length);
}

std::optional<Frame> parse_frame(std::span<const std::byte> bytes, std::uint64_t seed, std::uint64_t offset) {
  const auto size = frame_bytes(bytes, seed, offset);
  if (!size || *size > bytes.size()) return std::nullopt;
  const auto frame = bytes.first(*size);
  if (get<std::uint64_t>(frame, 0) != checksum(frame.subspan(k_length_at), seed + offset)) return std::nullopt;
  return Frame{offset, get<std::uint8_t>(frame, k_flags_at) == k_first_of_batch,
               static_cast<RecordType>(get<std::uint8_t>(frame, k_type_at)),
               frame.subspan(k_frame_header_bytes, get<std::uint32_t>(frame, k_length_at))};
}

}  // namespace lhsm::store
