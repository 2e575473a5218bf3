// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace lhsm {

/// Let `threads` be `count` threads more, each of which calls `run` with its number. Where one cannot be started, `stop` is called, which
/// must let those that were end; they are waited for, and Fatal is thrown.
void start_threads(std::vector<std::jthread>& threads, std::size_t count, const std::function<void(std::size_t)>& run,
                   const std::function<void()>& stop);

}  // namespace lhsm
