// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/comm/codec.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <xxhash.h>

#include <array>
#include <cstring>
#include <ctime>
#include <random>
#include <set>

#include "unit/comm/sample_messages.hpp"

namespace lhsm::comm {
namespace {

constexpr std::size_t k_header = 24;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
constexpr bool k_sanitized = false;
#else
constexpr bool k_sanitized = true;
#endif
// Each byte is changed, and where that takes long not in each way.
constexpr std::size_t k_stride = k_sanitized ? 3 : 1;

template <class T>
void put(Bytes& frame, std::size_t at, T value) {
  std::memcpy(frame.data() + at, &value, sizeof value);
}

/// Make a frame of any payload that passes every check of the header.
Bytes sealed(const Bytes& payload) {
  Bytes frame = encode(Stop{});
  frame.resize(k_header);
  frame.insert(frame.end(), payload.begin(), payload.end());
  put<std::uint64_t>(frame, 8, payload.size());
  put<std::uint64_t>(frame, 16, XXH3_64bits(payload.data(), payload.size()));
  return frame;
}

Bytes payload_of(const Message& message) {
  const Bytes frame = encode(message);
  return {frame.begin() + k_header, frame.end()};
}

void expect_corrupt(const Outcome<Message>& decoded) {
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().kind, ErrorKind::corrupt) << decoded.error().describe();
  EXPECT_EQ(decoded.error().sys_errno, EBADMSG);
}

long peak_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

TEST(CodecTest, decode_returns_every_message) {
  std::set<std::size_t> kinds;
  for (const Message& message : sample_messages()) {
    kinds.insert(message.index());
    const auto decoded = decode(encode(message));
    ASSERT_TRUE(decoded.has_value()) << message.index() << ": " << decoded.error().describe();
    EXPECT_TRUE(*decoded == message) << "kind " << message.index();
  }
  EXPECT_EQ(kinds.size(), std::variant_size_v<Message>) << "a kind of message without a sample";
}

TEST(CodecTest, encode_is_the_same_twice) {
  for (const Message& message : sample_messages()) EXPECT_EQ(encode(message), encode(message));
}

TEST(CodecTest, encode_adds_little) {
  EXPECT_LE(encode(Stop{}).size(), 32U);
  EXPECT_LE(encode(Tick{1, 2, 3, 4, {}}).size(), 64U);
  const std::size_t one = encode(Jobs{{Job{}}}).size();
  EXPECT_LE(encode(Jobs{{Job{}, Job{}}}).size() - one, 160U);
}

TEST(CodecTest, decode_detects_every_flipped_byte) {
  for (const Message& message : sample_messages()) {
    const Bytes good = encode(message);
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (const unsigned mask : {0x01U, 0x80U, 0xffU}) {
        Bytes bad = good;
        bad[at] ^= static_cast<std::byte>(mask);
        const auto decoded = decode(bad);
        ASSERT_FALSE(decoded.has_value()) << "kind " << message.index() << " byte " << at;
        const bool version = at >= 4 && at < 8;
        ASSERT_EQ(decoded.error().kind, version ? ErrorKind::unsupported : ErrorKind::corrupt);
        if (at >= k_header) { ASSERT_NE(decoded.error().subject.find("checksum"), std::string::npos); }
      }
    }
  }
}

TEST(CodecTest, decode_detects_every_truncation_and_extension) {
  for (const Message& message : sample_messages()) {
    Bytes frame = encode(message);
    for (std::size_t length = 0; length < frame.size(); ++length)
      expect_corrupt(decode(std::span(frame).first(length)));
    frame.push_back(std::byte{0});
    expect_corrupt(decode(frame));
  }
}

TEST(CodecTest, decode_refuses_cut_payloads_with_a_right_checksum) {
  for (const Message& message : sample_messages()) {
    Bytes payload = payload_of(message);
    for (std::size_t length = 0; length < payload.size(); ++length)
      expect_corrupt(decode(sealed(Bytes(payload.begin(), payload.begin() + static_cast<std::ptrdiff_t>(length)))));
    payload.push_back(std::byte{7});
    expect_corrupt(decode(sealed(payload)));
  }
}

