// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A real daemon on a temporary directory, the library's functions, and programs run on them.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/action_list.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "tools/copytool_calls.hpp"
#include "tools/lfs_commands.hpp"

namespace lhsm::emulator {
using namespace abi;

inline constexpr hsm_extent k_whole{0, k_whole_file};

class EmulatorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/var/tmp/lhsm_emulator_test.XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    base = name;
    mount = base + "/mnt";
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    start();
  }
  void TearDown() override {
    if (ct != nullptr) {
      EXPECT_EQ(llapi_hsm_copytool_unregister(&ct), 0);
    }
    if (::geteuid() == 0) {
      EXPECT_EQ(emulator("stop " + quoted(mount)), 0);
    }
    if (!HasFailure()) std::filesystem::remove_all(base);
  }
  static std::filesystem::path programs() { return std::filesystem::read_symlink("/proc/self/exe").parent_path(); }
  static std::filesystem::path library() { return programs().parent_path() / "lib/lhsm_emulator/liblustreapi.so.1"; }
  static std::string quoted(const std::string& text) { return "'" + text + "'"; }
  static int emulator(const std::string& arguments) {
    return std::system(((programs() / "lhsm_emulator").native() + " " + arguments).c_str());
  }
  void start() {
    ASSERT_EQ(emulator("start " + quoted(mount) + " --mdt-count 2 --time-scale 100 --active-request-timeout 1000000"),
              0);
  }
  [[nodiscard]] pid_t daemon_pid() const {
    pid_t pid = 0;
    std::ifstream(mount + "/.lustre/lock") >> pid;
    return pid;
  }
  void kill_daemon() const {
    ASSERT_GT(daemon_pid(), 1);
    ASSERT_EQ(::kill(daemon_pid(), SIGKILL), 0);
  }
  /// Run a shell command with the emulator's lfs and lctl in its PATH; return its exit code and what
  /// it printed.
  struct Output {
    int code = -1;
    std::string text;
  };
  Output shell(const std::string& command) const {
    const auto line = "PATH=" + quoted((library().parent_path() / "bin").native()) + ":" + quoted(programs().native()) +
                      ":$PATH LHSM_EMULATOR_MOUNT=" + quoted(mount) + "; export PATH LHSM_EMULATOR_MOUNT; { " +
                      command + "\n} 2>&1";
    Output output;
    FILE* pipe = ::popen(line.c_str(), "r");
    if (pipe == nullptr) return output;
    char buffer[4096];
    while (const auto got = ::fread(buffer, 1, sizeof buffer, pipe)) output.text.append(buffer, got);
    const int status = ::pclose(pipe);
    output.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    return output;
  }
  /// Wait until a shell command succeeds, ten seconds at most.
  ::testing::AssertionResult comes_true(const std::string& command) const {
    Output output;
    for (int i = 0; i < 200; ++i) {
      output = shell(command);
      if (output.code == 0) return ::testing::AssertionSuccess();
      ::usleep(50'000);
    }
    return ::testing::AssertionFailure() << command << ": " << output.text;
  }
  std::string make(const std::string& name, std::size_t size, char fill = 'a') {
    const auto path = mount + "/" + name;
    std::ofstream(path) << std::string(size, fill);
    return path;
  }
  static std::string content(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  void request(const std::string& path, std::uint32_t action, int expected = 0) {
    struct {
      hsm_request head;
      hsm_user_item item;
    } message{};
    message.head.hr_action = action;
    message.head.hr_itemcount = 1;
    lu_fid fid{};
    ASSERT_EQ(llapi_path2fid(path.c_str(), &fid), 0);
    message.item = {fid, k_whole};
    ASSERT_EQ(llapi_hsm_request(mount.c_str(), reinterpret_cast<hsm_user_request*>(&message)), expected);
  }
  hsm_action_item receive() {
    if (ct == nullptr) {
      EXPECT_EQ(llapi_hsm_copytool_register(&ct, mount.c_str(), 0, nullptr, 0), 0);
    }
    hsm_action_list* list = nullptr;
    int size = 0;
    EXPECT_EQ(llapi_hsm_copytool_recv(ct, &list, &size), 0);
    hsm_action_item item{};
    std::memcpy(static_cast<void*>(&item), reinterpret_cast<char*>(list + 1) + 8, sizeof item);
    return item;
  }
  void archive(const std::string& path, std::uint32_t flags = 0) {
    request(path, HUA_ARCHIVE);
    const auto item = receive();
    hsm_copyaction_private* action = nullptr;
    ASSERT_EQ(llapi_hsm_action_begin(&action, ct, &item, -1, 0, false), 0);
    ASSERT_EQ(llapi_hsm_action_end(&action, &k_whole, 0, 0), 0);
    ASSERT_EQ(state(path), HS_EXISTS | HS_ARCHIVED | flags);
  }
  void archive_and_release(const std::string& path) {
    archive(path);
    request(path, HUA_RELEASE);
    ASSERT_EQ(state(path), HS_EXISTS | HS_ARCHIVED | HS_RELEASED);
  }
  static std::uint32_t state(const std::string& path) {
    hsm_user_state state{};
    EXPECT_EQ(llapi_hsm_state_get(path.c_str(), &state), 0);
    return state.hus_states;
  }
  static struct stat stat_of(const std::string& path) {
    struct stat st {};
    EXPECT_EQ(::stat(path.c_str(), &st), 0);
    return st;
  }
  /// Return what a child process gets from `run`, as a small non-negative number.
  template <class F>
  static int in_child(F run) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(run());
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WEXITSTATUS(status);
  }

  std::string base;
  std::string mount;
  hsm_copytool_private* ct = nullptr;
};

}  // namespace lhsm::emulator
