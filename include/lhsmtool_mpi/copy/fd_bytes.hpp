// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "lhsmtool_mpi/copy/bytes.hpp"
#include "lhsmtool_mpi/copy/direct_mode.hpp"

namespace lhsm::copy {

/// Bytes of an open file. The descriptor is borrowed and must stay open; `subject` names it in errors.
class FdSource final : public ByteSource {
 public:
  FdSource(int fd, std::string subject, Direct direct = Direct::no);
  [[nodiscard]] Outcome<std::size_t> read_at(std::span<std::byte> out, std::uint64_t offset) override;
  /// Moves the descriptor's file offset (SEEK_DATA).
  [[nodiscard]] Outcome<std::optional<Extent>> next_data(Extent range) override;

 private:
  void advise_sequential(std::uint64_t offset);
  [[nodiscard]] Outcome<std::optional<Extent>> hole_or_end(Extent range) const;

  int m_fd;
  std::string m_subject;
  DirectMode m_direct;
  std::uint64_t m_next_offset = 0;
  bool m_advised = false;
};

class FdSink final : public ByteSink {
 public:
  FdSink(int fd, std::string subject, Direct direct = Direct::no);
  [[nodiscard]] Status write_at(std::span<const std::byte> bytes, std::uint64_t offset) override;
  [[nodiscard]] Status sync() override;
  void start_writeback(Extent range) override;

 private:
  int m_fd;
  std::string m_subject;
  DirectMode m_direct;
  bool m_writeback = true;
};

}  // namespace lhsm::copy
