// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "lhsmtool_mpi/store/item.hpp"

namespace lhsm::store {

/// How many rows are best read or written at once: a chunk of each column.
inline constexpr std::size_t k_slice_rows = 65536;

// clang-format off
// From `result` on they change as the job goes on; so does hsm_state.
enum class Column : std::uint8_t {
  fid_seq, fid_oid, fid_ver, path, size, blocks, uid, gid, projid, mtime, archive_id, stripe_size, stripe_count,
  hsm_state, mdt_index, links, volume, position, action,
  result, sys_errno, attempts, has_digest, digest, seconds, rank, bytes_copied, first_start, last_start, end,
};
// clang-format on

/// A set of columns to read.
class Columns {
 public:
  constexpr Columns(std::initializer_list<Column> columns) {
    for (const Column column : columns) m_bits |= bit(column);
  }
  [[nodiscard]] static constexpr Columns all() {
    Columns columns{};
    columns.m_bits = ~std::uint64_t{0};
    return columns;
  }
  constexpr void add(Column column) { m_bits |= bit(column); }
  [[nodiscard]] constexpr bool has(Column column) const { return (m_bits & bit(column)) != 0; }

 private:
  static constexpr std::uint64_t bit(Column column) { return std::uint64_t{1} << static_cast<unsigned>(column); }
  std::uint64_t m_bits = 0;
};

/// Some consecutive rows, column by column. Columns that were not asked for are empty.
struct ItemSlice {
  std::vector<std::uint64_t> fid_seq;
  std::vector<std::uint32_t> fid_oid;
  std::vector<std::uint32_t> fid_ver;
  std::string path_bytes;               ///< the paths, one after the other
  std::vector<std::uint64_t> path_end;  ///< where each ends in path_bytes
  std::vector<std::uint64_t> size;
  std::vector<std::uint64_t> blocks;
  std::vector<std::uint32_t> uid;
  std::vector<std::uint32_t> gid;
  std::vector<std::uint32_t> projid;
  std::vector<std::int64_t> mtime;
  std::vector<std::uint32_t> archive_id;
  std::vector<std::uint64_t> stripe_size;
  std::vector<std::uint32_t> stripe_count;
  std::vector<std::uint32_t> hsm_state;
  std::vector<std::uint32_t> mdt_index;
  std::vector<std::uint32_t> links;
  std::vector<std::uint32_t> volume;
  std::vector<std::uint64_t> position;
  std::vector<ItemAction> action;
  std::vector<ItemResult> result;
  std::vector<std::int32_t> sys_errno;
  std::vector<std::uint32_t> attempts;
  std::vector<std::uint8_t> has_digest;
  std::vector<Digest> digest;
  std::vector<float> seconds;
  std::vector<std::int32_t> rank;
  std::vector<std::uint64_t> bytes_copied;
  std::vector<std::int64_t> first_start;
  std::vector<std::int64_t> last_start;
  std::vector<std::int64_t> end;

  void clear();
  void push_back(const Item& item);
  /// Append row `i` of `other`; both hold all columns.
  void push_row(const ItemSlice& other, std::size_t i);
  [[nodiscard]] std::string_view path(std::size_t i) const;
  /// Return the item of row `i`; what belongs to columns that were not read has its initial value.
  [[nodiscard]] Item item(std::size_t i) const;
  void set_outcome(std::size_t i, const ItemOutcome& outcome);

  friend bool operator==(const ItemSlice&, const ItemSlice&) = default;
};

/// Call f(column, name in the file, vector) for each column of `slice` but the path, in the file's order.
template <class Slice, class F>
void for_each_column(Slice& slice, F f) {
  f(Column::fid_seq, "fid_seq", slice.fid_seq);
  f(Column::fid_oid, "fid_oid", slice.fid_oid);
  f(Column::fid_ver, "fid_ver", slice.fid_ver);
  f(Column::size, "size", slice.size);
  f(Column::blocks, "blocks", slice.blocks);
  f(Column::uid, "uid", slice.uid);
  f(Column::gid, "gid", slice.gid);
  f(Column::projid, "projid", slice.projid);
  f(Column::mtime, "mtime", slice.mtime);
  f(Column::archive_id, "archive_id", slice.archive_id);
  f(Column::stripe_size, "stripe_size", slice.stripe_size);
  f(Column::stripe_count, "stripe_count", slice.stripe_count);
  f(Column::hsm_state, "hsm_state", slice.hsm_state);
  f(Column::mdt_index, "mdt_index", slice.mdt_index);
  f(Column::links, "links", slice.links);
  f(Column::volume, "volume", slice.volume);
  f(Column::position, "position", slice.position);
  f(Column::action, "action", slice.action);
  f(Column::result, "result", slice.result);
  f(Column::sys_errno, "errno", slice.sys_errno);
  f(Column::attempts, "attempts", slice.attempts);
  f(Column::has_digest, "has_digest", slice.has_digest);
  f(Column::digest, "digest", slice.digest);
  f(Column::seconds, "seconds", slice.seconds);
  f(Column::rank, "rank", slice.rank);
  f(Column::bytes_copied, "bytes_copied", slice.bytes_copied);
  f(Column::first_start, "first_start", slice.first_start);
  f(Column::last_start, "last_start", slice.last_start);
  f(Column::end, "end", slice.end);
}

}  // namespace lhsm::store
