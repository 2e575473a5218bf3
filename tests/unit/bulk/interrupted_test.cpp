// SPDX-License-Identifier: LGPL-2.1-or-later
// Archives of large files that are interrupted, and gone on with by the next run of the job.
#include "job_fixture.hpp"
#include "support/faulty_backend.hpp"

namespace lhsm::bulk {
namespace {

using test::pattern;

/// Passes all on to the job, and stops all copies once so many pieces are done.
class StallingCopies final : public run::UnfinishedCopies {
 public:
  StallingCopies(Job& job, std::atomic<std::uint64_t>& bandwidth, int pieces)
      : m_job(job), m_bandwidth(bandwidth), m_pieces(pieces) {}

  [[nodiscard]] std::set<std::string> wanted_objects() const override { return m_job.wanted_objects(); }
  [[nodiscard]] std::optional<run::CopyVersion> known(const ActionItem& item) const override { return m_job.known(item); }
  [[nodiscard]] std::vector<run::CopiedPiece> take(const ActionItem& item) override {
    auto pieces = m_job.take(item);
    const std::lock_guard lock(m_mutex);
    m_pieces += static_cast<int>(pieces.size());  // these are told as done, too
    return pieces;
  }
  [[nodiscard]] bool piece_done(const ActionItem& item, const run::CopyVersion& version, run::CopiedPiece piece) override {
    const bool is_remembered = m_job.piece_done(item, version, std::move(piece));
    const std::lock_guard lock(m_mutex);
    if (--m_pieces <= 0) {
      m_bandwidth = 1;  // a byte a second
      m_changed.notify_all();
    }
    return is_remembered;
  }
  [[nodiscard]] bool wait() {
    std::unique_lock lock(m_mutex);
    return m_changed.wait_for(lock, 120s, [this] { return m_pieces <= 0; });
  }

 private:
  Job& m_job;
  std::atomic<std::uint64_t>& m_bandwidth;
  std::mutex m_mutex;
  std::condition_variable m_changed;
  int m_pieces;
};

class InterruptedTest : public JobTest {
 protected:
  InterruptedTest() {
    m_fid = new_file(m_before);
    make_manifest({m_fid});
  }

  /// Archive until so many more pieces are done, and stop then, also what runs. `at_that_moment`: before it is stopped.
  void interrupt(int pieces, const std::function<void()>& at_that_moment = [] {}) {
    open(ItemAction::archive);
    StallingCopies stalling(m_run->job(), m_bandwidth, pieces);
    m_bandwidth = 20 * k_MiB;
    m_dispatcher_options.bandwidth = &m_bandwidth;
    m_dispatcher_options.unfinished = &stalling;
    start(2);
    m_run->start("host", 2);
    EXPECT_TRUE(stalling.wait());
    at_that_moment();
    request_stop();
    request_stop();
    join();
    const JobReport report = end();
    EXPECT_EQ(report.census.left(), 1U) << "it was put back, and is not failed";
    m_dispatcher_options.bandwidth = nullptr;
  }
  [[nodiscard]] std::vector<store::ExtentRecord> pieces() const {
    const auto seen = store::look_at_job(m_run_options.manifest);
    EXPECT_TRUE(seen) << seen.error().describe();
    const auto& partial = seen->state.partial_files();
    return partial.contains(0) ? partial.at(0).extents : std::vector<store::ExtentRecord>();
  }
  /// Let the file have another content, of which Lustre knows nothing: what is read from now on is seen by it.
  void change_unseen() { test::write_file(m_lustre.path(m_fid), m_after); }
  [[nodiscard]] std::filesystem::path left_behind() const { return m_archive / *temporaries().begin(); }
  /// What the object is when just these pieces were not copied again.
  [[nodiscard]] std::string expected(const std::vector<store::ExtentRecord>& kept) const {
    std::string content = m_after;
    for (const auto& [row, extent, version, leaves] : kept)
      content.replace(extent.offset, extent.length, m_before, extent.offset, extent.length);
    return content;
  }
  void expect_archived_as(const std::string& content) {
    EXPECT_EQ(do_job(ItemAction::archive).census.with(ItemResult::done), 1U);
    EXPECT_TRUE(test::read_file(object(m_fid)) == content);
    EXPECT_EQ(temporaries(), std::set<std::string>{});
    copy::LeafDigester digester({0, content.size()}, content.size());
    digester.add(std::as_bytes(std::span(content)), 0);
    copy::DigestCollector collector(content.size());
    ASSERT_TRUE(collector.add({0, content.size()}, digester.finish()));
    EXPECT_EQ(items()[0].outcome.digest, collector.digest()->value);
    EXPECT_TRUE(pieces().empty());
  }

