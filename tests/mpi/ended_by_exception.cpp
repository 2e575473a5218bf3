// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Two ranks, of which one waits for the other; that throws what no code of ours does, in the place that is named.
#include <stdexcept>
#include <string_view>
#include <thread>

#include "process.hpp"

int main(int argc, char** argv) {
  lhsm::cli::Process process(lhsm::log::Level::warning);
  const auto fail = [] { throw std::runtime_error("out of luck"); };
  return process.run([&]() -> int {
    if (!process.is_first()) {
      if (argc > 1 && std::string_view(argv[1]) == "thread") std::thread(fail).join();
      fail();
    }
    process.dispatcher_channel().channel->receive(std::chrono::hours(1));
    return 0;
  });
}
