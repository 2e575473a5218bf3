// SPDX-License-Identifier: LGPL-2.1-or-later
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "whole_scan.hpp"

namespace lhsm::test {
namespace {

using ::testing::Each;
using ::testing::Field;
using ::testing::Gt;
using ::testing::SizeIs;
using Walk = WholeScan;

std::multiset<std::string> as_multiset(const std::set<std::string>& names) { return {names.begin(), names.end()}; }

TEST_F(Walk, finds_every_file_once_whatever_its_name) {
  for (const char* name : {"a", " ", "two\nlines", "\xff\xfe", "-rf", "*", "dir/in", "dir/.hidden", "dir/dir/dir/deep", "...",
                           "dir/.lustre/kept"})
    make(name);
  std::filesystem::create_directory(mount() / "empty");
  const auto wanted = as_multiset(files_below(mount()));
  for (const int ranks : {1, 2, 5}) {
    m_sink.rows.clear();
    EXPECT_TRUE(scan(ranks));
    EXPECT_EQ(found(), wanted) << ranks;
    EXPECT_EQ(m_totals.files, wanted.size());
    EXPECT_EQ(m_totals.bytes, wanted.size());
    EXPECT_EQ(m_totals.directories, 6U);
    EXPECT_EQ(m_totals.failed(), 0U);
  }
}

TEST_F(Walk, an_empty_tree_ends) {
  EXPECT_TRUE(scan(3));
  EXPECT_THAT(found(), SizeIs(0));
}

TEST_F(Walk, tells_what_is_known_of_a_file) {
  make("file", std::string(5000, 'x'));
  std::filesystem::create_hard_link(mount() / "file", mount() / "dir/other");
  EXPECT_TRUE(scan(1));
  ASSERT_THAT(m_sink.rows, SizeIs(2));
  const struct stat st = stat_of(mount() / "file");
  for (const scan::Row& row : m_sink.rows) {
    EXPECT_EQ(row.fid.oid, static_cast<std::uint32_t>(st.st_ino));
    EXPECT_EQ(row.size, 5000U);
    EXPECT_EQ(row.blocks, static_cast<std::uint64_t>(st.st_blocks));
    EXPECT_EQ(row.uid, st.st_uid);
    EXPECT_EQ(row.gid, st.st_gid);
    EXPECT_EQ(row.mtime_ns, st.st_mtim.tv_sec * 1'000'000'000 + st.st_mtim.tv_nsec);
    EXPECT_EQ(row.links, 2U);
  }
}

TEST_F(Walk, goes_by_xattrs_where_each_rank_forgot_the_old_ones) {
  for (const char* name : {"a", "dir/b", "dir/c"}) make(name);
  const auto by_xattrs = [this] {
    int count = 0;
    for (const auto& client : m_clients) count += client->described_by_xattrs;
    return count;
  };
  // Not before all have: one of them may be on the client of another.
  std::atomic<bool> is_too_early = false;
  std::atomic<int> forgetting = 0;
  std::atomic<int> forgotten = 0;
  m_prepare = [&](std::size_t, CountingClient& client) {
    client.before_describe = [&] { is_too_early = is_too_early || forgotten < 2; };
  };
  m_lustre.before(Call::forget_xattrs, [&](const Fid&) {
    // The other one gets its chance to look at something.
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
    if (++forgetting == 2)
      while (!is_too_early && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    ++forgotten;
    return 0;
  });
  EXPECT_TRUE(scan(2));
  EXPECT_EQ(m_lustre.calls(Call::forget_xattrs), 2);
  EXPECT_EQ(by_xattrs(), 3);
  EXPECT_FALSE(is_too_early);
  m_prepare = nullptr;

  m_lustre.fail(Call::forget_xattrs, EACCES);
  EXPECT_TRUE(scan(1));
  EXPECT_EQ(m_lustre.calls(Call::forget_xattrs), 3);
  EXPECT_EQ(by_xattrs(), 0);

  m_lustre.fail(Call::forget_xattrs, 0);
  m_options.keeps_locks = true;
  EXPECT_TRUE(scan(2));
  EXPECT_EQ(m_lustre.calls(Call::forget_xattrs), 3);
  EXPECT_EQ(by_xattrs(), 0);
  EXPECT_EQ(m_totals.files, 3U);
}

TEST_F(Walk, who_wants_what_is_released_asks_for_no_more) {
  make("file");
  const auto asked_if_released = [this](const char* state) {
    m_options.filter.states = {scan::parse_state(state).value()};
    EXPECT_TRUE(scan(1));
    return m_clients[0]->described_if_released == 1;
  };
  EXPECT_TRUE(asked_if_released("released"));
  EXPECT_EQ(m_totals.files, 1U);
  m_prepare = [](std::size_t, CountingClient& client) { client.knows_not_released = true; };
  EXPECT_TRUE(asked_if_released("released"));
  EXPECT_EQ(m_totals.files, 0U);
  EXPECT_EQ(m_totals.filtered, 1U);
  EXPECT_FALSE(asked_if_released("!released"));
  EXPECT_FALSE(asked_if_released("archived"));
  EXPECT_FALSE(asked_if_released("none"));
  m_options.keeps_locks = true;
  EXPECT_FALSE(asked_if_released("released"));
}

TEST_F(Walk, passes_over_what_is_no_file_and_follows_no_link) {
  make("dir/file");
  make(".lustre/fid/secret");
  std::filesystem::create_symlink("dir", mount() / "link");
  std::filesystem::create_symlink("dir/file", mount() / "link to file");
  ASSERT_EQ(::mkfifo((mount() / "fifo").c_str(), 0600), 0);
  EXPECT_TRUE(scan(2));
  EXPECT_EQ(found(), std::multiset<std::string>{"dir/file"});
  EXPECT_EQ(m_totals.others, 3U);
}

TEST_F(Walk, a_directory_that_has_become_a_link_costs_itself) {
  make("real/file");
  std::filesystem::create_symlink("real", mount() / "link");
  comm::LoopbackHub hub(1);
  std::jthread rank([&] { scan::run_worker(hub.worker(0), {"build", "host"}, m_lustre, m_options); });
  scan::Dispatcher dispatcher(hub, 1, "build", m_sink, m_observer);
  dispatcher.greet();
  EXPECT_TRUE(dispatcher.run({task("link"), task("gone"), task("real"), task("real/file")}, nullptr));
  EXPECT_TRUE(dispatcher.dismiss());
  EXPECT_EQ(found(), std::multiset<std::string>{"real/file"});
  EXPECT_EQ(dispatcher.totals().failed_entries, 3U);
  EXPECT_THAT(m_observer.problems, SizeIs(3));
}

TEST_F(Walk, paths_may_be_longer_than_path_max) {
  const std::string part(200, 'd');
  Fd directory(::open(mount().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::string path;
  for (int i = 0; i < 30; ++i) {
    ASSERT_EQ(::mkdirat(*directory, part.c_str(), 0700), 0);
    directory = Fd(::openat(*directory, part.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    path += part + '/';
  }
  const Fd file(::openat(*directory, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  EXPECT_TRUE(scan(2));
  EXPECT_EQ(found(), std::multiset<std::string>{path + "file"});
  ASSERT_EQ(std::system(("rm -rf '" + mount().string() + "/" + part + "'").c_str()), 0);
}

TEST_F(Walk, filters_keep_the_rest_out) {
  make("small.dat", "1");
  make("large.dat", "12345");
  make("large.txt", "12345");
  m_options.filter.sizes.push_back(scan::parse_size_condition("+3").value());
  m_options.filter.name_globs = {"*.dat"};
  EXPECT_TRUE(scan(2));
  EXPECT_EQ(found(), std::multiset<std::string>{"large.dat"});
  EXPECT_EQ(m_totals.filtered, 2U);
}

TEST_F(Walk, a_file_that_fails_costs_itself_and_one_that_is_gone_is_no_failure) {
  for (int i = 0; i < 10; ++i) make("file" + std::to_string(i));
  std::atomic<int> calls = 0;
  m_lustre.before(Call::describe, [&calls](const Fid&) {
    const int call = ++calls;
    return call == 3 ? EIO : call == 5 ? ENOENT : 0;
  });
  EXPECT_TRUE(scan(1));
  EXPECT_THAT(found(), SizeIs(8));
  EXPECT_EQ(m_totals.failed_entries, 1U);
  EXPECT_EQ(m_totals.vanished, 1U);
  ASSERT_THAT(m_observer.problems, SizeIs(1));
  EXPECT_EQ(m_observer.problems[0].sys_errno, EIO);
}

// Nobody gets on before each rank has had something: that a rank goes without would be seen as a time-out.
TEST_F(Walk, ranks_with_nothing_to_do_get_a_part_of_a_tree) {
  for (int i = 0; i < 40; ++i)
    for (int k = 0; k < 10; ++k) make("top/" + std::to_string(i) + "/" + std::to_string(k));
  Rendezvous all(3);
  std::atomic<bool> late = false;
  m_prepare = [&](std::size_t rank, CountingClient& client) {
    client.before_describe = [&, rank] { late = late || !all.wait(rank); };
  };
  EXPECT_TRUE(scan(3));
  EXPECT_FALSE(late);
  EXPECT_EQ(found(), as_multiset(files_below(mount())));
  EXPECT_GT(m_totals.moved, 0U);
}

TEST_F(Walk, a_large_directory_is_split_over_the_ranks) {
  for (int i = 0; i < 1000; ++i) make("large/" + std::to_string(i));
  Rendezvous all(3);
  std::atomic<bool> late = false;
  m_prepare = [&](std::size_t rank, CountingClient& client) {
    client.before_describe = [&, rank] { late = late || !all.wait(rank); };
  };
  EXPECT_TRUE(scan(3));
  EXPECT_FALSE(late);
  EXPECT_EQ(found(), as_multiset(files_below(mount())));
  EXPECT_EQ(m_totals.directories, 3U) << "the mount, dir, large";
  for (const auto& client : m_clients) EXPECT_GT(client->described, 0);
}

TEST_F(Walk, threads_wait_for_a_sink_that_is_slow) {
  constexpr int k_files = 60000;
  // Of one directory entry: a hundred thousand inodes would be made for nothing.
  make("0/0");
  for (int i = 0; i < k_files / 100; ++i) {
    const auto directory = mount() / "0" / std::to_string(i + 1);
    std::filesystem::create_directory(directory);
    for (int k = 0; k < 100; ++k) std::filesystem::create_hard_link(mount() / "0/0", directory / std::to_string(k));
  }
  // 4 blocks on the way, 4 that wait, one that is being filled, and what threads have in hand; about 4200 rows each.
  constexpr int k_most_ahead = 12 * 4200;
  std::mutex mutex;
  std::condition_variable changed;
  int described = 0;
  m_prepare = [&](std::size_t, CountingClient& client) {
    client.before_describe = [&] {
      const std::lock_guard lock(mutex);
      if (++described > k_most_ahead) changed.notify_all();
    };
  };
  bool is_first = true;
  bool ran_ahead = false;
  m_sink.before_add = [&]() -> Status {
    std::unique_lock lock(mutex);
    if (std::exchange(is_first, false))
      ran_ahead = changed.wait_for(lock, std::chrono::seconds(3), [&] { return described > k_most_ahead; });
    return {};
  };
  EXPECT_TRUE(scan(1));
  EXPECT_FALSE(ran_ahead);
  EXPECT_THAT(m_sink.rows, SizeIs(k_files + 1));
}

TEST_F(Walk, a_sink_that_fails_ends_the_run) {
  make("file");
  m_sink.before_add = []() -> Status { return errno_error("write", "manifest", ENOSPC); };
  EXPECT_FALSE(scan(2));
  EXPECT_THAT(m_fatal, ::testing::HasSubstr("ENOSPC"));
}

TEST_F(Walk, a_stop_ends_it_soon_and_says_so) {
  for (int i = 0; i < 500; ++i) make("large/" + std::to_string(i));
  m_prepare = [this](std::size_t, CountingClient& client) {
    client.before_describe = [this, &client] {
      if (client.described == 3) m_dispatcher.load()->stop();
    };
  };
  EXPECT_FALSE(scan(2));
  EXPECT_EQ(m_fatal, "");
}

TEST_F(Walk, ranks_that_cannot_work_end_the_run_with_their_reason) {
  comm::LoopbackHub hub(2);
  const std::jthread able([&] { scan::run_worker(hub.worker(0), {"build", "host"}, m_lustre, m_options); });
  const std::jthread unable([&] {
    scan::run_unable_worker(hub.worker(1), {"build", "other"}, errno_error("find", "mount", ENODEV).value());
  });
  scan::Dispatcher dispatcher(hub, 2, "build", m_sink, m_observer);
  EXPECT_THROW(dispatcher.greet(), Fatal);
  EXPECT_TRUE(dispatcher.dismiss());
}

}  // namespace
}  // namespace lhsm::test
