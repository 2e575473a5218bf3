// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/bulk/row_source.hpp"

namespace lhsm::bulk {

/// Rows of one group, consecutive in a file.
struct RowSection {
  std::uint32_t group = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Sorted rows in a file without a name, by group.
struct SortedRows {
  Fd file;
  std::string path;  ///< for messages
  std::vector<RowSection> sections;
};

struct SorterLimits {
  std::size_t memory = std::size_t{64} << 20;      ///< bytes of rows that are sorted at once
  std::size_t merged = 256;                        ///< runs that are merged at once
  std::size_t buffer = std::size_t{256} << 10;     ///< bytes of each of them in memory
};

/// Sorts rows by group, key and row number in files beside `path`, which need not exist. In memory are `limits.memory`
/// bytes and a fifth more while rows are added, `limits.merged * limits.buffer` bytes while they are merged, and 24 bytes
/// for each group. On disk: about 56 bytes and its key for each row, twice while runs are merged.
class RowSorter {
 public:
  /// `is_stopped` is asked now and then; when it says so, what is being done fails with ECANCELED.
  RowSorter(std::string path, SorterLimits limits, std::function<bool()> is_stopped);

  /// The group is the row's. Keys are compared byte by byte.
  [[nodiscard]] Status add(std::string_view key, const Row& row);
  /// Sort what was added. Once, as the last.
  [[nodiscard]] Outcome<SortedRows> finish();

 private:
  struct Run {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };
  class Writer;
  class Reader;

  [[nodiscard]] Outcome<Fd> make_file() const;
  [[nodiscard]] Status spill();
  [[nodiscard]] Status merge(std::size_t first, std::size_t count, Writer& writer) const;
  [[nodiscard]] Status check_stop() const;

  std::string m_path;
  SorterLimits m_limits;
  std::function<bool()> m_is_stopped;
  Fd m_file;
  std::uint64_t m_size = 0;
  std::vector<Run> m_runs;
  std::vector<RowSection> m_sections;  // of the last run
  std::string m_rows;                  // not sorted yet
  std::vector<std::uint64_t> m_places;  // where each begins
};

/// Take the row at the front of `bytes` off and return it; nothing when there is none whole.
[[nodiscard]] std::optional<Row> take_row(std::string_view& bytes);

}  // namespace lhsm::bulk
