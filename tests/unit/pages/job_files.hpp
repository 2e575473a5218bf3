// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Jobs on disk that were never carried out: manifests and journals with results as a test wants them.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "lhsmtool_mpi/pages/report.hpp"
#include "support/temp_dir.hpp"

namespace lhsm::pages {

using store::Item;
using store::ItemAction;
using store::ItemResult;

inline constexpr std::int64_t k_second = 1'000'000'000;
inline constexpr std::int64_t k_begin = 1'790'000'000 * k_second;

class PagesTest : public testing::Test {
 protected:
  static Item done_item(std::uint32_t n, std::uint64_t size, std::int64_t end_ns, float seconds,
                        std::int32_t rank = 0) {
    Item item;
    item.fid = {0x200000401, n + 1, 0};
    item.path = "dir/file" + std::to_string(n);
    item.size = size;
    item.action = ItemAction::restore;
    item.outcome.result = ItemResult::done;
    item.outcome.attempts = 1;
    item.outcome.rank = rank;
    item.outcome.seconds = seconds;
    item.outcome.bytes_copied = size;
    item.outcome.first_start_ns = end_ns - 5 * k_second;
    item.outcome.end_ns = end_ns;
    return item;
  }
  static Item failed_item(std::uint32_t n, ItemResult result, int sys_errno) {
    Item item = done_item(n, 100, k_begin + k_second, 0);
    item.outcome.result = result;
    item.outcome.sys_errno = sys_errno;
    item.outcome.bytes_copied = 0;
    return item;
  }
  static store::RunRecord run(std::int64_t begin_ns, std::int64_t end_ns) {
    store::RunRecord record;
    record.user = "tester";
    record.command_line = "lhsmtool_mpi restore job.h5 /mnt";
    record.ranks = 2;
    record.hosts = "node7,<node8>";
    record.begin_ns = begin_ns;
    record.end_ns = end_ns;
    return record;
  }
  static store::RunRecord scan_run(std::int64_t begin_ns, std::int64_t end_ns) {
    auto record = run(begin_ns, end_ns);
    record.command_line = "lhsmtool_mpi scan -o job.h5 /mnt";
    return record;
  }
  void make_manifest(const std::vector<Item>& items, const std::vector<store::RunRecord>& runs = {}) {
    auto writer = store::ManifestWriter::create(m_path, {"test", "scratch", "/mnt", "/archive", k_begin},
                                                store::ManifestIdentity::make(), store::ManifestWriter::Replace::yes);
    ASSERT_TRUE(writer) << writer.error().describe();
    for (const Item& item : items) ASSERT_TRUE(writer->append(item));
    for (const store::RunRecord& record : runs) writer->add_run(record);
    ASSERT_TRUE(writer->finish());
  }
  [[nodiscard]] store::SeenJob look() const {
    auto job = store::look_at_job(m_path);
    if (!job) throw Fatal(job.error());
    return std::move(*job);
  }
  /// Return what `write` puts into a file.
  [[nodiscard]] std::string written(const std::function<Status(Output&)>& write) const {
    auto out = Output::open(m_dir / "out");
    EXPECT_TRUE(out) << out.error().describe();
    const Status done = write(*out);
    EXPECT_TRUE(done) << done.error().describe();
    EXPECT_TRUE(out->finish());
    return test::read_file(m_dir / "out");
  }

  test::TempDir m_dir;
  std::string m_path = m_dir / "job.h5";
};

}  // namespace lhsm::pages
