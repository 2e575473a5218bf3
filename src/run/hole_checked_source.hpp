// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "lhsmtool_mpi/copy/bytes.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"
#include "lhsmtool_mpi/lustre/layout.hpp"

namespace lhsm::run {

/// A file of Lustre whose holes are believed only if no object of it is lost: of a lost one Lustre says that it is a hole, unless
/// somebody reads it (EIO). The layout is looked at when the first hole is met. All references outlive it.
class HoleCheckedSource final : public copy::ByteSource {
 public:
  HoleCheckedSource(copy::ByteSource& source, lustre::Client& client, int fd) : m_source(source), m_client(client), m_fd(fd) {}

  [[nodiscard]] Outcome<std::size_t> read_at(std::span<std::byte> out, std::uint64_t offset) override {
    return m_source.read_at(out, offset);
  }
  [[nodiscard]] Outcome<std::optional<Extent>> next_data(Extent range) override {
    if (m_are_believed == false) return range;
    LHSM_TRY_ASSIGN(const auto data, m_source.next_data(range));
    if (m_are_believed || range.length == 0 || (data && data->offset == range.offset)) return data;
    LHSM_TRY_ASSIGN(const auto layout, m_client.layout(m_fd));
    m_are_believed = !layout || !lustre::has_lost_objects(*layout);
    return *m_are_believed ? data : range;
  }

 private:
  copy::ByteSource& m_source;
  lustre::Client& m_client;
  int m_fd;
  std::optional<bool> m_are_believed;  // nothing: not known yet
};

}  // namespace lhsm::run
