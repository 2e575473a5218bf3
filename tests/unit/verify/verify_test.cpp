// SPDX-License-Identifier: LGPL-2.1-or-later
// Verifications in one process: a dispatcher and some workers over loopback channels, on a real archive.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/xattr.h>

#include <map>
#include <thread>

#include "lhsmtool_mpi/comm/loopback.hpp"
#include "lhsmtool_mpi/verify/dispatcher.hpp"
#include "lhsmtool_mpi/verify/worker.hpp"
#include "support/memory_bytes.hpp"
#include "unit/archive/archive_fixture.hpp"
#include "verify/judge.hpp"
#include "verify/pace.hpp"

namespace lhsm::verify {
namespace {

constexpr std::uint64_t k_leaf = std::uint64_t{1} << 20U;

class RecordingObserver final : public Observer {
 public:
  std::function<void(const Finding&)> on_found;
  void update(const Totals&, TimePoint) override {}
  void found(const Finding& finding) override {
    EXPECT_FALSE(findings.contains(finding.candidate.row)) << "twice";
    findings[finding.candidate.row] = finding;
    if (on_found) on_found(finding);
  }
  std::map<std::uint64_t, Finding> findings;
};

class VerifyTest : public archive::ArchiveFixture {
 protected:
  VerifyTest() {
    m_options.stripe_threshold = 2 * k_leaf;
    m_options.extent_bytes = k_leaf;
  }
  [[nodiscard]] static Fid fid(std::uint64_t row) { return {0x200000401, static_cast<std::uint32_t>(row + 1), 0}; }
  /// Archive an object, with its digest if wanted.
  void archive(const std::string& content, bool with_digest = true) {
    const Fid fid = VerifyTest::fid(m_candidates.size());
    m_candidates.push_back({m_candidates.size(), fid, content.size(), true});
    auto writer = begin(content, {}, fid);
    ASSERT_TRUE(writer->set_attributes({}));
    if (with_digest) {
      copy::LeafDigester digester({0, content.size()}, content.size());
      digester.add(std::as_bytes(std::span(content)), 0);
      copy::DigestCollector collector(content.size());
      ASSERT_TRUE(collector.add({0, content.size()}, digester.finish()));
      ASSERT_TRUE(writer->set_digest(*collector.digest()));
    }
    auto publication = writer->publish();
    ASSERT_TRUE(publication) << publication.error().describe();
    ASSERT_TRUE((*publication)->commit());
  }
  /// An object as another copytool leaves it, quickly made.
  void put(const std::string& content) {
    const Fid fid = VerifyTest::fid(m_candidates.size());
    m_candidates.push_back({m_candidates.size(), fid, content.size(), true});
    test::write_file(object(fid), content);
  }
  /// Change a byte of the object and let its times as they are: what only the content tells.
  void damage(std::uint64_t row, std::uint64_t offset) {
    const auto path = object(fid(row));
    const auto before = test::stat_of(path);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    const char byte = static_cast<char>(file.get() ^ 1);
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(byte);
    file.close();
    const timespec times[2]{before.st_atim, before.st_mtim};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }
  /// Verify all candidates on so many ranks.
  bool verify(int ranks = 2) {
    comm::LoopbackHub hub(ranks);
    WorkerOptions worker_options{"build", "host", 2, k_leaf / 4, m_bytes_per_second};
    std::vector<std::jthread> workers;
    for (int rank = 0; rank < ranks; ++rank)
      workers.emplace_back([&, rank] { run_worker(hub.worker(rank), *m_backend, worker_options); });
    m_dispatcher = std::make_unique<Dispatcher>(hub, ranks, "build", m_options, m_observer);
    m_dispatcher->greet();
    std::size_t next = 0;
    const bool complete = m_dispatcher->run([&]() -> Outcome<std::optional<Candidate>> {
      return next < m_candidates.size() ? std::optional(m_candidates[next++]) : std::nullopt;
    });
    EXPECT_TRUE(m_dispatcher->dismiss());
    return complete;
  }
  [[nodiscard]] Verdict verdict(std::uint64_t row) const { return m_observer.findings.at(row).verdict; }