  const std::string m_before = pattern(32 * k_MiB + 777);
  const std::string m_after = pattern(32 * k_MiB + 777, 2);
  std::atomic<std::uint64_t> m_bandwidth = 0;
  Fid m_fid;
};

TEST_F(InterruptedTest, what_was_put_back_is_gone_on_with) {
  interrupt(5);
  const auto done = pieces();
  EXPECT_GE(done.size(), 5U);
  EXPECT_LT(done.size(), 32U);
  EXPECT_EQ(temporaries().size(), 1U);
  change_unseen();
  expect_archived_as(expected(done));
  std::uint64_t kept = 0;
  for (const auto& piece : done) kept += piece.extent.length;
  EXPECT_EQ(state().file_bytes, m_before.size() - kept) << "what this run has done";
  EXPECT_EQ(items()[0].outcome.bytes_copied, m_before.size() - kept);
}

TEST_F(InterruptedTest, a_run_that_lost_its_lock_stops_at_once_and_leaves_what_is_copied) {
  m_run_options.lock_heartbeat = 10ms;
  m_dispatcher_options.drain_timeout = 1h;
  m_run_options.lock_lost = [this] {
    m_stop.count = 2;
    m_hub->wake();
  };
  open(ItemAction::archive);
  StallingCopies stalling(m_run->job(), m_bandwidth, 5);
  m_bandwidth = 20 * k_MiB;
  m_dispatcher_options.bandwidth = &m_bandwidth;
  m_dispatcher_options.unfinished = &stalling;
  start(2);
  m_run->start("host", 2);
  EXPECT_TRUE(stalling.wait());
  std::filesystem::remove(m_run_options.manifest + ".lock");
  join();  // the copies that run would take days
  EXPECT_EQ(state().put_back, 1U);
  const auto report = m_run->close([](const JobReport&) { return 0; });
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().sys_errno, ESTALE);
  m_run.reset();
  EXPECT_FALSE(std::filesystem::exists(object(m_fid)));
  EXPECT_EQ(temporaries().size(), 1U) << "it is the next run's";

