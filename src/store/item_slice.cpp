// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/store/item_slice.hpp"

#include <cassert>
#include <type_traits>

namespace lhsm::store {

namespace {

/// Set `value` to row `i` of a column, if that was read.
template <class T, class V>
void get(const std::vector<T>& column, std::size_t i, V& value) {
  if (!column.empty()) value = static_cast<V>(column[i]);
}

template <class T, class V>
void put(std::vector<T>& column, std::size_t i, V value) {
  if (!column.empty()) column[i] = static_cast<T>(value);
}

}  // namespace

void ItemSlice::clear() {
  for_each_column(*this, [](Column, const char*, auto& column) { column.clear(); });
  path_bytes.clear();
  path_end.clear();
}

void ItemSlice::push_back(const Item& item) {
  const std::size_t i = path_end.size();
  path_bytes += item.path;
  path_end.push_back(path_bytes.size());
  for_each_column(*this, [](Column, const char*, auto& column) { column.emplace_back(); });
  fid_seq[i] = item.fid.seq;
  fid_oid[i] = item.fid.oid;
  fid_ver[i] = item.fid.ver;
  size[i] = item.size;
  blocks[i] = item.blocks;
  uid[i] = item.uid;
  gid[i] = item.gid;
  projid[i] = item.projid;
  mtime[i] = item.mtime_ns;
  archive_id[i] = item.archive_id;
  stripe_size[i] = item.stripe_size;
  stripe_count[i] = item.stripe_count;
  hsm_state[i] = item.hsm_state;
  mdt_index[i] = item.mdt_index;
  links[i] = item.links;
  volume[i] = item.volume;
  position[i] = item.position;
  action[i] = item.action;
  set_outcome(i, item.outcome);
}

void ItemSlice::push_row(const ItemSlice& other, std::size_t i) { push_back(other.item(i)); }

std::string_view ItemSlice::path(std::size_t i) const {
  const std::uint64_t begin = i == 0 ? 0 : path_end[i - 1];
  return std::string_view(path_bytes).substr(begin, path_end[i] - begin);
}

Item ItemSlice::item(std::size_t i) const {
  Item item;
  get(fid_seq, i, item.fid.seq);
  get(fid_oid, i, item.fid.oid);
  get(fid_ver, i, item.fid.ver);
  if (!path_end.empty()) item.path = path(i);
  get(size, i, item.size);
  get(blocks, i, item.blocks);
  get(uid, i, item.uid);
  get(gid, i, item.gid);
  get(projid, i, item.projid);
  get(mtime, i, item.mtime_ns);
  get(archive_id, i, item.archive_id);
  get(stripe_size, i, item.stripe_size);
  get(stripe_count, i, item.stripe_count);
  get(hsm_state, i, item.hsm_state);
  get(mdt_index, i, item.mdt_index);
  get(links, i, item.links);
  get(volume, i, item.volume);
  get(position, i, item.position);
  get(action, i, item.action);
  get(result, i, item.outcome.result);
  get(sys_errno, i, item.outcome.sys_errno);
  get(attempts, i, item.outcome.attempts);
  get(has_digest, i, item.outcome.has_digest);
  get(digest, i, item.outcome.digest);
  get(seconds, i, item.outcome.seconds);
  get(rank, i, item.outcome.rank);
  get(bytes_copied, i, item.outcome.bytes_copied);
  get(first_start, i, item.outcome.first_start_ns);
  get(last_start, i, item.outcome.last_start_ns);
  get(end, i, item.outcome.end_ns);
  return item;
}

void ItemSlice::set_outcome(std::size_t i, const ItemOutcome& outcome) {
  put(result, i, outcome.result);
  put(sys_errno, i, outcome.sys_errno);
  put(attempts, i, outcome.attempts);
  put(has_digest, i, outcome.has_digest);
  put(digest, i, outcome.digest);
  put(seconds, i, outcome.seconds);
  put(rank, i, outcome.rank);
  put(bytes_copied, i, outcome.bytes_copied);
  put(first_start, i, outcome.first_start_ns);
  put(last_start, i, outcome.last_start_ns);
  put(end, i, outcome.end_ns);
}

}  // namespace lhsm::store
