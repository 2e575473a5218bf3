// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <unistd.h>

#include <cassert>
#include <map>
#include <tuple>
#include <unordered_map>

#include "hdf5_columns.hpp"
#include "hdf5_tables.hpp"
#include "journal_file.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/store/manifest.hpp"
#include "manifest_seal.hpp"

namespace lhsm::store {

struct ManifestWriter::State {
  State(std::string p, const ManifestHead& h, Replace r, Disk& d)
      : path(std::move(p)), temporary(temporary_name(path)), head(h), replace(r), disk(d) {}
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Status open();
  Status flush();
  Status write_out();
  Failure error() {
    failed = true;
    return hdf5_error("write", temporary);
  }

  std::string path;
  std::string temporary;
  ManifestHead head;
  Replace replace;
  Disk& disk;
  bool exists = false;  // the temporary file
  bool failed = false;  // a call of the library

  ColumnTypes types;
  Handle file;
  Handle group;
  std::vector<ColumnDataset> columns;  // in the order of for_each_column, then path_bytes, path_offset
  ItemSlice rows;                      // not written yet: less than a slice
  std::vector<std::string> volumes;
  std::unordered_map<std::string, std::uint32_t> volume_numbers;
  std::vector<RunRecord> runs;
};

ManifestWriter::State::~State() {
  if (failed) {
    for (ColumnDataset& column : columns) column.abandon();
    group.abandon();
    file.abandon();
  }
  columns.clear();
  group.reset();
  file.reset();
  if (!exists) return;
  // A file that is abandoned would keep its space.
  if (failed) std::ignore = ::truncate(temporary.c_str(), 0);
  std::ignore = disk.remove(temporary);
}

Status ManifestWriter::State::open() {
  const QuietHdf5 quiet;
  types = ColumnTypes::make();
  const Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  if (!types.ok() || !creation || !access) return error();
  // No locks: the name is ours alone, and Lustre without -o flock has none. The oldest format that has all, for old
  // readers.
  if (H5Pset_userblock(*creation, k_seal_bytes) < 0 || H5Pset_file_locking(*access, false, true) < 0 ||
      H5Pset_libver_bounds(*access, H5F_LIBVER_EARLIEST, H5F_LIBVER_V18) < 0)
    return error();
  exists = true;  // also where it can be made but not written
  file = Handle(H5Fcreate(temporary.c_str(), H5F_ACC_EXCL, *creation, *access), H5Fclose);
  if (!file) return error();
  group = Handle(H5Gcreate2(*file, k_items_group, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
  if (!group) return error();
  const auto add = [&](const char* name, hid_t type, std::size_t chunk) {
    columns.push_back(ColumnDataset::create(*group, name, type, chunk));
  };
  for_each_column(rows,
                  [&](Column, const char* name, const auto& column) { add(name, types.of(column), k_slice_rows); });
  add(k_path_bytes, H5T_STD_U8LE, k_blob_chunk);
  add(k_path_offset, H5T_STD_U64LE, k_slice_rows);
  for (const ColumnDataset& column : columns)
    if (!column.ok()) return error();
  return {};
}

Status ManifestWriter::State::flush() {
  const QuietHdf5 quiet;
  bool ok = true;
  auto column = columns.begin();
  for_each_column(rows, [&](Column, const char*, const auto& values) {
    ok = ok && column->append(values.data(), values.size());
    ++column;
  });
  if (!ok) return error();
  // In the file they say where paths begin, counted from the first row.
  std::vector<std::uint64_t> offsets;
  offsets.reserve(rows.path_end.size());
  const std::uint64_t base = column->length();
  for (std::size_t i = 0; i < rows.path_end.size(); ++i) offsets.push_back(base + (i == 0 ? 0 : rows.path_end[i - 1]));
  if (!column->append(rows.path_bytes.data(), rows.path_bytes.size())) return error();
  if (!(++column)->append(offsets.data(), offsets.size())) return error();
  head.item_count += offsets.size();
  rows.clear();
  return {};
}

Status ManifestWriter::State::write_out() {
  LHSM_TRY(flush());
  const QuietHdf5 quiet;
  if (!write_head(*file, head) || !write_volumes(*file, volumes) || !write_runs(*file, runs)) return error();
  if (H5Fflush(*file, H5F_SCOPE_LOCAL) < 0) return error();
  for (ColumnDataset& column : columns)
    if (!column.close()) return error();
  if (!group.close() || !file.close()) return error();
  const Fd fd(::open(temporary.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) return errno_error("open", temporary);
  LHSM_TRY(write_seal(*fd, head.identity, temporary, disk));
  return disk.sync(*fd, temporary);
}

ManifestWriter::ManifestWriter(std::unique_ptr<State> state) : m_state(std::move(state)) {}
ManifestWriter::~ManifestWriter() = default;
ManifestWriter::ManifestWriter(ManifestWriter&&) noexcept = default;
ManifestWriter& ManifestWriter::operator=(ManifestWriter&&) noexcept = default;

Outcome<ManifestWriter> ManifestWriter::create(const std::string& path, const ManifestAttributes& attributes,
                                               const ManifestIdentity& identity, Replace replace, Disk& disk) {
  auto state = std::make_unique<State>(path, ManifestHead{identity, attributes, 0}, replace, disk);
  LHSM_TRY(state->open());
  return ManifestWriter(std::move(state));
}

Status ManifestWriter::append(const Item& item) {
  m_state->rows.push_back(item);
  return m_state->rows.path_end.size() < k_slice_rows ? Status{} : m_state->flush();
}

Status ManifestWriter::append(const ItemSlice& slice) {
  if (m_state->rows.path_end.empty() && slice.path_end.size() == k_slice_rows) {
    m_state->rows = slice;
    return m_state->flush();
  }
  for (std::size_t i = 0; i < slice.path_end.size(); ++i) LHSM_TRY(append(slice.item(i)));
  return {};
}

std::uint32_t ManifestWriter::volume(const std::string& name) {
  const auto number = static_cast<std::uint32_t>(m_state->volumes.size());
  const auto [entry, is_new] = m_state->volume_numbers.try_emplace(name, number);
  if (is_new) m_state->volumes.push_back(name);
  return entry->second;
}

void ManifestWriter::add_run(const RunRecord& run) { m_state->runs.push_back(run); }

Status ManifestWriter::finish(const std::function<Status()>& may_be_named) {
  State& state = *m_state;
  LHSM_TRY(state.write_out());
  if (may_be_named) LHSM_TRY(may_be_named());
  LHSM_TRY(state.replace == Replace::yes ? state.disk.rename(state.temporary, state.path)
                                         : state.disk.rename_new(state.temporary, state.path));
  state.exists = false;
  return state.disk.sync_directory_of(state.path);
}

}  // namespace lhsm::store
