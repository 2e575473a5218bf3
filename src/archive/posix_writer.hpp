// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lhsmtool_mpi/archive/backend.hpp"
#include "lhsmtool_mpi/copy/fd_bytes.hpp"
#include "making_table.hpp"
#include "object_place.hpp"

namespace lhsm::archive {

class PosixWriter final : public ObjectWriter {
 public:
  /// `object` is the file `place.name() + "_tmp." + record.unique()`, open for writing; `changed` are directories that
  /// were made on its way and must be synced with it.
  PosixWriter(std::shared_ptr<const ObjectPlace> place, Fd object, Making record, std::vector<Fd> changed,
              copy::Direct direct);
  ~PosixWriter() override;
  PosixWriter(const PosixWriter&) = delete;
  PosixWriter& operator=(const PosixWriter&) = delete;

  [[nodiscard]] Status write_at(std::span<const std::byte> bytes, std::uint64_t offset) override;
  [[nodiscard]] Status sync() override;
  void start_writeback(Extent range) override;

  [[nodiscard]] std::string token() const override { return m_making; }
  [[nodiscard]] Outcome<std::string> ticket() const override;
  [[nodiscard]] Status set_size(std::uint64_t size) override;
  [[nodiscard]] Status set_attributes(const ObjectAttributes& attributes) override;
  [[nodiscard]] Status set_xattrs(const std::vector<Xattr>& xattrs) override;
  [[nodiscard]] Status set_layout(const std::string& lov) override;
  [[nodiscard]] Status set_digest(const copy::ObjectDigest& digest) override;
  [[nodiscard]] Outcome<std::unique_ptr<Publication>> publish() override;
  void keep() override;

 private:
  [[nodiscard]] std::string layout_name() const;
  [[nodiscard]] std::string digest_name() const;
  [[nodiscard]] Status keep_beside(const std::string& name, Fd& file, std::string_view bytes) const;
  [[nodiscard]] std::string subject() const { return m_place->full(m_making); }

  std::shared_ptr<const ObjectPlace> m_place;
  std::shared_ptr<Making> m_record;  // until the publication is over
  std::string m_making;
  std::string m_old;
  std::vector<Fd> m_changed;
  Fd m_object;
  Fd m_layout;
  Fd m_digest;  // the file beside the object, where it has no xattrs
  std::optional<copy::FdSink> m_sink;  // after m_object: it lets go of the descriptor first
  bool m_left = false;  // published, or kept
};

}  // namespace lhsm::archive
