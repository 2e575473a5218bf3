// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hdf5_columns.hpp"

#include <array>

namespace lhsm::store {

namespace {

constexpr unsigned k_deflate_level = 1;

Handle enum_of(hid_t base, std::initializer_list<const char*> names) {
  Handle type(H5Tenum_create(base), H5Tclose);
  std::uint8_t value = 0;
  for (const char* name : names) {
    if (!type || H5Tenum_insert(*type, name, &value) < 0) return {};
    ++value;
  }
  return type;
}

/// A chunk that is written or read in parts is kept until it is whole.
Handle access_with_cache(std::size_t chunk_bytes) {
  Handle access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
  if (access && H5Pset_chunk_cache(*access, 7, 2 * chunk_bytes, 1.0) < 0) access.reset();
  return access;
}

}  // namespace

ColumnTypes ColumnTypes::make() {
  ColumnTypes types;
  types.action = enum_of(H5T_STD_U8LE, {"none", "archive", "restore", "release", "remove"});
  types.result = enum_of(H5T_STD_U8LE, {"pending", "done", "already", "skipped", "failed", "cancelled", "refused"});
  types.flag = enum_of(H5T_STD_I8LE, {"FALSE", "TRUE"});  // h5py's and PyTables' bool
  const hsize_t bytes = Digest{}.size();
  types.digest = Handle(H5Tarray_create2(H5T_STD_U8LE, 1, &bytes), H5Tclose);
  return types;
}

ColumnDataset ColumnDataset::create(hid_t group, const char* name, hid_t type, std::size_t chunk) {
  ColumnDataset column;
  column.m_type = type;
  const hsize_t length = 0;
  const hsize_t most = H5S_UNLIMITED;
  const hsize_t rows = chunk;
  const std::size_t width = H5Tget_size(type);
  const Handle space(H5Screate_simple(1, &length, &most), H5Sclose);
  const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  const Handle access = access_with_cache(chunk * width);
  if (!space || !creation || !access || H5Pset_chunk(*creation, 1, &rows) < 0) return column;
  // Bytes of like meaning side by side: numbers that are near each other compress well so.
  const bool is_number = H5Tget_class(type) != H5T_ARRAY && width > 1;
  if (is_number && H5Pset_shuffle(*creation) < 0) return column;
  if (H5Pset_deflate(*creation, k_deflate_level) < 0) return column;
  column.m_dataset = Handle(H5Dcreate2(group, name, type, *space, H5P_DEFAULT, *creation, *access), H5Dclose);
  return column;
}

ColumnDataset ColumnDataset::open(hid_t group, const char* name, hid_t type) {
  ColumnDataset column;
  column.m_type = type;
  const std::int64_t length = array_length(group, name);
  const Handle access = access_with_cache(std::size_t{1} << 20U);
  if (length < 0 || !access) return column;
  column.m_length = static_cast<std::uint64_t>(length);
  Handle dataset(H5Dopen2(group, name, *access), H5Dclose);
  if (!dataset) return column;
  // A column of another type would be converted, or not, without a word.
  const Handle found(H5Dget_type(*dataset), H5Tclose);
  if (found && H5Tequal(*found, type) > 0) column.m_dataset = std::move(dataset);
  return column;
}

bool ColumnDataset::append(const void* values, std::size_t count) {
  if (count == 0) return true;
  const hsize_t first = m_length;
  const hsize_t rows = count;
  const hsize_t length = first + rows;
  if (H5Dset_extent(*m_dataset, &length) < 0) return false;
  const Handle file(H5Dget_space(*m_dataset), H5Sclose);
  const Handle memory(H5Screate_simple(1, &rows, nullptr), H5Sclose);
  if (!file || !memory) return false;
  if (H5Sselect_hyperslab(*file, H5S_SELECT_SET, &first, nullptr, &rows, nullptr) < 0) return false;
  if (H5Dwrite(*m_dataset, m_type, *memory, *file, H5P_DEFAULT, values) < 0) return false;
  m_length = length;
  return true;
}

bool ColumnDataset::read(std::uint64_t first, std::size_t count, void* values) const {
  if (count == 0) return true;
  const hsize_t begin = first;
  const hsize_t rows = count;
  const Handle file(H5Dget_space(*m_dataset), H5Sclose);
  const Handle memory(H5Screate_simple(1, &rows, nullptr), H5Sclose);
  if (!file || !memory) return false;
  return H5Sselect_hyperslab(*file, H5S_SELECT_SET, &begin, nullptr, &rows, nullptr) >= 0 &&
         H5Dread(*m_dataset, m_type, *memory, *file, H5P_DEFAULT, values) >= 0;
}

}  // namespace lhsm::store
