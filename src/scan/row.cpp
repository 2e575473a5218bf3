// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/scan/row.hpp"

#include <cstring>

namespace lhsm::scan {

namespace {

/// A row without its path, which follows it.
struct Head {
  std::uint64_t seq;
  std::uint64_t size;
  std::uint64_t blocks;
  std::int64_t mtime_ns;
  std::uint64_t stripe_size;
  std::uint32_t oid;
  std::uint32_t ver;
  std::uint32_t stripe_count;
  std::uint32_t uid;
  std::uint32_t gid;
  std::uint32_t project_id;
  std::uint32_t archive_id;
  std::uint32_t hsm_state;
  std::uint32_t mdt_index;
  std::uint32_t links;
  std::uint32_t path_bytes;
  std::uint32_t padding;
};
static_assert(sizeof(Head) == 88);

}  // namespace

void append_row(std::string& block, const Row& row) {
  const Head head{row.fid.seq,      row.size,       row.blocks,    row.mtime_ns,
                  row.stripe_size,  row.fid.oid,    row.fid.ver,   row.stripe_count,
                  row.uid,          row.gid,        row.project_id, row.archive_id,
                  row.hsm_state,    row.mdt_index,  row.links,     static_cast<std::uint32_t>(row.path.size()),
                  0};
  block.append(reinterpret_cast<const char*>(&head), sizeof head);
  block += row.path;
}

Status for_each_row(std::string_view block, const std::function<void(const Row&)>& use) {
  Row row;
  while (!block.empty()) {
    Head head{};
    if (block.size() < sizeof head) return failure(ErrorKind::corrupt, EBADMSG, "read rows:", "a row is cut");
    std::memcpy(&head, block.data(), sizeof head);
    block.remove_prefix(sizeof head);
    if (block.size() < head.path_bytes) return failure(ErrorKind::corrupt, EBADMSG, "read rows:", "a path is cut");
    row.fid = {head.seq, head.oid, head.ver};
    row.path.assign(block.substr(0, head.path_bytes));
    block.remove_prefix(head.path_bytes);
    row.size = head.size;
    row.blocks = head.blocks;
    row.mtime_ns = head.mtime_ns;
    row.stripe_size = head.stripe_size;
    row.stripe_count = head.stripe_count;
    row.uid = head.uid;
    row.gid = head.gid;
    row.project_id = head.project_id;
    row.archive_id = head.archive_id;
    row.hsm_state = head.hsm_state;
    row.mdt_index = head.mdt_index;
    row.links = head.links;
    use(row);
  }
  return {};
}

}  // namespace lhsm::scan