TEST(CodecTest, decode_refuses_another_version) {
  Bytes frame = encode(Stop{});
  put<std::uint32_t>(frame, 4, k_protocol_version + 1);
  const auto decoded = decode(frame);
  ASSERT_FALSE(decoded.has_value());
  EXPECT_EQ(decoded.error().kind, ErrorKind::unsupported);
  EXPECT_EQ(decoded.error().sys_errno, EPROTONOSUPPORT);
  EXPECT_NE(decoded.error().subject.find(std::to_string(k_protocol_version + 1)), std::string::npos);
}

TEST(CodecTest, decode_refuses_unknown_kinds) {
  for (unsigned kind = std::variant_size_v<Message>; kind < 256; ++kind)
    expect_corrupt(decode(sealed({static_cast<std::byte>(kind)})));
}

TEST(CodecTest, decode_refuses_a_length_beyond_everything) {
  Bytes frame = encode(Stop{});
  put<std::uint64_t>(frame, 8, ~std::uint64_t{0});
  expect_corrupt(decode(frame));
}

/// Every 8 bytes of every payload in turn become a huge number, so that every count is hit.
TEST(CodecTest, decode_survives_huge_counts_with_a_right_checksum) {
  const long before = peak_kib();
  const std::clock_t begun = std::clock();  // of CPU: the machine may have other work
  for (const Message& message : sample_messages()) {
    const Bytes good = payload_of(message);
    const std::array<std::uint64_t, 3> counts{~std::uint64_t{0}, std::uint64_t{1} << 62, std::uint64_t{1} << 33};
    for (std::size_t which = 0; which < counts.size(); ++which) {
      const std::uint64_t count = counts[which];
      for (std::size_t at = 1 + which % k_stride; at + sizeof count <= good.size(); at += k_stride) {
        Bytes bad = good;
        put(bad, at, count);
        if (const auto decoded = decode(sealed(bad)); !decoded) expect_corrupt(decoded);
      }
    }
  }
  EXPECT_LT((std::clock() - begun) / CLOCKS_PER_SEC, 20);
  if (!k_sanitized) {
    EXPECT_LT(peak_kib() - before, 64 * 1024);
  }
}

TEST(CodecTest, decode_survives_random_payloads_with_a_right_checksum) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::size_t decoded_anyway = 0;
  for (int round = 0; round < 20000; ++round) {
    Bytes payload(random() % 300);
    for (std::byte& byte : payload) byte = static_cast<std::byte>(random());
    // Often small numbers, so that counts make sense now and then.
    if (round % 2 == 0)
      for (std::byte& byte : payload)
        if (random() % 4 != 0) byte = std::byte{0};
    if (!payload.empty()) payload[0] = static_cast<std::byte>(random() % (std::variant_size_v<Message> + 1));
    const auto decoded = decode(sealed(payload));
    if (!decoded) {
      expect_corrupt(decoded);
    } else {
      ++decoded_anyway;
      EXPECT_TRUE(decode(encode(*decoded)).has_value());
    }
    if (::testing::Test::HasFailure()) return;
  }
  RecordProperty("decoded_anyway", static_cast<int>(decoded_anyway));
}

TEST(CodecTest, decode_survives_flipped_payloads_with_a_right_checksum) {
  for (const Message& message : sample_messages()) {
    const Bytes good = payload_of(message);
    for (std::size_t at = 0; at < good.size(); ++at) {
      for (std::size_t bit = at % k_stride; bit < 8; bit += k_stride) {
        Bytes bad = good;
        bad[at] ^= std::byte{static_cast<std::uint8_t>(1U << bit)};
        if (const auto decoded = decode(sealed(bad)); !decoded) expect_corrupt(decoded);
      }
    }
  }
}

TEST(CodecTest, decode_takes_a_large_message) {
  Jobs jobs;
  Job job;
  job.item = sample_item();
  job.item.data.assign(9000, 'x');
  jobs.jobs.assign(1000, job);  // 9 MB
  const Bytes frame = encode(jobs);
  EXPECT_LT(frame.size(), k_max_message_bytes);
  const auto decoded = decode(frame);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_TRUE(std::get<Jobs>(*decoded) == jobs);
}

}  // namespace
}  // namespace lhsm::comm
