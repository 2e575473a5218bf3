// SPDX-License-Identifier: LGPL-2.1-or-later
// The input as a frame, and as the payload of a frame whose header is right: what gets past the checksum.
#include <xxhash.h>

#include <cstring>
#include <vector>

#include "check.hpp"
#include "lhsmtool_mpi/comm/codec.hpp"

namespace {

void decode_and_encode(std::span<const std::byte> frame) {
  const auto message = lhsm::comm::decode(frame);
  if (!message) return;
  // What was understood is said again in the same words, but for flags that may be any number but 0.
  const auto again = lhsm::comm::decode(lhsm::comm::encode(*message));
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(again->index() == message->index());
  FUZZ_CHECK(lhsm::comm::encode(*again) == lhsm::comm::encode(*message));
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> input(reinterpret_cast<const std::byte*>(data), size);
  decode_and_encode(input);
  lhsm::comm::Bytes frame = lhsm::comm::encode(lhsm::comm::Stop{});  // for its magic and version
  constexpr std::size_t k_header = 24;
  // Corpus files are whole frames; mutations of them keep a header's length in front.
  const auto payload = input.subspan(std::min(k_header, size));
  frame.resize(k_header);
  frame.insert(frame.end(), payload.begin(), payload.end());
  const std::uint64_t length = payload.size();
  const std::uint64_t checksum = XXH3_64bits(payload.data(), payload.size());
  std::memcpy(frame.data() + 8, &length, sizeof length);
  std::memcpy(frame.data() + 16, &checksum, sizeof checksum);
  decode_and_encode(frame);
  return 0;
}
