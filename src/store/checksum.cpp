// SPDX-License-Identifier: LGPL-2.1-or-later
#include "checksum.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <new>

#include "lhsmtool_mpi/store/library_versions.hpp"

namespace lhsm::store {

std::string xxhash_version() {
  const unsigned number = XXH_versionNumber();
  return fmt::format("{}.{}.{}", number / 10000, number / 100 % 100, number % 100);
}

std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

struct Checksum::State {
  XXH3_state_t* state = XXH3_createState();
  State() {
    if (state == nullptr) throw std::bad_alloc();
  }
  ~State() { XXH3_freeState(state); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Checksum::Checksum() : m_state(std::make_unique<State>()) { XXH3_64bits_reset(m_state->state); }
Checksum::~Checksum() = default;
void Checksum::add(std::span<const std::byte> bytes) { XXH3_64bits_update(m_state->state, bytes.data(), bytes.size()); }
std::uint64_t Checksum::value() const { return XXH3_64bits_digest(m_state->state); }

}  // namespace lhsm::store
