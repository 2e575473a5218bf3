// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <algorithm>
#include <memory>
#include <thread>

#include "library/lhsm_emulator.h"
#include "unit/emulator/emulator_fixture.hpp"
#include "unit/emulator/program.hpp"

namespace lhsm::emulator {

inline constexpr std::uint32_t k_archived_state = HS_EXISTS | HS_ARCHIVED;
inline constexpr std::uint32_t k_released_state = k_archived_state | HS_RELEASED;

/// A sanitised library cannot be loaded into programs that are not.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LHSM_NEEDS_PRELOAD() GTEST_SKIP() << "sanitizer"
#else
#define LHSM_NEEDS_PRELOAD() static_assert(true)
#endif

/// A released file, readers as processes of their own, and the test as the copytool.
class BlockedReaderTest : public EmulatorTest {
 protected:
  std::string make_released(const std::string& name, std::size_t size) {
    auto path = make(name, size);
    archive_and_release(path);
    return path;
  }
  /// Bytes of which no two neighbours are alike, unlike those that make() wrote.
  static std::string pattern(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('A' + i * 7 % 26);
    return text;
  }
  /// Take the next request, which must be a restore, and end it: with this content, or an error.
  void restore(const std::string& text, int error = 0) {
    const auto item = receive();
    ASSERT_EQ(item.hai_action, std::uint32_t{HSMA_RESTORE});
    hsm_copyaction_private* action = nullptr;
    ASSERT_EQ(llapi_hsm_action_begin(&action, ct, &item, 0, 0, false), 0);
    fill(action, text);
    EXPECT_EQ(llapi_hsm_action_end(&action, &k_whole, 0, error), 0);
  }
  static void fill(const hsm_copyaction_private* action, const std::string& text) {
    const Fd fd(llapi_hsm_action_get_fd(action));
    ASSERT_EQ(::pwrite(*fd, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  /// Start a shell command with the library preloaded; its output can be read line by line.
  std::unique_ptr<Program> start_reader(const std::string& command) const {
    return std::make_unique<Program>(std::vector<std::string>{(programs() / "lhsm_emulator").native(), "exec", mount,
                                                              "--", "/bin/sh", "-c", "{ " + command + "\n} 2>&1"});
  }
  [[nodiscard]] std::string status() const { return shell("lhsm_emulator status --json " + quoted(mount)).text; }
  [[nodiscard]] ::testing::AssertionResult are_waiting(int readers) const {
    return comes_true("lhsm_emulator status --json " + quoted(mount) +
                      " | grep '\"blocked_readers\":" + std::to_string(readers) + "}'");
  }
  [[nodiscard]] int restores_recorded() const {
    return std::atoi(shell("lctl get_param -n mdt.*.hsm.actions | grep -c action=RESTORE").text.c_str());
  }
  void set(const std::string& parameter) const { ASSERT_EQ(shell("lctl set_param mdt.*." + parameter).code, 0); }
  /// Wait for a file in a thread; the result comes from `join`.
  struct Waiting {
    std::thread thread;
    int result = 1;
    int join() {
      thread.join();
      return result;
    }
  };
  static std::unique_ptr<Waiting> wait_in_thread(int fd) {
    auto waiting = std::make_unique<Waiting>();
    waiting->thread = std::thread([fd, raw = waiting.get()] { raw->result = lhsm_emulator_wait_restored(fd); });
    return waiting;
  }
  static Fd open_file(const std::string& path, int flags = O_RDONLY) {
    return Fd(::open(path.c_str(), flags | O_CLOEXEC));
  }
};

}  // namespace lhsm::emulator
