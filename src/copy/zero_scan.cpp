// SPDX-License-Identifier: LGPL-2.1-or-later
#include "zero_scan.hpp"

#include <algorithm>
#include <cstring>

namespace lhsm::copy {

namespace {

/// Data differs early as a rule, so this is cheap; zeros are compared with themselves, one byte on.
bool all_zero(std::span<const std::byte> bytes) {
  if (bytes.front() != std::byte{0}) return false;
  return bytes.size() == 1 || std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

/// Take the piece up to the next block boundary of the file off the front of `bytes`.
std::span<const std::byte> take_block(std::span<const std::byte>& bytes, std::uint64_t offset) {
  const auto block =
      bytes.first(std::min(bytes.size(), k_hole_block - static_cast<std::size_t>(offset % k_hole_block)));
  bytes = bytes.subspan(block.size());
  return block;
}

}  // namespace

bool has_zero_block(std::span<const std::byte> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const auto block = take_block(bytes, offset);
    if (all_zero(block)) return true;
    offset += block.size();
  }
  return false;
}

std::vector<Extent> nonzero_runs(std::span<const std::byte> bytes, std::uint64_t offset) {
  std::vector<Extent> runs;
  while (!bytes.empty()) {
    const auto block = take_block(bytes, offset);
    if (!all_zero(block)) {
      if (runs.empty() || runs.back().end() != offset) runs.push_back({offset, 0});
      runs.back().length += block.size();
    }
    offset += block.size();
  }
  return runs;
}

}  // namespace lhsm::copy
