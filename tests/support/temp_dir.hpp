// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A fresh directory for one test. It is left behind, and named, when the test failed.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <stdexcept>
#include <string>
#include <system_error>

namespace lhsm::test {

class TempDir {
 public:
  TempDir() {
    const char* base = std::getenv("TMPDIR");
    std::string name = std::string(base != nullptr ? base : "/tmp") + "/lhsm-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
    m_path = name;
  }
  ~TempDir() {
    if (::testing::Test::HasFailure()) {
      std::cerr << "left behind: " << m_path.string() << '\n';
      return;
    }
    std::error_code ignored;
    std::filesystem::remove_all(m_path, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return m_path; }
  [[nodiscard]] std::string str() const { return m_path.string(); }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return m_path / name; }

 private:
  std::filesystem::path m_path;
};

inline void write_file(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary);
  out << content;
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  // Of the one file that was opened: an object of that name may be replaced meanwhile.
  std::string content;
  for (char buffer[64 * 1024]; in.read(buffer, sizeof buffer), in.gcount() > 0;)
    content.append(buffer, static_cast<std::size_t>(in.gcount()));
  return content;
}

/// Return the paths of all below `root` that is no directory, relative to it.
inline std::set<std::string> files_below(const std::filesystem::path& root) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
    if (entry.is_symlink() || !entry.is_directory()) names.insert(entry.path().lexically_relative(root).string());
  return names;
}

/// Return what stat(2) says; the test fails if it fails.
inline struct stat stat_of(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status;
}

}  // namespace lhsm::test
