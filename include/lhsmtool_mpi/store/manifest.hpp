// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The manifest of a bulk job, an HDF5 file of columns (docs/manifest-format.md): what was to be done, and what has
// become of it. A manifest that has its name is complete and never changes: a new snapshot is a new file.
//
// One object is used by one thread at a time; different objects by different threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/store/disk.hpp"
#include "lhsmtool_mpi/store/item_slice.hpp"

namespace lhsm::store {

inline constexpr std::uint32_t k_manifest_version = 1;

/// Return whether an open file begins as manifests do; it may be damaged all the same. Reads a few bytes.
[[nodiscard]] bool looks_like_manifest(int fd);

/// Writes a manifest under a temporary name in the directory of its own. Rows are written in slices: memory does
/// not grow with their number. Done under the job's lock: whoever holds that removes temporary files that lie there
/// when it begins. Errors are those of the file system (no_space …); after one, only destroy it.
class ManifestWriter {
 public:
  /// Whether finish() may take the place of a file that has the name.
  enum class Replace { no, yes };

  /// `identity` of a new job is ManifestIdentity::make(). `disk` must outlive the writer.
  [[nodiscard]] static Outcome<ManifestWriter> create(const std::string& path, const ManifestAttributes& attributes,
                                                      const ManifestIdentity& identity, Replace replace,
                                                      Disk& disk = Disk::real());
  ~ManifestWriter();  ///< removes the temporary file when finish() was not reached
  ManifestWriter(ManifestWriter&&) noexcept;
  ManifestWriter& operator=(ManifestWriter&&) noexcept;

  [[nodiscard]] Status append(const Item& item);
  /// Append a slice that holds all columns.
  [[nodiscard]] Status append(const ItemSlice& slice);
  /// Return the number of the volume of that name, a new one when it has none yet. Names are kept in memory.
  [[nodiscard]] std::uint32_t volume(const std::string& name);
  void add_run(const RunRecord& run);

  /// Write out, sync, give the file its name and sync the directory: when it returns, the manifest is there
  /// for good. EEXIST when it may not replace what has the name. Nothing may be appended after it. `may_be_named` is asked when all but
  /// the name is done; its error keeps the name from being given, and is the result.
  [[nodiscard]] Status finish(const std::function<Status()>& may_be_named = {});

 private:
  struct State;
  explicit ManifestWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> m_state;
};

/// Reads a manifest in slices. What is no manifest, cut short, altered or of a newer format is an error of kind
/// `corrupt`, `invalid` or `unsupported`, whose one line says which.
class ManifestReader {
 public:
  /// Whether open() reads the whole file once and compares its checksum. Without, only the head is looked at, and a
  /// damaged file may end the process inside the HDF5 library.
  enum class Verify { head, whole };

  [[nodiscard]] static Outcome<ManifestReader> open(const std::string& path, Verify verify = Verify::whole);
  /// Return whose manifest it is, from its first bytes alone.
  [[nodiscard]] static Outcome<ManifestIdentity> identity_of(const std::string& path);
  ~ManifestReader();
  ManifestReader(ManifestReader&&) noexcept;
  ManifestReader& operator=(ManifestReader&&) noexcept;

  [[nodiscard]] std::uint64_t item_count() const;
  [[nodiscard]] const ManifestIdentity& identity() const;
  [[nodiscard]] const ManifestAttributes& attributes() const;
  [[nodiscard]] const std::vector<std::string>& volumes() const;
  [[nodiscard]] const std::vector<RunRecord>& runs() const;

  /// Read `columns` of the rows [first, first + count) into `slice`, which is cleared first. The rows must exist.
  [[nodiscard]] Status read(std::uint64_t first, std::size_t count, Columns columns, ItemSlice& slice);

 private:
  struct State;
  explicit ManifestReader(std::unique_ptr<State> state);
  std::unique_ptr<State> m_state;
};

}  // namespace lhsm::store
