// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The making of a file in a new file system of the object that it has in the archive of an old one: a released file, and a second
// name of the object. The data are not touched.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lhsmtool_mpi/archive/beneath.hpp"
#include "lhsmtool_mpi/archive/import_marks.hpp"
#include "lhsmtool_mpi/archive/posix_tree.hpp"
#include "lhsmtool_mpi/comm/message.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"

namespace lhsm::bulk {

/// Return why an object is not of a file's last state, as a manifest has it; empty: it may be. `object_mtime` is in seconds.
[[nodiscard]] std::string_view why_stale(bool has_newer_data, std::int64_t mtime_ns, std::uint64_t size, std::int64_t object_mtime,
                                         std::uint64_t object_size);
/// Whether an HSM state says that the file has other data than its object.
[[nodiscard]] bool has_newer_data(std::uint32_t hsm_state);

/// Imports into one file system. Any thread; two never import names of one file at the same time (Job sees to it for a job).
class Importer {
 public:
  /// `client` is of the new file system; objects are those of `from`, and get their names in `to`, which may be the same. All outlive it.
  [[nodiscard]] static Outcome<Importer> open(lustre::Client& client, const archive::PosixTree& from, const archive::PosixTree& to,
                                              std::uint32_t archive_id);

  /// Import a file of the file system `source`. Done: it is there as a released file with its object, durable as far as the archive
  /// goes; already: it was; refused: its item tells no file. Failed, with nothing changed:
  ///   ENOENT    there is no object of it
  ///   ESTALE    the object is not of its last state: older than the manifest says, or of another size
  ///   EEXIST    something else has its path, or the name of its object; or it is another file than its other names
  ///   EXDEV     the two archives are not on one file system
  ///   ELOOP, ENOTDIR  a link, or no directory, is on the way to it
  /// and with what the system says where a call fails.
  [[nodiscard]] comm::FileDone import(const comm::FileToDo& file, const std::string& source) const;

 private:
  struct Place;   // where the file goes
  struct Errand;  // one file on its way

  Importer(lustre::Client& client, const archive::PosixTree& from, const archive::PosixTree& to, std::uint32_t archive_id,
           archive::Beneath mount)
      : m_client(client), m_from(from), m_to(to), m_archive_id(archive_id), m_mount(std::move(mount)) {}

  [[nodiscard]] Outcome<Place> find_place(const std::string& path) const;
  [[nodiscard]] Outcome<comm::FileAnswer> carry_out(const Errand& errand) const;
  [[nodiscard]] Outcome<comm::FileAnswer> look_at_existing(const Errand& errand, const Fd& file) const;
  [[nodiscard]] Outcome<comm::FileAnswer> create(const Errand& errand) const;
  [[nodiscard]] Status fill_in(const Errand& errand, const Fd& file) const;
  [[nodiscard]] Outcome<std::optional<Fid>> other_names(const Errand& errand) const;
  [[nodiscard]] Outcome<Fid> note_as_first(const Errand& errand, const Fid& file) const;
  [[nodiscard]] Status link_to(const Errand& errand, const Fid& first) const;
  [[nodiscard]] bool holds(const Errand& errand, const Fid& file) const;
  [[nodiscard]] static mode_t mode_of(const Errand& errand);
  void remove_elsewhere(const Fid& fid) const;
  void take_back(const Errand& errand, const std::optional<Fid>& object) const;

  lustre::Client& m_client;
  const archive::PosixTree& m_from;
  const archive::PosixTree& m_to;
  std::uint32_t m_archive_id;
  archive::Beneath m_mount;
};

}  // namespace lhsm::bulk
