// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <fmt/format.h>
#include <sys/stat.h>

#include <string>
#include <utility>

#include "lhsmtool_mpi/archive/backend.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/copy/fd_bytes.hpp"
#include "object_digest.hpp"

namespace lhsm::archive {

class PosixReader final : public ObjectReader {
 public:
  /// `path` is relative to the tree, which must outlive the reader.
  PosixReader(const Beneath& tree, std::string path, Fd fd, std::uint64_t size, copy::Direct direct)
      : m_tree(tree),
        m_path(std::move(path)),
        m_fd(std::move(fd)),
        m_size(size),
        m_subject(m_tree.full(m_path)),
        m_source(*m_fd, m_subject, direct) {}

  [[nodiscard]] std::uint64_t size() const override { return m_size; }
  [[nodiscard]] Outcome<std::string> version() const override {
    struct stat now {};
    if (::fstat(*m_fd, &now) != 0) return errno_error("fstat", m_subject);
    // Not the change time, which a second link moves, nor the device, which differs between clients.
    return fmt::format("{:x}.{:x}.{:x}.{:x}", now.st_ino, now.st_size, now.st_mtim.tv_sec, now.st_mtim.tv_nsec);
  }
  [[nodiscard]] Outcome<std::optional<copy::ObjectDigest>> digest() const override {
    return read_digest(m_tree, m_path, *m_fd);
  }
  [[nodiscard]] Outcome<timespec> modified() const override {
    struct stat now {};
    if (::fstat(*m_fd, &now) != 0) return errno_error("fstat", m_subject);
    return now.st_mtim;
  }
  [[nodiscard]] bool is_shared() const override {
    struct stat now {};
    return ::fstat(*m_fd, &now) == 0 && now.st_nlink > 1;
  }
  [[nodiscard]] Outcome<std::size_t> read_at(std::span<std::byte> out, std::uint64_t offset) override {
    return m_source.read_at(out, offset);
  }
  [[nodiscard]] Outcome<std::optional<Extent>> next_data(Extent range) override { return m_source.next_data(range); }

 private:
  const Beneath& m_tree;
  std::string m_path;
  Fd m_fd;
  std::uint64_t m_size;
  std::string m_subject;
  copy::FdSource m_source;
};

/// The object in the making of another rank.
class JoinedSink final : public copy::ByteSink {
 public:
  JoinedSink(Fd fd, std::string subject, copy::Direct direct)
      : m_fd(std::move(fd)), m_sink(*m_fd, std::move(subject), direct) {}

  [[nodiscard]] Status write_at(std::span<const std::byte> bytes, std::uint64_t offset) override {
    return m_sink.write_at(bytes, offset);
  }
  [[nodiscard]] Status sync() override { return m_sink.sync(); }
  void start_writeback(Extent range) override { m_sink.start_writeback(range); }

 private:
  Fd m_fd;
  copy::FdSink m_sink;
};

}  // namespace lhsm::archive
