// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/replacement_file.hpp"
#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::bulk {

struct FailedItem {
  Fid fid;
  std::string path;    ///< absolute; empty: unknown
  std::string result;  ///< in what way, in a word or two
  std::int32_t sys_errno = 0;
  std::uint32_t attempts = 0;
};

/// A list of files that failed: a .csv or .json with errno and text, else a list that can be read as one of a new job:
/// a path a line, or a FID where the path is unknown or holds a line end. The file has its name when it is complete.
/// One thread.
class FailedList {
 public:
  class Form;

  [[nodiscard]] static Outcome<FailedList> create(const std::string& path);
  ~FailedList();  ///< what was not finished leaves nothing behind
  FailedList(FailedList&&) noexcept;
  FailedList& operator=(FailedList&&) = delete;

  [[nodiscard]] Status add(const FailedItem& item);
  /// Return how many there are.
  [[nodiscard]] Outcome<std::uint64_t> finish();

 private:
  explicit FailedList(ReplacementFile file);
  [[nodiscard]] Status flush();

  std::unique_ptr<Form> m_form;
  ReplacementFile m_file;
  std::string m_buffer;
  std::uint64_t m_count = 0;
};

/// See before a long run that a list can be written there. `invalid` (EEXIST) where it would replace a manifest, or a file of the job
/// of `manifest`, which need not be there yet.
[[nodiscard]] Status try_failed_list(const std::string& path, const std::string& manifest);

}  // namespace lhsm::bulk
