// SPDX-License-Identifier: LGPL-2.1-or-later
#include "random.hpp"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::store {

void fill_random(std::span<std::uint8_t> bytes) {
  // Up to 256 bytes come whole once the kernel has randomness at all; a signal may come before.
  ssize_t got = -1;
  do got = ::getrandom(bytes.data(), bytes.size(), 0);
  while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(bytes.size()))
    throw Fatal(Error{ErrorKind::io, errno, "getrandom", "for a job's files"});
}

std::uint64_t random_number() {
  std::array<std::uint8_t, 8> bytes{};
  fill_random(bytes);
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

}  // namespace lhsm::store
