// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A Lustre to be judged from outside, by liblustreapi, lfs and lctl alone. By default an emulated one,
// made for each test; with LHSM_TEST_MOUNT a real one, as root on a node that is client and MDS at once,
// with nothing else registered as copytool.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "conformance/llapi.hpp"
#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::conformance {
using namespace abi;

inline constexpr hsm_extent k_whole{0, k_whole_file};
inline constexpr std::uint32_t k_archived = HS_EXISTS | HS_ARCHIVED;
inline constexpr std::uint32_t k_released = k_archived | HS_RELEASED;

/// An item of a received list, with what its list says of it.
struct Item {
  hsm_action_item head{};
  std::string data;
  std::uint32_t archive_id = 0;
  std::uint64_t flags = 0;
};

struct Received {
  std::vector<Item> items;
  int bytes = 0;
  std::string fsname;
  const void* buffer = nullptr;
};

/// A line of hsm.actions.
struct ActionLine {
  std::string mdt, fid, action, status;
  std::uint64_t cookie = 0;
  std::uint32_t archive_id = 0;
};

class LustreTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  [[nodiscard]] bool is_emulated() const { return m_emulated; }

  // Programs -----------------------------------------------------------------------------------
  struct Output {
    int code = -1;
    std::string text;
  };
  [[nodiscard]] static Output shell(const std::string& command);
  /// Set a tunable on all MDTs; it is put back after the test.
  void set_param(const std::string& name, const std::string& value);
  [[nodiscard]] static std::string get_param(const std::string& name);
  static void hsm_control(const std::string& word);

  // Files --------------------------------------------------------------------------------------
  [[nodiscard]] std::string path(const std::string& name) const { return m_directory + "/" + name; }
  std::string make(const std::string& name, std::size_t size = 10);
  [[nodiscard]] static lu_fid fid_of(const std::string& path);
  [[nodiscard]] static std::string text_of(const lu_fid& fid);
  [[nodiscard]] static std::uint32_t state(const std::string& path);
  [[nodiscard]] static struct stat stat_of(const std::string& path);

  // Requests -----------------------------------------------------------------------------------
  struct Options {
    std::uint32_t archive_id = 0;
    std::uint64_t flags = 0;
    std::string data = {};
    hsm_extent extent = k_whole;
  };
  int submit(std::uint32_t what, const std::vector<lu_fid>& fids, const Options& options) const;
  int submit(std::uint32_t what, const std::vector<lu_fid>& fids) const { return submit(what, fids, Options{}); }
  int submit(std::uint32_t what, const std::string& path) const { return submit(what, {fid_of(path)}); }
  [[nodiscard]] static std::vector<ActionLine> actions();
  [[nodiscard]] static std::vector<ActionLine> actions_of(const lu_fid& fid);
  /// Wait until the last record of this action has this status.
  [[nodiscard]] static ::testing::AssertionResult ends_as(const lu_fid& fid, const std::string& action,
                                                          const std::string& status);
  /// Look again and again, until `is_true` or the patience of the tests is over.
  [[nodiscard]] static bool comes_true(const std::function<bool()>& is_true);

  // Copytool -----------------------------------------------------------------------------------
  void register_copytool(std::vector<int> archives = {});
  void unregister_copytool();
  /// Return the next list, or nothing when none comes.
  std::optional<Received> receive(hsm_copytool_private* from = nullptr);
  /// Return the next item, whatever list it comes in. A failure of the test when there is none.
  Item receive_one();
  int begin(const Item& item, int mdt = -1, int flags = 0);
  int progress(std::uint64_t offset, std::uint64_t length, int flags = 0);
  int end(int error = 0, hsm_extent extent = k_whole, int flags = 0);
  void archive(const std::string& path);
  void archive_and_release(const std::string& path);
  /// Receive, begin, fill the volatile with `size` bytes, end.
  int restore(const std::string& path, std::size_t size);
  [[nodiscard]] int mdt_of(const lu_fid& fid) const;
  /// Return what a child process gets from `run`, as a small non-negative number.
  static int in_child(const std::function<int()>& run);

  const Llapi& api = Llapi::get();
  std::string mount;
  hsm_copytool_private* ct = nullptr;
  hsm_copyaction_private* action = nullptr;

 private:
  bool m_emulated = true;
  std::string m_base;
  std::string m_directory;
  std::vector<Item> m_received;
  std::map<std::string, std::string> m_params;
};

}  // namespace lhsm::conformance
