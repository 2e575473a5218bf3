// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/copy/digest.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "lhsmtool_mpi/base/size.hpp"
#include "support/memory_bytes.hpp"

namespace lhsm::copy {
namespace {

constexpr std::uint64_t k_TiB = 1024 * k_GiB;

std::vector<std::byte> random_bytes(std::size_t size) {
  std::mt19937_64 random(size);
  std::vector<std::byte> bytes(size);
  for (auto& byte : bytes) byte = static_cast<std::byte>(random());
  return bytes;
}

ObjectDigest digest_of(std::span<const std::byte> bytes, std::uint64_t extent_bytes, std::size_t piece) {
  DigestCollector collector(bytes.size());
  std::vector<std::uint64_t> offsets;
  for (std::uint64_t at = 0; at < bytes.size(); at += extent_bytes) offsets.push_back(at);
  // The last one first: the order in which extents come does not matter.
  for (auto it = offsets.rbegin(); it != offsets.rend(); ++it) {
    const Extent extent{*it, std::min<std::uint64_t>(extent_bytes, bytes.size() - *it)};
    LeafDigester digester(extent, bytes.size());
    for (std::uint64_t at = extent.offset; at < extent.end(); at += piece)
      digester.add(bytes.subspan(at, std::min<std::uint64_t>(piece, extent.end() - at)), at);
    EXPECT_TRUE(collector.add(extent, digester.finish()));
  }
  const auto digest = collector.digest();
  EXPECT_TRUE(digest.has_value());
  return digest.value_or(ObjectDigest{});
}

TEST(LeafBytesTest, grow_so_that_a_file_has_a_million_at_most) {
  EXPECT_EQ(leaf_bytes(0), k_MiB);
  EXPECT_EQ(leaf_bytes(k_TiB), k_MiB);
  EXPECT_EQ(leaf_bytes(k_TiB + 1), 2 * k_MiB);
  EXPECT_EQ(leaf_bytes(100 * k_TiB), 128 * k_MiB);
}

TEST(DigestTest, is_the_same_however_the_file_is_cut) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{k_MiB}, std::size_t{k_MiB + 1},
                                 std::size_t{5 * k_MiB + 4711}}) {
    const auto bytes = random_bytes(size);
    const auto whole = digest_of(bytes, 64 * k_MiB, 64 * k_MiB);
    EXPECT_EQ(digest_of(bytes, k_MiB, 4096), whole) << size;
    EXPECT_EQ(digest_of(bytes, 2 * k_MiB, 1'000'003), whole) << size;
    EXPECT_EQ(whole.size, size);
  }
}

// So that digests of today are good with the program of tomorrow: computed with xxhsum -H2 on each MiB,
// and again on what that gives.
TEST(DigestTest, of_known_content) {
  EXPECT_EQ(digest_of({}, k_MiB, 1).text(), "xxh3-128:1048576:0:99aa06d3014798d86001c324468d497f");
  const std::string text = "abc";
  EXPECT_EQ(digest_of(std::as_bytes(std::span(text)), k_MiB, 3).text(), "xxh3-128:1048576:3:f758394eebabb2bb51ee911f78f31836");
}

TEST(DigestTest, tells_any_change) {
  auto bytes = random_bytes(3 * k_MiB);
  const auto before = digest_of(bytes, k_MiB, k_MiB);
  for (const std::size_t place : {std::size_t{0}, std::size_t{k_MiB}, bytes.size() - 1}) {
    bytes[place] ^= std::byte{1};
    EXPECT_NE(digest_of(bytes, k_MiB, k_MiB), before);
    bytes[place] ^= std::byte{1};
  }
  std::swap_ranges(bytes.begin(), bytes.begin() + k_MiB, bytes.begin() + k_MiB);
  EXPECT_NE(digest_of(bytes, k_MiB, k_MiB), before) << "leaves that changed places";
}

