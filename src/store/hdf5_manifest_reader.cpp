// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cassert>

#include "hdf5_columns.hpp"
#include "hdf5_tables.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/store/manifest.hpp"
#include "manifest_seal.hpp"

namespace lhsm::store {

struct ManifestReader::State {
  Status open(Verify verify);
  /// Open a column when it is first asked for; all have as many rows.
  Outcome<const ColumnDataset*> column(const char* name, hid_t type, ColumnDataset& dataset, bool per_item);
  Status read_paths(std::uint64_t first, std::size_t count, ItemSlice& slice);
  Failure error() const { return hdf5_error("read", path); }

  std::string path;
  Fd fd;  // HDF5 opens the same file by it, whatever has its name by then
  ManifestHead head;
  std::vector<std::string> volumes;
  std::vector<RunRecord> runs;
  ColumnTypes types;
  Handle file;
  Handle group;
  std::array<ColumnDataset, 32> columns;  // by Column
  ColumnDataset path_bytes;
};

Status ManifestReader::State::open(Verify verify) {
  fd = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_error("open", path);
  LHSM_TRY_ASSIGN(const ManifestSeal seal, read_seal(*fd, path));
  if (verify == Verify::whole) LHSM_TRY(verify_seal(*fd, seal, path));
  head.identity = seal.identity;
  const QuietHdf5 quiet;
  types = ColumnTypes::make();
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  if (!types.ok() || !access || H5Pset_file_locking(*access, false, true) < 0) return error();
  file = Handle(H5Fopen(fmt::format("/proc/self/fd/{}", *fd).c_str(), H5F_ACC_RDONLY, *access), H5Fclose);
  if (!file || !read_head(*file, head) || !read_volumes(*file, volumes) || !read_runs(*file, runs)) return error();
  group = Handle(H5Gopen2(*file, k_items_group, H5P_DEFAULT), H5Gclose);
  if (!group) return error();
  return {};
}

Outcome<ManifestIdentity> ManifestReader::identity_of(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_error("open", path);
  LHSM_TRY_ASSIGN(const ManifestSeal seal, read_seal(*fd, path));
  return seal.identity;
}

Outcome<const ColumnDataset*> ManifestReader::State::column(const char* name, hid_t type, ColumnDataset& dataset,
                                                            bool per_item) {
  if (!dataset.ok()) dataset = ColumnDataset::open(*group, name, type);
  if (!dataset.ok()) return corrupt(path, fmt::format("has no column {} of the right type", name));
  if (per_item && dataset.length() != head.item_count)
    return corrupt(path, fmt::format("column {} has {} rows instead of {}", name, dataset.length(), head.item_count));
  return &dataset;
}

Status ManifestReader::State::read_paths(std::uint64_t first, std::size_t count, ItemSlice& slice) {
  auto& dataset = columns[static_cast<std::size_t>(Column::path)];
  LHSM_TRY_ASSIGN(const ColumnDataset* offsets, column(k_path_offset, H5T_STD_U64LE, dataset, true));
  LHSM_TRY_ASSIGN(const ColumnDataset* bytes, column(k_path_bytes, H5T_STD_U8LE, path_bytes, false));
  // One more, which ends the last path, unless it ends with the bytes.
  const bool is_last = first + count == head.item_count;
  std::vector<std::uint64_t> begins(count + (is_last ? 0 : 1));
  if (!offsets->read(first, begins.size(), begins.data())) return error();
  if (is_last) begins.push_back(bytes->length());
  for (std::size_t i = 0; i < count; ++i)
    if (begins[i + 1] < begins[i] || begins[i + 1] > bytes->length()) return corrupt(path, "its paths overlap");
  slice.path_bytes.resize(static_cast<std::size_t>(begins[count] - begins[0]));
  if (!bytes->read(begins[0], slice.path_bytes.size(), slice.path_bytes.data())) return error();
  for (std::size_t i = 0; i < count; ++i) slice.path_end.push_back(begins[i + 1] - begins[0]);
  return {};
}

ManifestReader::ManifestReader(std::unique_ptr<State> state) : m_state(std::move(state)) {}
ManifestReader::~ManifestReader() = default;
ManifestReader::ManifestReader(ManifestReader&&) noexcept = default;
ManifestReader& ManifestReader::operator=(ManifestReader&&) noexcept = default;

namespace {

/// Whether the open file has lost its name: HDF5 opens none that has.
bool is_replaced(const Fd& fd) {
  struct stat status {};
  return fd && ::fstat(*fd, &status) == 0 && status.st_nlink == 0;
}

}  // namespace

Outcome<ManifestReader> ManifestReader::open(const std::string& path, Verify verify) {
  constexpr int k_attempts = 5;
  for (int attempt = 1;; ++attempt) {
    auto state = std::make_unique<State>();
    state->path = path;
    const Status opened = state->open(verify);
    if (opened) return ManifestReader(std::move(state));
    if (attempt == k_attempts || !is_replaced(state->fd)) return Failure(opened.error());
  }
}

std::uint64_t ManifestReader::item_count() const { return m_state->head.item_count; }
const ManifestIdentity& ManifestReader::identity() const { return m_state->head.identity; }
const ManifestAttributes& ManifestReader::attributes() const { return m_state->head.attributes; }
const std::vector<std::string>& ManifestReader::volumes() const { return m_state->volumes; }
const std::vector<RunRecord>& ManifestReader::runs() const { return m_state->runs; }

Status ManifestReader::read(std::uint64_t first, std::size_t count, Columns columns, ItemSlice& slice) {
  assert(first <= item_count() && count <= item_count() - first);
  const QuietHdf5 quiet;
  State& state = *m_state;
  slice.clear();
  if (count == 0) return {};
  Status status;
  for_each_column(slice, [&](Column id, const char* name, auto& values) {
    if (!status || !columns.has(id)) return;
    const auto column = state.column(name, state.types.of(values), state.columns[static_cast<std::size_t>(id)], true);
    if (!column) {
      status = Failure(column.error());
      return;
    }
    values.resize(count);
    if (!(*column)->read(first, count, values.data())) status = state.error();
  });
  if (status && columns.has(Column::path)) status = state.read_paths(first, count, slice);
  for (const auto action : slice.action)
    if (static_cast<std::uint8_t>(action) >= k_item_actions) return corrupt(state.path, "has an action that is none");
  for (const auto result : slice.result)
    if (static_cast<std::uint8_t>(result) >= k_item_results) return corrupt(state.path, "has a result that is none");
  return status;
}

}  // namespace lhsm::store
