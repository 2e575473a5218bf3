// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "hdf5_handles.hpp"
#include "lhsmtool_mpi/store/item_slice.hpp"

namespace lhsm::store {

inline constexpr const char* k_items_group = "/items";
inline constexpr const char* k_path_bytes = "path_bytes";
inline constexpr const char* k_path_offset = "path_offset";
inline constexpr std::size_t k_blob_chunk = std::size_t{1} << 20U;

/// The types that HDF5 has no names for.
struct ColumnTypes {
  Handle action;
  Handle result;
  Handle flag;
  Handle digest;

  /// Not ok() when the library failed.
  [[nodiscard]] static ColumnTypes make();
  [[nodiscard]] bool ok() const { return action && result && flag && digest; }

  /// Return the type of a column, in the file and in memory.
  template <class T>
  [[nodiscard]] hid_t of(const std::vector<T>&) const {
    if constexpr (std::is_same_v<T, ItemAction>)
      return *action;
    else if constexpr (std::is_same_v<T, ItemResult>)
      return *result;
    else if constexpr (std::is_same_v<T, Digest>)
      return *digest;
    else if constexpr (std::is_same_v<T, std::uint8_t>)
      return *flag;
    else if constexpr (std::is_same_v<T, std::uint64_t>)
      return H5T_STD_U64LE;
    else if constexpr (std::is_same_v<T, std::int64_t>)
      return H5T_STD_I64LE;
    else if constexpr (std::is_same_v<T, std::uint32_t>)
      return H5T_STD_U32LE;
    else if constexpr (std::is_same_v<T, std::int32_t>)
      return H5T_STD_I32LE;
    else {
      static_assert(std::is_same_v<T, float>);
      return H5T_IEEE_F32LE;
    }
  }
};

/// One column of /items: a dataset of one dimension, in chunks, compressed. Functions that fail leave the reason with
/// the library (hdf5_error).
class ColumnDataset {
 public:
  /// Not ok() when it could not be made, or opened.
  [[nodiscard]] static ColumnDataset create(hid_t group, const char* name, hid_t type, std::size_t chunk);
  [[nodiscard]] static ColumnDataset open(hid_t group, const char* name, hid_t type);
  [[nodiscard]] bool ok() const { return static_cast<bool>(m_dataset); }

  [[nodiscard]] std::uint64_t length() const { return m_length; }
  [[nodiscard]] bool append(const void* values, std::size_t count);
  /// The rows must exist.
  [[nodiscard]] bool read(std::uint64_t first, std::size_t count, void* values) const;
  [[nodiscard]] bool close() { return m_dataset.close(); }
  void abandon() { m_dataset.abandon(); }

 private:
  Handle m_dataset;
  hid_t m_type = -1;
  std::uint64_t m_length = 0;
};

}  // namespace lhsm::store