TEST(DigestTest, holes_are_zeros) {
  std::vector<std::byte> bytes(7 * k_MiB + 100);
  bytes[2 * k_MiB + 17] = std::byte{1};
  bytes[6 * k_MiB] = std::byte{2};
  const Extent whole{0, bytes.size()};
  LeafDigester sparse(whole, bytes.size());
  sparse.add(std::span(bytes).subspan(2 * k_MiB, 4096), 2 * k_MiB);
  sparse.add(std::span(bytes).subspan(6 * k_MiB - 10, 20), 6 * k_MiB - 10);
  DigestCollector collector(bytes.size());
  ASSERT_TRUE(collector.add(whole, sparse.finish()));
  EXPECT_EQ(collector.digest(), digest_of(bytes, k_MiB, 65536));
}

/// Of a sparse file as long as anybody likes, extent by extent.
TEST(DigestTest, holes_cost_what_their_leaves_take) {
  const std::uint64_t size = std::uint64_t{800} << 40U;
  const std::uint64_t leaf = leaf_bytes(size);
  const auto begun = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < 5000; ++i) ASSERT_EQ(LeafDigester({i * leaf, leaf}, size).finish().size(), sizeof(Digest128));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(60)) << "5 TiB of zeros";
}

TEST(DigestTest, leaves_of_zeros_are_those_of_any_bytes) {
  for (const std::uint64_t size : {k_MiB, std::uint64_t{3} << 40U}) {
    const std::uint64_t leaf = leaf_bytes(size);
    const std::vector<std::byte> zeros(leaf);
    LeafDigester filled({0, leaf}, size);
    filled.add(zeros, 0);
    EXPECT_EQ(LeafDigester({0, leaf}, size).finish(), filled.finish()) << leaf;
  }
}

TEST(DigestTest, is_not_there_before_all_extents_are) {
  const auto bytes = random_bytes(2 * k_MiB);
  DigestCollector collector(bytes.size());
  LeafDigester first({0, k_MiB}, bytes.size());
  first.add(std::span(bytes).first(k_MiB), 0);
  const auto leaves = first.finish();
  EXPECT_TRUE(collector.add({0, k_MiB}, leaves));
  EXPECT_TRUE(collector.add({0, k_MiB}, leaves)) << "twice counts once";
  EXPECT_EQ(collector.digest(), std::nullopt);
  EXPECT_FALSE(collector.add({1, k_MiB}, leaves));
  EXPECT_FALSE(collector.add({k_MiB, 2 * k_MiB}, leaves));
  EXPECT_FALSE(collector.add({k_MiB, k_MiB}, leaves + "x"));
  EXPECT_TRUE(collector.add({k_MiB, k_MiB}, leaves));
  EXPECT_TRUE(collector.digest().has_value());
}

TEST(DigestTest, text_and_back) {
  const auto bytes = random_bytes(12345);
  const auto digest = digest_of(bytes, k_MiB, 4096);
  EXPECT_EQ(ObjectDigest::parse(digest.text()), digest);
  const auto text = digest.text();
  for (const auto& bad : {std::string(), text.substr(1), text + "0", text.substr(0, text.size() - 1),
                          std::string("xxh3-128:4096:12345:") + text.substr(text.size() - 32),
                          text.substr(0, text.size() - 1) + "g"})
    EXPECT_EQ(ObjectDigest::parse(bad), std::nullopt) << bad;
}

TEST(DigestingSourceTest, digests_what_is_read) {
  const auto bytes = random_bytes(100'000);
  test::MemorySource memory(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  LeafDigester digester({0, bytes.size()}, bytes.size());
  DigestingSource source(memory, digester);
  std::vector<std::byte> buffer(70'000);
  ASSERT_EQ(*source.read_at(buffer, 0), buffer.size());
  ASSERT_EQ(*source.read_at(buffer, 70'000), 30'000U);
  DigestCollector collector(bytes.size());
  ASSERT_TRUE(collector.add({0, bytes.size()}, digester.finish()));
  EXPECT_EQ(collector.digest(), digest_of(bytes, k_MiB, 4096));
}

}  // namespace
}  // namespace lhsm::copy
