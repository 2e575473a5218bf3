// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/fid.hpp"

#include <gtest/gtest.h>

#include <set>
#include <unordered_set>

namespace lhsm {
namespace {

using std::string_literals::operator""s;

TEST(Fid, texts_are_those_of_lustre) {
  const Fid fid{0x200000401, 0x1a, 0};
  EXPECT_EQ(fid.str(), "0x200000401:0x1a:0x0");
  EXPECT_EQ(fid.bracketed(), "[0x200000401:0x1a:0x0]");
  EXPECT_EQ((Fid{UINT64_MAX, UINT32_MAX, UINT32_MAX}.str()), "0xffffffffffffffff:0xffffffff:0xffffffff");
}

TEST(Fid, parse_rejects_what_is_no_fid) {
  for (const std::string& text : {""s,
                                  " "s,
                                  "0x1"s,
                                  "0x1:0x2"s,
                                  "0x1:0x2:"s,
                                  "0x1:0x2:0x3:"s,
                                  "0x1:0x2:0x3:0x4"s,
                                  "1:2:3"s,
                                  "0x:0x1:0x0"s,
                                  "0x1:0x2:0x3 "s,
                                  " 0x1:0x2:0x3"s,
                                  "0x1 :0x2:0x3"s,
                                  "[0x1:0x2:0x3"s,
                                  "0x1:0x2:0x3]"s,
                                  "[]"s,
                                  "[[0x1:0x2:0x3]]"s,
                                  "[0x1:0x2:0x3]x"s,
                                  "0xg:0x2:0x3"s,
                                  "0x-1:0x2:0x3"s,
                                  "-0x1:0x2:0x3"s,
                                  "+0x1:0x2:0x3"s,
                                  "0x1,0x2,0x3"s,
                                  "0x10000000000000000:0x1:0x0"s,
                                  "0x1:0x100000000:0x0"s,
                                  "0x1:0x1:0x100000000"s,
                                  "0x1:0x2:0x3\0"s,
                                  "0x1\0:0x2:0x3"s,
                                  "0x0x1:0x2:0x3"s,
                                  "/0x1:0x2:0x3"s})
    EXPECT_EQ(Fid::parse(text), std::nullopt) << text;
}

TEST(Fid, parse_reads_both_forms) {
  const Fid fid{0x200000401, 0x1a, 0};
  EXPECT_EQ(Fid::parse("0x200000401:0x1a:0x0"), fid);
  EXPECT_EQ(Fid::parse("[0x200000401:0x1a:0x0]"), fid);
  EXPECT_EQ(Fid::parse("0X200000401:0x1A:0x0"), fid);
  EXPECT_EQ(Fid::parse("0x000200000401:0x0000001a:0x00"), fid);
}

TEST(Fid, parse_is_the_inverse_of_both_texts) {
  for (const Fid& fid : {Fid{}, Fid{1, 2, 3}, Fid{0x200000007, 1, 0}, Fid{UINT64_MAX, UINT32_MAX, UINT32_MAX}}) {
    EXPECT_EQ(Fid::parse(fid.str()), fid);
    EXPECT_EQ(Fid::parse(fid.bracketed()), fid);
  }
}

TEST(Fid, order_is_by_sequence_then_object_then_version) {
  const std::set<Fid> fids{{2, 0, 0}, {1, 2, 0}, {1, 1, 1}, {1, 1, 0}};
  const std::vector<Fid> sorted{{1, 1, 0}, {1, 1, 1}, {1, 2, 0}, {2, 0, 0}};
  EXPECT_TRUE(std::equal(fids.begin(), fids.end(), sorted.begin(), sorted.end()));
}

TEST(Fid, hash_spreads_the_consecutive_objects_of_a_sequence) {
  std::unordered_set<std::size_t> hashes;
  std::set<std::size_t> high_bytes;
  for (std::uint32_t oid = 0; oid < 100'000; ++oid) {
    const auto hash = std::hash<Fid>{}({0x200000401, oid, 0});
    hashes.insert(hash);
    high_bytes.insert(hash >> 56U);
  }
  EXPECT_EQ(hashes.size(), 100'000U);
  EXPECT_EQ(high_bytes.size(), 256U);
}

}  // namespace
}  // namespace lhsm
