// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::verify {

/// What became of an object.
enum class Verdict : std::uint8_t {
  verified,    ///< its content has the digest that is kept with it
  unverified,  ///< it has no digest, but the size that it should have
  corrupt,     ///< its content has another digest
  wrong_size,  ///< short, or longer than the file was
  missing,     ///< there is none
  unreadable,  ///< it could not be read, or changed meanwhile
};
inline constexpr std::size_t k_verdicts = 6;

[[nodiscard]] constexpr std::string_view to_string(Verdict verdict) {
  constexpr std::array<std::string_view, k_verdicts> k_names{"verified",   "unverified", "corrupt",
                                                             "wrong size", "missing",    "unreadable"};
  return k_names.at(static_cast<std::size_t>(verdict));
}
[[nodiscard]] constexpr bool is_failure(Verdict verdict) { return verdict > Verdict::unverified; }

/// An object that is to be checked.
struct Candidate {
  std::uint64_t row = 0;  ///< index in the manifest
  Fid fid;
  std::uint64_t size = 0;    ///< of the file
  bool size_matters = true;  ///< the file has not changed since it was archived
};

/// What was found of one.
struct Finding {
  Candidate candidate;
  Verdict verdict = Verdict::verified;
  Error error;  ///< of a failure
};

struct Totals {
  std::array<std::uint64_t, k_verdicts> verdicts{};
  std::uint64_t bytes_read = 0;

  [[nodiscard]] std::uint64_t of(Verdict verdict) const { return verdicts.at(static_cast<std::size_t>(verdict)); }
  [[nodiscard]] std::uint64_t checked() const;
  [[nodiscard]] std::uint64_t failed() const;
};

}  // namespace lhsm::verify
