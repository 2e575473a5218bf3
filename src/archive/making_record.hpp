// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What stands in a table of objects in the making (making_table.hpp). A table is <root>/.lhsmtool_mpi/
// <process>.<n>: a header that tells whose it is, then records of one fixed size, all of it text:
//   header   "lhsmtool_mpi making 1\n<process>\n<host>\n<owner>\n", filled up with NUL; <owner> is PosixOptions::owner
//   record   "v1 <fid> <number>\n", filled up with NUL
// The names that a record stands for are <fid>_tmp.<process>-<number> and <fid>_old.<process>-<number>,
// <process> being that of the table's own name: whatever stands in it, no file of another process is meant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lhsmtool_mpi/archive/posix_backend.hpp"
#include "lhsmtool_mpi/base/process_identity.hpp"

namespace lhsm::archive {

inline constexpr const char* k_tables_dir = ".lhsmtool_mpi";
inline constexpr std::size_t k_table_header_bytes = 512;
inline constexpr std::size_t k_record_bytes = 64;  // divides a page: a record is written at once

struct MakingRecord {
  TreeFormat format = TreeFormat::v1;
  Fid fid;
  std::uint64_t number = 0;
};

/// Return the record's k_record_bytes.
[[nodiscard]] std::string record_text(const MakingRecord& record);
/// Nothing for what is no record.
[[nodiscard]] std::optional<MakingRecord> parse_record(std::string_view bytes);

/// Return the process' part of a table's name (16 hex digits), or nothing if `name` is no table's.
[[nodiscard]] std::optional<std::string> process_of_table(std::string_view name);

struct TableHeader {
  ProcessIdentity process;
  std::string owner;
};

/// Return the header's k_table_header_bytes for this process.
[[nodiscard]] std::string header_text(std::string_view owner);
[[nodiscard]] std::optional<TableHeader> parse_header(std::string_view bytes);

}  // namespace lhsm::archive