  m_stop.count = 0;
  m_dispatcher_options.bandwidth = nullptr;
  const auto done = pieces();
  EXPECT_GE(done.size(), 5U);
  change_unseen();
  expect_archived_as(expected(done));
}

TEST_F(InterruptedTest, what_a_dead_run_had_copied_is_gone_on_with) {
  std::vector<store::ExtentRecord> done;
  const auto files = {m_run_options.manifest, m_run_options.manifest + ".journal"};
  // The files of the job as a kill in that moment would leave them, once the records are there.
  interrupt(5, [&] {
    while (pieces().size() < 5) std::this_thread::yield();
    for (const std::string& file : files) std::filesystem::copy_file(file, file + ".then");
  });
  for (const std::string& file : files) std::filesystem::rename(file + ".then", file);
  done = pieces();
  ASSERT_GE(done.size(), 5U);
  change_unseen();
  expect_archived_as(expected(done));
}

TEST_F(InterruptedTest, folds_of_the_running_job_keep_what_is_copied) {
  m_run_options.fold = {.at_bytes = 256, .at_part = 0};
  std::uint64_t generation = 0;
  // A piece is about 100 bytes of journal.
  interrupt(12, [&] {
    do {
      generation = store::ManifestReader::open(m_run_options.manifest)->identity().generation;
      std::this_thread::yield();
    } while (generation < 3);
  });
  const auto done = pieces();
  EXPECT_GE(done.size(), 12U);
  change_unseen();
  expect_archived_as(expected(done));
}

TEST_F(InterruptedTest, again_and_again) {
  interrupt(4);
  const auto first = pieces();
  interrupt(4);
  const auto second = pieces();
  EXPECT_GE(second.size(), first.size() + 4);
  for (const auto& piece : first)
    EXPECT_TRUE(std::any_of(second.begin(), second.end(), [&](const auto& other) { return other.extent == piece.extent; }));
  EXPECT_EQ(temporaries().size(), 1U);
  change_unseen();
  expect_archived_as(expected(second));
}

TEST_F(InterruptedTest, a_file_that_changed_begins_anew) {
  interrupt(5);
  m_lustre.modify(m_fid, m_after);
  expect_archived_as(m_after);
}

TEST_F(InterruptedTest, a_file_of_another_size_begins_anew) {
  interrupt(5);
  const std::string longer = pattern(35 * k_MiB, 3);
  m_lustre.modify(m_fid, longer);
  expect_archived_as(longer);
}

TEST_F(InterruptedTest, without_its_object_it_begins_anew) {
  interrupt(5);
  std::filesystem::remove(left_behind());
  change_unseen();
  expect_archived_as(m_after);
}

TEST_F(InterruptedTest, with_a_shorter_object_it_begins_anew) {
  interrupt(5);
  std::filesystem::resize_file(left_behind(), 20 * k_MiB);
  change_unseen();
  expect_archived_as(m_after);
}

TEST_F(InterruptedTest, with_another_object_in_its_place_it_begins_anew) {
  interrupt(5);
  const auto place = left_behind();
  test::write_file(m_archive / "other", std::string(m_before.size(), 'x'));
  std::filesystem::rename(m_archive / "other", place);
  change_unseen();
  EXPECT_EQ(do_job(ItemAction::archive).census.with(ItemResult::done), 1U);
  EXPECT_TRUE(test::read_file(object(m_fid)) == m_after);
  EXPECT_TRUE(std::filesystem::remove(place)) << "a stranger is left to the next look for leftovers";
}

TEST_F(InterruptedTest, an_attempt_that_does_not_begin_takes_nothing_away) {
  interrupt(5);
  const auto done = pieces();
  change_unseen();
  std::atomic<int> begins = 0;
  m_lustre.before(Call::copy_start, [&begins](const Fid&) { return ++begins == 1 ? EIO : 0; });
  expect_archived_as(expected(done));
  EXPECT_EQ(begins, 2);
}

TEST_F(InterruptedTest, an_error_that_passes_takes_nothing_away) {
  interrupt(5);
  const auto done = pieces();
  change_unseen();
  auto faulty = std::make_unique<test::FaultyBackend>(std::move(m_backend));
  test::FaultyBackend& backend = *faulty;
  m_backend = std::move(faulty);
  backend.fail("resume", 1, EIO);
  expect_archived_as(expected(done));
  EXPECT_TRUE(backend.hit());
}

TEST_F(InterruptedTest, an_attempt_that_fails_leaves_nothing) {
  interrupt(5);
  m_run_options.job.attempts = 1;
  // Of all opens after the begin the first fails: an extent's.
  std::atomic<bool> has_begun = false;
  m_lustre.before(Call::copy_start, [&](const Fid&) { has_begun = true; return 0; });
  m_lustre.before(Call::open_by_fid, [&](const Fid&) { return has_begun ? EIO : 0; });
  EXPECT_EQ(do_job(ItemAction::archive).census.with(ItemResult::failed), 1U);
  EXPECT_EQ(temporaries(), std::set<std::string>{});
  EXPECT_TRUE(pieces().empty());
  m_lustre.before(Call::open_by_fid, [](const Fid&) { return 0; });
  m_run_options.takes_up_failed = true;
  change_unseen();
  expect_archived_as(m_after);
}

TEST_F(InterruptedTest, what_is_final_is_not_wanted) {
  interrupt(5);
  open(ItemAction::archive);
  EXPECT_EQ(m_run->job().wanted_objects().size(), 1U);
  // Another copytool did it.
  m_lustre.set_hsm_state(m_fid, k_archived);
  m_run->start("host", 0);
  EXPECT_TRUE(wait_for_fulfilment());
  EXPECT_EQ(m_run->job().wanted_objects(), std::set<std::string>{});
  EXPECT_EQ(end().census.with(ItemResult::already), 1U);
  EXPECT_TRUE(pieces().empty());
  std::filesystem::remove(left_behind());
}

}  // namespace
}  // namespace lhsm::bulk
