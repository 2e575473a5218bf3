// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The digest of a file's content that many ranks compute together: XXH3-128 of each leaf, a fixed
// piece of the file, taken on the way by whoever copies it; and XXH3-128 over the leaves in their order.
// It does not depend on how the file was cut into extents, nor on where it has holes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/extent.hpp"
#include "lhsmtool_mpi/copy/bytes.hpp"

namespace lhsm::copy {

using Digest128 = std::array<unsigned char, 16>;  ///< XXH3-128 in its canonical (big-endian) form

/// Return the length of a leaf of a file of `file_size` bytes: 1 MiB, or as many times twice that as
/// keep a file at 2^20 leaves or less. Extents that begin and end at multiples of it (or at the end of the
/// file) can be digested apart.
[[nodiscard]] std::uint64_t leaf_bytes(std::uint64_t file_size);

/// The digest of a whole file, as it is kept with the object.
struct ObjectDigest {
  std::uint64_t size = 0;
  Digest128 value{};

  /// "xxh3-128:<leaf>:<size>:<32 hex digits>", leaf and size in decimal.
  [[nodiscard]] std::string text() const;
  /// Nothing for what is no such text, or one of leaves of another length.
  [[nodiscard]] static std::optional<ObjectDigest> parse(std::string_view text);
  friend bool operator==(const ObjectDigest&, const ObjectDigest&) = default;
};

/// Digests the leaves of one extent whose bytes come in ascending order; what is left out is zeros.
class LeafDigester {
 public:
  /// `extent` begins at a multiple of leaf_bytes(file_size), and ends at one or at the end of the file.
  LeafDigester(Extent extent, std::uint64_t file_size);
  ~LeafDigester();
  LeafDigester(LeafDigester&&) noexcept;
  LeafDigester& operator=(LeafDigester&&) noexcept;

  /// Take in bytes of the extent that lie at `offset` of the file, not before those taken in already.
  void add(std::span<const std::byte> bytes, std::uint64_t offset);
  /// Return the digests of all leaves, one after the other; the rest of the extent is zeros.
  [[nodiscard]] std::string finish();

 private:
  struct State;
  std::unique_ptr<State> m_state;
};

/// A source that digests what is read from it. `digester` must outlive it.
class DigestingSource final : public ByteSource {
 public:
  DigestingSource(ByteSource& source, LeafDigester& digester) : m_source(source), m_digester(digester) {}
  [[nodiscard]] Outcome<std::size_t> read_at(std::span<std::byte> out, std::uint64_t offset) override;
  [[nodiscard]] Outcome<std::optional<Extent>> next_data(Extent range) override { return m_source.next_data(range); }

 private:
  ByteSource& m_source;
  LeafDigester& m_digester;
};

/// Puts the leaves of a file together, in whatever order its extents come.
class DigestCollector {
 public:
  explicit DigestCollector(std::uint64_t file_size);

  /// Take in what LeafDigester::finish() gave for `extent`. False when it does not fit there.
  [[nodiscard]] bool add(Extent extent, std::string_view leaves);
  /// Return the digest of the file, or nothing while leaves are missing.
  [[nodiscard]] std::optional<ObjectDigest> digest() const;

 private:
  std::uint64_t m_size;
  std::uint64_t m_leaf;
  std::uint64_t m_missing;
  std::string m_leaves;
  std::vector<bool> m_has;
};

}  // namespace lhsm::copy
