// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/copy/digest.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <charconv>
#include <cstring>
#include <mutex>
#include <new>
#include <tuple>

#include "lhsmtool_mpi/base/size.hpp"

namespace lhsm::copy {

namespace {

constexpr std::uint64_t k_least_leaf = k_MiB;
constexpr std::uint64_t k_most_leaves = std::uint64_t{1} << 20U;
constexpr std::string_view k_name = "xxh3-128";

std::uint64_t leaves_of(std::uint64_t size, std::uint64_t leaf) { return (size + leaf - 1) / leaf; }

Digest128 canonical(XXH128_hash_t hash) {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, hash);
  Digest128 digest;
  std::memcpy(digest.data(), bytes.digest, digest.size());
  return digest;
}

std::string_view text_of(const Digest128& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

struct StateDeleter {
  void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
};
using HashState = std::unique_ptr<XXH3_state_t, StateDeleter>;

HashState make_state() {
  HashState state(XXH3_createState());
  if (!state) throw std::bad_alloc();
  return state;
}

const std::vector<std::byte>& zeros() {
  static const std::vector<std::byte> bytes(256 * k_KiB);
  return bytes;
}

/// The digest of a leaf of zeros. Each is computed once by a process: a hole costs what its leaves take, not its length, and that of a
/// sparse file is whatever its user says.
const Digest128& zero_leaf(std::uint64_t leaf) {
  struct Known {
    std::once_flag once;
    Digest128 digest{};
  };
  static std::array<Known, 64> known;  // by the power of two
  Known& one = known.at(static_cast<std::size_t>(std::countr_zero(leaf)));
  std::call_once(one.once, [&one, leaf] {
    const HashState hash = make_state();
    std::ignore = XXH3_128bits_reset(hash.get());
    for (std::uint64_t done = 0; done < leaf; done += zeros().size())
      std::ignore = XXH3_128bits_update(hash.get(), zeros().data(), zeros().size());
    one.digest = canonical(XXH3_128bits_digest(hash.get()));
  });
  return one.digest;
}

}  // namespace

std::uint64_t leaf_bytes(std::uint64_t file_size) {
  std::uint64_t leaf = k_least_leaf;
  while (leaves_of(file_size, leaf) > k_most_leaves) leaf *= 2;
  return leaf;
}

std::string ObjectDigest::text() const {
  std::string hex;
  for (const unsigned byte : value) hex += fmt::format("{:02x}", byte);
  return fmt::format("{}:{}:{}:{}", k_name, leaf_bytes(size), size, hex);
}

std::optional<ObjectDigest> ObjectDigest::parse(std::string_view text) {
  const auto cut = [&text]() {
    const auto end = std::min(text.find(':'), text.size());
    const auto part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return part;
  };
  const auto number = [](std::string_view part, auto& to, int base) {
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), to, base);
    return !part.empty() && error == std::errc{} && end == part.data() + part.size();
  };
  ObjectDigest digest;
  std::uint64_t leaf = 0;
  if (cut() != k_name || !number(cut(), leaf, 10) || !number(cut(), digest.size, 10)) return std::nullopt;
  if (leaf != leaf_bytes(digest.size) || text.size() != 2 * digest.value.size()) return std::nullopt;
  for (std::size_t i = 0; i < digest.value.size(); ++i)
    if (!number(text.substr(2 * i, 2), digest.value.at(i), 16)) return std::nullopt;
  return digest;
}

struct LeafDigester::State {
  State(Extent whole, std::uint64_t file_size)
      : extent(whole), leaf(leaf_bytes(file_size)), at(whole.offset), hash(make_state()) {
    assert(extent.offset % leaf == 0);
    restart();
  }

  void restart() {
    std::ignore = XXH3_128bits_reset(hash.get());
    is_empty = true;
  }
  [[nodiscard]] std::uint64_t leaf_end() const { return std::min(extent.end(), at - at % leaf + leaf); }

  void close_leaf_at(std::uint64_t end) {
    if (at < end) return;
    leaves.append(text_of(canonical(XXH3_128bits_digest(hash.get()))));
    restart();
  }

  void update(const std::byte* bytes, std::uint64_t length) {
    while (length > 0) {
      const auto end = leaf_end();
      const auto piece = std::min(length, end - at);
      std::ignore = XXH3_128bits_update(hash.get(), bytes, static_cast<std::size_t>(piece));
      is_empty = false;
      at += piece;
      bytes += piece;
      length -= piece;
      close_leaf_at(end);
    }
  }

  /// Digest zeros up to `end`.
  void zeros_to(std::uint64_t end) {
    while (at < end) {
      if (is_empty && at % leaf == 0 && end - at >= leaf) {
        leaves.append(text_of(zero_leaf(leaf)));
        at += leaf;
      } else {
        update(zeros().data(), std::min<std::uint64_t>({zeros().size(), end - at, leaf_end() - at}));
      }
    }
  }

  Extent extent;
  std::uint64_t leaf;
  std::uint64_t at;  // everything before is digested
  bool is_empty = true;
  HashState hash;
  std::string leaves;
};

LeafDigester::LeafDigester(Extent extent, std::uint64_t file_size)
    : m_state(std::make_unique<State>(extent, file_size)) {}
LeafDigester::~LeafDigester() = default;
LeafDigester::LeafDigester(LeafDigester&&) noexcept = default;
LeafDigester& LeafDigester::operator=(LeafDigester&&) noexcept = default;

void LeafDigester::add(std::span<const std::byte> bytes, std::uint64_t offset) {
  assert(offset >= m_state->at && offset + bytes.size() <= m_state->extent.end());
  m_state->zeros_to(offset);
  m_state->update(bytes.data(), bytes.size());
}

std::string LeafDigester::finish() {
  m_state->zeros_to(m_state->extent.end());
  return std::move(m_state->leaves);
}

Outcome<std::size_t> DigestingSource::read_at(std::span<std::byte> out, std::uint64_t offset) {
  LHSM_TRY_ASSIGN(const std::size_t got, m_source.read_at(out, offset));
  m_digester.add(out.first(got), offset);
  return got;
}

DigestCollector::DigestCollector(std::uint64_t file_size)
    : m_size(file_size),
      m_leaf(leaf_bytes(file_size)),
      m_missing(leaves_of(file_size, m_leaf)),
      m_leaves(m_missing * sizeof(Digest128), '\0'),
      m_has(m_missing) {}

bool DigestCollector::add(Extent extent, std::string_view leaves) {
  if (extent.offset % m_leaf != 0 || extent.end() > m_size || (extent.end() % m_leaf != 0 && extent.end() != m_size))
    return false;
  const auto count = leaves_of(extent.length, m_leaf);
  if (leaves.size() != count * sizeof(Digest128)) return false;
  const auto first = extent.offset / m_leaf;
  std::copy(leaves.begin(), leaves.end(), m_leaves.begin() + static_cast<std::ptrdiff_t>(first * sizeof(Digest128)));
  for (auto i = first; i < first + count; ++i) {
    if (!m_has[i]) --m_missing;
    m_has[i] = true;
  }
  return true;
}

std::optional<ObjectDigest> DigestCollector::digest() const {
  if (m_missing > 0) return std::nullopt;
  return ObjectDigest{m_size, canonical(XXH3_128bits(m_leaves.data(), m_leaves.size()))};
}

}  // namespace lhsm::copy
