// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/threads.hpp"

#include <fmt/format.h>

#include <system_error>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm {

void start_threads(std::vector<std::jthread>& threads, std::size_t count, const std::function<void(std::size_t)>& run,
                   const std::function<void()>& stop) {
  threads.reserve(threads.size() + count);
  try {
    for (std::size_t i = 0; i < count; ++i) threads.emplace_back([run, i] { run(i); });
  } catch (const std::system_error& error) {
    const std::size_t started = threads.size();
    stop();
    threads.clear();
    throw Fatal(failure(ErrorKind::io, error.code().value(), "start a thread", fmt::format("beside {} others", started)).value());
  }
}

}  // namespace lhsm
