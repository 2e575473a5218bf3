// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/size.hpp"

#include <gtest/gtest.h>

namespace lhsm {
namespace {

using std::string_literals::operator""s;

TEST(Size, parse_rejects_what_is_no_size) {
  for (const std::string& text : {""s,      " "s,
                                  "K"s,     "B"s,
                                  "KiB"s,   "."s,
                                  "-1"s,    "-0.5M"s,
                                  "+1"s,    " 1"s,
                                  "1 "s,    "1 K"s,
                                  "1iB"s,   "1i"s,
                                  "1Ki"s,   "1X"s,
                                  "1E"s,    "1KK"s,
                                  "1KMB"s,  "1BB"s,
                                  "1.2.3"s, "0x10"s,
                                  "1e3"s,   "nan"s,
                                  "inf"s,   "infinity"s,
                                  "1M\0"s,  "9223372036854775808"s,
                                  "8192P"s, "99999999999999999999"s,
                                  "1e400"s}) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size) << '"' << text << "\" = " << *size;
    EXPECT_EQ(size.error().kind, ErrorKind::invalid) << text;
    EXPECT_EQ(size.error().subject, text);
  }
}

TEST(Size, parse_reads_units_and_fractions) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("1"), 1U);
  EXPECT_EQ(parse_size("4096B"), 4096U);
  EXPECT_EQ(parse_size("4K"), 4096U);
  EXPECT_EQ(parse_size("4k"), 4096U);
  EXPECT_EQ(parse_size("4KB"), 4096U);
  EXPECT_EQ(parse_size("4KiB"), 4096U);
  EXPECT_EQ(parse_size("4kib"), 4096U);
  EXPECT_EQ(parse_size("3M"), 3 * k_MiB);
  EXPECT_EQ(parse_size("2G"), 2 * k_GiB);
  EXPECT_EQ(parse_size("1T"), 1024 * k_GiB);
  EXPECT_EQ(parse_size("1P"), 1024 * 1024 * k_GiB);
  EXPECT_EQ(parse_size("1.5G"), k_GiB + k_GiB / 2);
  EXPECT_EQ(parse_size("0.5"), 1U) << "rounded";
  EXPECT_EQ(parse_size(".5K"), 512U);
}

TEST(Size, parse_keeps_whole_numbers_exact) {
  EXPECT_EQ(parse_size("9007199254740993"), 9007199254740993U) << "2^53 + 1";
  EXPECT_EQ(parse_size("8191P"), std::uint64_t{8191} << 50U);
}

TEST(Size, parse_counts_bare_numbers_in_the_unit_given) {
  EXPECT_EQ(parse_size("5", k_MiB), 5 * k_MiB);
  EXPECT_EQ(parse_size("0.5", k_MiB), k_MiB / 2);
  EXPECT_EQ(parse_size("5B", k_MiB), 5U);
  EXPECT_EQ(parse_size("5K", k_MiB), 5 * k_KiB);
}

TEST(Size, format_is_short) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(1023), "1023 B");
  EXPECT_EQ(format_size(1024), "1.0 KiB");
  EXPECT_EQ(format_size(1536), "1.5 KiB");
  EXPECT_EQ(format_size(10 * k_KiB), "10 KiB");
  EXPECT_EQ(format_size(999 * k_KiB), "999 KiB");
  EXPECT_EQ(format_size(1000 * k_KiB), "1.0 MiB");
  EXPECT_EQ(format_size(12 * k_MiB), "12 MiB");
  EXPECT_EQ(format_size(3435973837), "3.2 GiB");
  EXPECT_EQ(format_size(UINT64_MAX), "16 EiB");
}

TEST(Size, duration_is_short) {
  EXPECT_EQ(format_duration(0), "0s");
  EXPECT_EQ(format_duration(59), "59s");
  EXPECT_EQ(format_duration(60), "1m00s");
  EXPECT_EQ(format_duration(192), "3m12s");
  EXPECT_EQ(format_duration(3599), "59m59s");
  EXPECT_EQ(format_duration(3600), "1h00m");
  EXPECT_EQ(format_duration(7500), "2h05m");
  EXPECT_EQ(format_duration(86399), "23h59m");
  EXPECT_EQ(format_duration(86400), "1d00h");
  EXPECT_EQ(format_duration(3 * 86400 + 4 * 3600), "3d04h");
  EXPECT_EQ(format_estimate(0.1), "1s") << "what is not over is not said to be";
  EXPECT_EQ(format_estimate(7499.5), "2h05m");
  EXPECT_EQ(format_estimate(-1), "0s");
  EXPECT_EQ(format_estimate(1e300), "centuries");
}

}  // namespace
}  // namespace lhsm
