// SPDX-License-Identifier: LGPL-2.1-or-later
// Write the manifest that python_reads_manifest.py expects. Usage: write_sample_manifest MANIFEST
#include <fmt/format.h>

#include <cstdio>

#include "lhsmtool_mpi/store/manifest.hpp"

using namespace lhsm;
using namespace lhsm::store;

namespace {

Item item_of(std::uint32_t row, ManifestWriter& writer) {
  Item item;
  item.fid = {0x200000401, row + 1, 0};
  item.path = fmt::format("dir/\xff\n{}", row);
  item.size = std::uint64_t{row} << 33U;
  item.volume = writer.volume(row % 2 == 0 ? "A00001L9" : "A00002L9");
  item.action = ItemAction::restore;
  const bool failed = row % 1000 == 0;
  item.outcome.result = failed ? ItemResult::failed : ItemResult::done;
  item.outcome.sys_errno = failed ? 5 : 0;
  item.outcome.has_digest = row % 2 == 1;
  if (item.outcome.has_digest)
    for (std::uint8_t i = 0; i < 16; ++i) item.outcome.digest[i] = i;
  return item;
}

Status write(const std::string& path) {
  LHSM_TRY_ASSIGN(auto writer, ManifestWriter::create(path, {"sample", "scratch", "/mnt/scratch", "/archive", 1},
                                                      ManifestIdentity::make(), ManifestWriter::Replace::yes));
  for (std::uint32_t row = 0; row < 70'000; ++row) LHSM_TRY(writer.append(item_of(row, writer)));
  RunRecord run;
  run.user = "alice";
  run.begin_ns = 7;
  run.totals.results[1] = 2;
  writer.add_run(run);
  return writer.finish();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const Status written = write(argv[1]);
  if (!written) fmt::print(stderr, "{}\n", written.error().describe());
  return written ? 0 : 1;
}