  std::uint64_t m_bytes_per_second = 0;  ///< of each rank
  DispatcherOptions m_options;
  RecordingObserver m_observer;
  std::vector<Candidate> m_candidates;
  std::unique_ptr<Dispatcher> m_dispatcher;
};

TEST_F(VerifyTest, each_object_gets_its_verdict) {
  archive(test::pattern(5000));
  archive(test::pattern(5000), false);
  archive(test::pattern(5000));
  damage(2, 4999);
  archive(test::pattern(5000));
  std::filesystem::remove(object(fid(3)));
  archive(test::pattern(5000));
  std::filesystem::resize_file(object(fid(4)), 4000);
  archive(test::pattern(5000), false);
  std::filesystem::resize_file(object(fid(5)), 6000);
  archive("");
  archive(test::pattern(100));
  std::filesystem::remove(object(fid(7)));
  std::filesystem::create_directory(object(fid(7)));
  EXPECT_TRUE(verify());
  ASSERT_EQ(m_observer.findings.size(), 8U);
  EXPECT_EQ(verdict(0), Verdict::verified);
  EXPECT_EQ(verdict(1), Verdict::unverified);
  EXPECT_EQ(verdict(2), Verdict::corrupt);
  EXPECT_EQ(m_observer.findings.at(2).error.sys_errno, EIO);
  EXPECT_EQ(verdict(3), Verdict::missing);
  EXPECT_EQ(m_observer.findings.at(3).error.sys_errno, ENOENT);
  EXPECT_EQ(verdict(4), Verdict::wrong_size);
  EXPECT_EQ(verdict(5), Verdict::wrong_size) << "without a digest the size is all there is";
  EXPECT_EQ(verdict(6), Verdict::verified);
  EXPECT_EQ(verdict(7), Verdict::unreadable);
  EXPECT_EQ(m_dispatcher->totals().failed(), 5U);
  EXPECT_EQ(m_dispatcher->totals().checked(), 8U);
  EXPECT_EQ(m_dispatcher->totals().bytes_read, 10'000U) << "what cannot be right is not read";
}

TEST_F(VerifyTest, large_objects_are_read_in_extents) {
  const std::string content = test::pattern(7 * k_leaf + 12345);
  archive(content);
  archive(content);
  damage(1, 6 * k_leaf + 1);
  archive(content, false);
  archive(content);
  std::filesystem::resize_file(object(fid(3)), 3 * k_leaf);
  archive(content);
  std::filesystem::remove(object(fid(4)));
  EXPECT_TRUE(verify(3));
  EXPECT_EQ(verdict(0), Verdict::verified);
  EXPECT_EQ(verdict(1), Verdict::corrupt);
  EXPECT_EQ(verdict(2), Verdict::unverified);
  EXPECT_EQ(verdict(3), Verdict::wrong_size);
  EXPECT_EQ(verdict(4), Verdict::missing);
  EXPECT_EQ(m_dispatcher->totals().bytes_read, 2 * content.size());
}

TEST_F(VerifyTest, holes_count_as_zeros) {
  archive(test::pattern(k_leaf) + std::string(5 * k_leaf, '\0') + test::pattern(10));
  std::filesystem::resize_file(object(fid(0)), k_leaf);  // the zeros become a hole
  std::ofstream(object(fid(0)), std::ios::binary | std::ios::in).seekp(6 * k_leaf) << test::pattern(10);
  // Where the digest stands beside the object it is tied to its time.
  const bool in_xattr = ::getxattr(object(fid(0)).c_str(), "user.lhsmtool_mpi.digest", nullptr, 0) > 0;
  EXPECT_TRUE(verify());
  EXPECT_EQ(verdict(0), in_xattr ? Verdict::verified : Verdict::unverified);
}

TEST_F(VerifyTest, a_changed_file_does_not_tell_its_objects_size) {
  archive(test::pattern(5000));
  archive(test::pattern(5000));
  std::filesystem::resize_file(object(fid(1)), 4000);
  for (Candidate& candidate : m_candidates) {
    candidate.size = 10 * k_leaf;
    candidate.size_matters = false;
  }
  EXPECT_TRUE(verify());
  EXPECT_EQ(verdict(0), Verdict::verified);
  const Verdict cut = verdict(1);  // unverified where a digest does not stay with an object that was written to
  EXPECT_TRUE(cut == Verdict::wrong_size || cut == Verdict::unverified);
}

TEST_F(VerifyTest, many_objects_go_to_all_ranks) {
  for (int i = 0; i < 2000; ++i) put("content " + std::to_string(i));
  EXPECT_TRUE(verify(4));
  EXPECT_EQ(m_dispatcher->totals().of(Verdict::unverified), 2000U);
}

TEST_F(VerifyTest, nothing_is_verified_at_once) {
  EXPECT_TRUE(verify());
  EXPECT_EQ(m_dispatcher->totals().checked(), 0U);
}

TEST_F(VerifyTest, a_stop_ends_it_in_order) {
  for (int i = 0; i < 600; ++i) put("x");
  m_observer.on_found = [this](const Finding&) { m_dispatcher->stop(); };
  EXPECT_FALSE(verify());
  EXPECT_GT(m_dispatcher->totals().checked(), 0U);
  EXPECT_LT(m_dispatcher->totals().checked(), 600U) << "no more than the ranks had in hand";
}

TEST_F(VerifyTest, a_limit_is_kept_and_changes_no_verdict) {
  archive(test::pattern(3 * k_leaf + 5));
  archive(test::pattern(k_leaf));
  archive(test::pattern(k_leaf));
  damage(2, k_leaf - 1);
  m_bytes_per_second = 8 * k_leaf;
  const TimePoint begun = std::chrono::steady_clock::now();
  EXPECT_TRUE(verify(2));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  EXPECT_EQ(verdict(0), Verdict::verified);
  EXPECT_EQ(verdict(1), Verdict::verified);
  EXPECT_EQ(verdict(2), Verdict::corrupt);
  EXPECT_EQ(m_dispatcher->totals().bytes_read, 5 * k_leaf + 5);
  EXPECT_GE(took.count(), 5.0 / 16) << "16 MiB/s on both";
}

TEST_F(VerifyTest, who_waits_for_his_bytes_hears_a_stop) {
  m_bytes_per_second = 1;
  archive(test::pattern(k_leaf));
  archive("");
  m_observer.on_found = [this](const Finding&) { m_dispatcher->stop(); };
  EXPECT_FALSE(verify(1));
  EXPECT_FALSE(m_observer.findings.contains(0)) << "it would take days";
}

TEST(Pace, pieces_are_what_flows_in_a_moment) {
  EXPECT_EQ(Pace(0).piece(4 * k_leaf), 4 * k_leaf);
  EXPECT_EQ(Pace(20 * k_leaf).piece(4 * k_leaf), k_leaf);
  EXPECT_EQ(Pace(20 * k_leaf).piece(5000), 5000U);
  EXPECT_EQ(Pace(20 * k_leaf + 100).piece(4 * k_leaf) % 4096, 0U);
  EXPECT_EQ(Pace(1).piece(4 * k_leaf), std::size_t{64} << 10U);
}

TEST(Pace, a_stop_ends_any_wait) {
  Pace pace(1);
  {
    const std::jthread first([&pace] { EXPECT_FALSE(pace.take(~std::size_t{0})) << "longer than time lasts"; });
    const std::jthread second([&pace] { EXPECT_FALSE(pace.take(~std::size_t{0})); });
    pace.stop();
  }
  EXPECT_FALSE(pace.take(1));
  EXPECT_TRUE(Pace(0).take(~std::size_t{0})) << "no limit";
}

TEST_F(VerifyTest, a_rank_without_the_archive_ends_the_run) {
  comm::LoopbackHub hub(1);
  const WorkerOptions options{"build", "n7", 1, 4096};
  const std::jthread worker([&] {
    run_unable_worker(hub.worker(0), options, {ErrorKind::not_found, ENOENT, "open", "/archive"});
  });
  Dispatcher dispatcher(hub, 1, "build", m_options, m_observer);
  try {
    dispatcher.greet();
    ADD_FAILURE() << "it was taken";
  } catch (const Fatal& error) {
    EXPECT_NE(std::string(error.what()).find("n7"), std::string::npos);
  }
  EXPECT_TRUE(dispatcher.dismiss());
}

TEST_F(VerifyTest, a_source_that_fails_ends_the_run) {
  comm::LoopbackHub hub(1);
  const WorkerOptions options{"build", "host", 1, 4096};
  const std::jthread worker([&] { run_worker(hub.worker(0), *m_backend, options); });
  Dispatcher dispatcher(hub, 1, "build", m_options, m_observer);
  dispatcher.greet();
  EXPECT_THROW(std::ignore = dispatcher.run(
                   []() -> Outcome<std::optional<Candidate>> { return errno_error("read", "job.h5", EIO); }),
               Fatal);
  EXPECT_TRUE(dispatcher.dismiss());
}

}  // namespace
}  // namespace lhsm::verify
