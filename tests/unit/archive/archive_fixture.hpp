// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <memory>
#include <string>

#include "lhsmtool_mpi/archive/posix_backend.hpp"
#include "support/temp_dir.hpp"

namespace lhsm::archive {

inline constexpr Fid k_fid{0x200000401, 0x1, 0x0};
/// Where lhsmtool_posix puts k_fid, typed by hand.
inline const std::string k_object_v1 = "0001/0000/0401/0000/0002/0000/0x200000401:0x1:0x0";
inline const std::string k_object_v2 = "0400/0x200000401:0x1:0x0";

/// An archive in a temporary directory, and short words for what tests do with it.
class ArchiveFixture : public ::testing::Test {
 protected:
  test::TempDir m_dir;
  TreeFormat m_format = TreeFormat::v1;
  std::string m_owner;  ///< of backends that are opened from now on
  std::unique_ptr<Backend> m_backend = open_backend();

  [[nodiscard]] std::unique_ptr<Backend> open_backend() const {
    auto backend = open_posix_backend({.root = m_dir.str(), .format = m_format, .owner = m_owner});
    EXPECT_TRUE(backend.has_value());
    return backend ? std::move(*backend) : nullptr;
  }

  [[nodiscard]] std::filesystem::path object(const Fid& fid = k_fid) const {
    return m_dir / object_path(m_format, fid);
  }

  /// Make an object with this content, not yet published.
  [[nodiscard]] std::unique_ptr<ObjectWriter> begin(const std::string& content, const std::string& lov = {},
                                                    const Fid& fid = k_fid) {
    auto writer = m_backend->create(fid);
    EXPECT_TRUE(writer.has_value()) << writer.error().describe();
    if (!writer) return nullptr;
    EXPECT_TRUE((*writer)->write_at(std::as_bytes(std::span(content)), 0));
    if (!lov.empty()) {
      EXPECT_TRUE((*writer)->set_layout(lov));
    }
    return std::move(*writer);
  }

  [[nodiscard]] std::unique_ptr<Publication> publish(const std::string& content, const std::string& lov = {},
                                                     const Fid& fid = k_fid) {
    auto publication = begin(content, lov, fid)->publish();
    EXPECT_TRUE(publication.has_value()) << publication.error().describe();
    return publication ? std::move(*publication) : nullptr;
  }

  void store(const std::string& content, const std::string& lov = {}, const Fid& fid = k_fid) {
    EXPECT_TRUE(publish(content, lov, fid)->commit());
  }

  /// Return the content of the object as the backend reads it, or the error's text.
  [[nodiscard]] std::string load(const Fid& fid = k_fid) {
    const auto reader = m_backend->open(fid);
    if (!reader) return reader.error().describe();
    std::string content((*reader)->size(), '\0');
    EXPECT_EQ((*reader)->read_at(std::as_writable_bytes(std::span(content)), 0), content.size());
    return content;
  }

  [[nodiscard]] std::optional<std::string> load_layout(const Fid& fid = k_fid) {
    const auto layout = m_backend->layout(fid);
    EXPECT_TRUE(layout.has_value());
    return layout.value_or("an error");
  }

  /// Let a new process do something with a backend of its own, and be killed in the middle of it.
  void in_killed_process(const std::function<void()>& body) {
    m_backend.reset();
    const pid_t child = ::fork();
    if (child == 0) {
      m_backend = open_backend();
      body();
      ::kill(::getpid(), SIGKILL);
    }
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status));
    m_backend = open_backend();
  }

  /// Return all files but the tables of what is in the making.
  [[nodiscard]] std::set<std::string> files() const {
    auto found = test::files_below(m_dir.path());
    std::erase_if(found, [](const std::string& name) { return name.starts_with(".lhsmtool_mpi/"); });
    return found;
  }
};

}  // namespace lhsm::archive
