// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Prints what scripts compare: for each item of a manifest
//   FID state archive size blocks uid gid project mtime stripe-size stripe-count MDT links path
// tab-separated, ended by a NUL, as a path may hold anything else.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "lhsmtool_mpi/store/manifest.hpp"

int main(int argc, char** argv) {
  using namespace lhsm;
  if (argc != 2) return 2;
  auto manifest = store::ManifestReader::open(argv[1]);
  if (!manifest) {
    fmt::print(stderr, "{}\n", manifest.error().describe());
    return 1;
  }
  store::ItemSlice slice;
  for (std::uint64_t first = 0; first < manifest->item_count(); first += store::k_slice_rows) {
    const auto rows = static_cast<std::size_t>(std::min<std::uint64_t>(store::k_slice_rows, manifest->item_count() - first));
    if (const auto read = manifest->read(first, rows, store::Columns::all(), slice); !read) {
      fmt::print(stderr, "{}\n", read.error().describe());
      return 1;
    }
    for (std::size_t i = 0; i < rows; ++i) {
      const store::Item item = slice.item(i);
      fmt::print("{}\t{:#x}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t", item.fid.bracketed(), item.hsm_state,
                 item.archive_id, item.size, item.blocks, item.uid, item.gid, item.projid, item.mtime_ns, item.stripe_size,
                 item.stripe_count, item.mdt_index, item.links);
      std::fwrite(item.path.data(), 1, item.path.size(), stdout);
      std::fputc('\0', stdout);
    }
  }
  return 0;
}
