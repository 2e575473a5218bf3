// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::store {

/// Read as much of `out` as the file has from `offset` on; less only at its end.
[[nodiscard]] inline Outcome<std::size_t> read_at(int fd, std::span<std::byte> out, std::uint64_t offset,
                                                  const std::string& path) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::pread(fd, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("read", path);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

}  // namespace lhsm::store
