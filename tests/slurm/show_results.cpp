// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Prints what became of the items of a job so far, by its manifest and its journal, a line each:
//   result attempts bytes-copied end-time path
// tab-separated, in the manifest's order. Scripts see from it that what was finished is not touched again.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "lhsmtool_mpi/store/job_files.hpp"

int main(int argc, char** argv) {
  using namespace lhsm;
  if (argc != 2) return 2;
  const auto failed = [](const Error& error) {
    fmt::print(stderr, "{}\n", error.describe());
    return 1;
  };
  auto job = store::look_at_job(argv[1]);
  if (!job) return failed(job.error());
  store::ItemSlice slice;
  for (std::uint64_t first = 0; first < job->manifest.item_count(); first += store::k_slice_rows) {
    const auto rows = static_cast<std::size_t>(std::min<std::uint64_t>(store::k_slice_rows, job->manifest.item_count() - first));
    if (const auto read = job->manifest.read(first, rows, store::Columns::all(), slice); !read) return failed(read.error());
    if (const auto overlaid = job->state.overlay(first, slice); !overlaid) return failed(overlaid.error());
    for (std::size_t i = 0; i < rows; ++i)
      fmt::print("{}\t{}\t{}\t{}\t{}\n", static_cast<int>(slice.result[i]), slice.attempts[i], slice.bytes_copied[i], slice.end[i],
                 slice.path(i));
  }
  return 0;
}
