// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The end of a restore without a daemon around it: killed before each of its steps, and overtaken by a
// rename. After a kill a new FileStore and Volatiles must find a file that is either still released or
// has all its data.
#include "daemon/layout_swap.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/data_version.hpp"
#include "core/socket.hpp"

namespace lhsm::emulator {
namespace {

constexpr std::uint32_t k_archived = abi::HS_EXISTS | abi::HS_ARCHIVED;
constexpr std::uint32_t k_released = k_archived | abi::HS_RELEASED;

/// What a daemon has of files, made anew after each kill.
struct Files {
  explicit Files(const std::string& path)
      : mount(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)),
        store(*mount, path, AttributeNames("trusted"), 1, *FidAllocator::load(*mount, 1)),
        volatiles(*Volatiles::open(*mount, store.names())),
        swaps(store, volatiles, *mount) {}
  Fid fid_of(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
    return *store.fid_of(*fd, -1);
  }
  Fd mount;
  FileStore store;
  Volatiles volatiles;
  LayoutSwap swaps;
};

class LayoutSwapTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    char name[] = "/var/tmp/lhsm_swap_test.XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    mount = name;
    path = mount + "/file";
    std::filesystem::create_directories(mount + "/.lustre/fid");
  }
  void TearDown() override {
    if (!HasFailure()) std::filesystem::remove_all(mount);
  }
  void write(const std::string& where, std::size_t size, char fill) const {
    std::ofstream(where) << std::string(size, fill);
  }
  static std::string content(const std::string& where) {
    std::ostringstream text;
    text << std::ifstream(where).rdbuf();
    return text.str();
  }
  /// Make the file a released one of `size` bytes.
  Fid release(Files& files, std::size_t size) {
    write(path, 0, 'x');
    EXPECT_EQ(::truncate(path.c_str(), static_cast<off_t>(size)), 0);
    const auto fid = files.fid_of(path);
    EXPECT_TRUE(files.store.set_hsm(fid, {k_released, 1, 1}));
    return fid;
  }
  /// Make a volatile with the data and restore from it; return the result, or what exchange() says.
  int restore(Files& files, const Fid& fid, std::size_t size) {
    const auto block = *files.store.volatile_fids(0, 1);
    const auto name = mount + "/" + k_fid_dir + "/" + block.first.str();
    write(name, size, 'd');
    const Fd open(::open(name.c_str(), O_RDWR | O_CLOEXEC));  // as its copytool has it
    int result = 1;
    files.store.new_round();
    files.swaps.start({1, fid, block.first, {k_archived, 1, 0}}, [&](int rc) { result = rc; });
    while (result == 1) files.swaps.process_events();
    return result;
  }
  void check_after_a_kill(std::size_t size, const std::string& step) {
    Files files(mount);
    files.store.new_round();
    const auto fid = files.fid_of(path);
    const auto file = files.store.view(fid);
    ASSERT_TRUE(file) << step;
    if ((file->hsm.flags & abi::HS_RELEASED) == 0) {
      EXPECT_EQ(content(path), std::string(size, 'd')) << step << ": not released, so all must be there";
      EXPECT_EQ(file->hsm.archive_version, *files.store.version_of(fid)) << step;
    }
    EXPECT_EQ(std::filesystem::file_size(path), size) << step;
    EXPECT_TRUE(std::filesystem::is_empty(mount + "/" + k_fid_dir)) << step;
    EXPECT_EQ(fid, original) << step;
  }
  void kill_at_every_step(std::size_t size, const std::vector<std::string>& steps) {
    for (const auto& step : steps) {
      {
        Files files(mount);
        original = release(files, size);
      }
      const pid_t child = ::fork();
      if (child == 0) {
        Files files(mount);
        files.fid_of(path);
        files.swaps.at_step = [&](std::string_view at) {
          if (at == step) ::kill(::getpid(), SIGKILL);
        };
        restore(files, original, size);
        ::_exit(0);
      }
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      ASSERT_TRUE(WIFSIGNALED(status)) << "no step named " << step;
      check_after_a_kill(size, step);
      std::filesystem::remove(path);
    }
  }

  std::string mount;
  std::string path;
  Fid original;
};

constexpr std::size_t k_large = 500'000;

TEST_F(LayoutSwapTest, killed_at_every_step_of_an_exchange) {
  kill_at_every_step(k_large, {"adopt", "set aside", "exchange", "check", "remove"});
}

TEST_F(LayoutSwapTest, killed_at_every_step_of_a_copy) { kill_at_every_step(1000, {"copy", "conclude"}); }

TEST_F(LayoutSwapTest, another_file_renamed_over_the_original_is_given_back) {
  Files files(mount);
  const auto fid = release(files, k_large);
  const auto other = mount + "/other";
  write(other, 7, 'o');
  // Somebody keeps the original alive, or there would be nothing to restore.
  const auto link = mount + "/link";
  files.swaps.at_step = [&](std::string_view at) {
    if (at != "exchange") return;
    ASSERT_EQ(::rename(path.c_str(), link.c_str()), 0);
    ASSERT_EQ(::rename(other.c_str(), path.c_str()), 0);
  };
  EXPECT_EQ(restore(files, fid, k_large), 0);
  EXPECT_EQ(content(path), std::string(7, 'o'));
  EXPECT_EQ(content(link), std::string(k_large, 'd')) << "the inode itself got the data";
  files.store.new_round();
  EXPECT_EQ(files.store.view(fid)->hsm.flags, k_archived);
  EXPECT_TRUE(std::filesystem::is_empty(mount + "/" + k_fid_dir));
}

TEST_F(LayoutSwapTest, killed_while_anothers_file_is_in_the_exchange) {
  const auto other = mount + "/other";
  {
    Files files(mount);
    original = release(files, k_large);
    write(other, 7, 'o');
  }
  const pid_t child = ::fork();
  if (child == 0) {
    Files files(mount);
    files.fid_of(path);
    files.swaps.at_step = [&](std::string_view at) {
      if (at == "exchange" && ::rename(other.c_str(), path.c_str()) != 0) ::_exit(1);
      if (at == "check") ::kill(::getpid(), SIGKILL);
    };
    restore(files, original, k_large);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  const Files files(mount);
  const auto kept = mount + "/" + k_fid_dir + "/" + original.str() + ".swap";
  EXPECT_EQ(content(kept), std::string(7, 'o')) << "it was never the emulator's";
}

}  // namespace
}  // namespace lhsm::emulator
