// SPDX-License-Identifier: LGPL-2.1-or-later
// Jobs in orders of their own, and their limits.
#include "job_fixture.hpp"

namespace lhsm::bulk {
namespace {

class OrderTest : public JobTest {
 protected:
  OrderTest() {
    m_run_options.asker.threads = 1;  // requests come in order
    m_lustre.before(Call::request, [this](const Fid& fid) {
      const std::lock_guard lock(m_asked_mutex);
      m_asked.push_back(fid);
      return 0;
    });
  }
  ~OrderTest() override { m_run.reset(); }

  struct Made {
    std::uint64_t size = 0;
    std::uint32_t uid = 0;
    std::string path = {};
    std::string volume = {};  ///< empty: none
    std::uint64_t position = 0;
  };
  void make(const std::vector<Made>& files) {
    auto writer = store::ManifestWriter::create(m_run_options.manifest, {"test", "fake", "/mnt", "", 0},
                                                store::ManifestIdentity::make(), store::ManifestWriter::Replace::yes);
    ASSERT_TRUE(writer);
    m_fids.clear();
    for (const Made& file : files) {
      store::Item item;
      item.fid = new_file();
      item.path = file.path;
      item.size = file.size;
      item.uid = item.projid = file.uid;
      if (!file.volume.empty()) item.volume = writer->volume(file.volume);
      item.position = file.position;
      item.archive_id = 1;
      m_fids.push_back(item.fid);
      ASSERT_TRUE(writer->append(item));
    }
    ASSERT_TRUE(writer->finish());
  }
  /// Carry the job out; return in which order files were asked for, by their place in the list.
  std::vector<std::size_t> order(Order order, Fairness fair = Fairness::none) {
    m_asked.clear();
    m_run_options.order.order = order;
    m_run_options.order.fair = fair;
    const JobReport report = do_job(ItemAction::archive);
    EXPECT_EQ(report.census.with(ItemResult::done), m_fids.size());
    std::vector<std::size_t> found;
    for (const Fid& fid : m_asked)
      found.push_back(static_cast<std::size_t>(std::find(m_fids.begin(), m_fids.end(), fid) - m_fids.begin()));
    return found;
  }
  using Places = std::vector<std::size_t>;

  std::vector<Fid> m_fids;
  std::mutex m_asked_mutex;
  std::vector<Fid> m_asked;
};

TEST_F(OrderTest, by_size_and_path) {
  const std::vector<Made> files{{500, 0, "b/2"}, {7, 0, "a"}, {1ULL << 40, 0, "c"}, {7, 0, "b/1"}, {0, 0, ""}};
  const auto made = [&](Order by) {
    std::filesystem::remove(m_run_options.manifest);
    std::filesystem::remove(m_run_options.manifest + ".journal");
    make(files);
    return order(by);
  };
  EXPECT_EQ(made(Order::list), (Places{0, 1, 2, 3, 4}));
  EXPECT_EQ(made(Order::size), (Places{4, 1, 3, 0, 2}));
  EXPECT_EQ(made(Order::size_desc), (Places{2, 0, 1, 3, 4}));
  EXPECT_EQ(made(Order::path), (Places{4, 1, 3, 0, 2}));
}

TEST_F(OrderTest, a_file_that_is_left_for_a_later_run_holds_no_volume) {
  make({{DeadlineWatch::k_telling_size, 0, "a", "A", 1}, {1ULL << 60, 0, "b", "A", 2}, {1, 0, "c", "B", 1}});
  m_run_options.order.order = Order::archive_location;
  m_run_options.order.max_volumes = 1;
  m_run_options.job.max_inflight = 1;  // the second is judged by what the first one took
  m_run_options.job.deadline.stop_at = m_clock.now() + 1h;
  const JobReport report = do_job(ItemAction::archive);
  EXPECT_EQ(report.census.with(ItemResult::done), 2U);
  EXPECT_EQ(report.progress.left_for_later, 1U);
}

TEST_F(OrderTest, owners_take_turns) {
  make({{9, 5}, {8, 5}, {7, 5}, {6, 5}, {1, 6}, {2, 6}});
  m_run_options.order.weights[6] = 2;
  EXPECT_EQ(order(Order::size, Fairness::uid), (Places{3, 4, 5, 2, 1, 0}));
}

TEST_F(OrderTest, by_location_as_a_command_tells) {
  std::vector<Made> files(6);
  make(files);
  m_run_options.order.object_path = [this](const Fid& fid) {
    return "/archive/" + std::to_string(std::find(m_fids.begin(), m_fids.end(), fid) - m_fids.begin());
  };
  m_run_options.order.location.batch = 4;
  // 2 and 5 are unknown; the others lie on two volumes, the later ones before.
  m_run_options.order.location.command =
      R"(sed 's|/archive/0|B\t9|; s|/archive/1|A\t5|; s|/archive/3|B\t1|; s|/archive/4|A\t2|; s|/archive/.*|?|')";
  EXPECT_EQ(order(Order::archive_location), (Places{3, 0, 4, 1, 2, 5}));
}

TEST_F(OrderTest, a_command_that_fails_costs_only_the_order) {
  make(std::vector<Made>(5));
  m_run_options.order.object_path = [](const Fid&) { return "x"; };
  m_run_options.order.location.command = "exit 3";
  EXPECT_EQ(order(Order::archive_location), (Places{0, 1, 2, 3, 4}));
}

TEST_F(OrderTest, a_command_that_keeps_failing_is_given_up) {
  make(std::vector<Made>(8));
  m_run_options.order.object_path = [](const Fid&) { return "x"; };
  m_run_options.order.location.command = "echo called >> " + (m_job_dir / "calls").string() + "; exit 3";
  m_run_options.order.location.batch = 1;
  EXPECT_EQ(order(Order::archive_location), (Places{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(test::read_file(m_job_dir / "calls"), "called\ncalled\ncalled\n");
}

TEST_F(OrderTest, so_many_volumes_at_once) {
  std::vector<Made> files;
  for (std::uint64_t i = 0; i < 60; ++i) files.push_back({1, 0, "", "T" + std::to_string(i % 6), 60 - i});
  make(files);
  m_run_options.order.max_volumes = 2;
  m_lustre.before(Call::request, [this](const Fid& fid) {
    const std::lock_guard lock(m_asked_mutex);
    m_asked.push_back(fid);
    std::set<std::size_t> volumes;  // of what has no end; the end is recorded before the job hears of it
    for (const auto& [key, record] : m_lustre.records())
      if (record.ends.empty())
        volumes.insert(static_cast<std::size_t>(std::find(m_fids.begin(), m_fids.end(), record.item.fid) - m_fids.begin()) % 6);
    volumes.insert(static_cast<std::size_t>(std::find(m_fids.begin(), m_fids.end(), fid) - m_fids.begin()) % 6);
    EXPECT_LE(volumes.size(), 2U);
    return 0;
  });
  const Places found = order(Order::archive_location);
  std::map<std::size_t, std::vector<std::size_t>> by_volume;
  for (const std::size_t place : found) by_volume[place % 6].push_back(place);
  for (const auto& [volume, places] : by_volume) EXPECT_TRUE(std::is_sorted(places.rbegin(), places.rend())) << volume;
}

TEST_F(OrderTest, without_any_location_it_is_refused) {
  make(std::vector<Made>(2));
  m_run_options.action = ItemAction::archive;
  m_run_options.order.order = Order::archive_location;
  const auto run = JobRun::open(m_run_options, m_lustre, m_clock, [] {});
  ASSERT_FALSE(run);
  EXPECT_NE(run.error().describe().find("--location-command"), std::string::npos) << run.error().describe();
}

TEST_F(OrderTest, what_is_stopped_while_it_orders_has_asked_for_nothing) {
  make(std::vector<Made>(3));
  m_run_options.order.is_stopped = [] { return true; };
  m_run_options.order.order = Order::size;
  begin(ItemAction::archive);
  EXPECT_TRUE(wait_for_fulfilment());
  const JobReport report = end();
  EXPECT_EQ(report.census.left(), 3U);
  EXPECT_FALSE(report.progress.finished);
  EXPECT_TRUE(m_asked.empty());
}

TEST_F(OrderTest, an_earlier_runs_requests_count_for_no_volume) {
  make({{1, 0, "", "A", 1}, {1, 0, "", "B", 1}, {1, 0, "", "C", 1}});
  m_run_options.order.order = Order::archive_location;
  m_run_options.order.max_volumes = 1;
  open(ItemAction::archive);
  m_run->start("host", 1);
  ASSERT_TRUE(m_lustre.wait_for([](const auto& records) { return records.size() == 1; }));
  m_run->job().stop("dies");
  m_run.reset();
  EXPECT_EQ(order(Order::archive_location), (Places{1, 2}));
}

TEST_F(OrderTest, requests_of_an_action_are_limited) {
  std::vector<Made> files(200);
  make(files);
  m_run_options.job.limits.inflight[ItemAction::archive] = 5;
  m_run_options.job.limits.inflight[ItemAction::restore] = 1;
  m_lustre.hold_requests(true);
  begin(ItemAction::archive);
  ASSERT_TRUE(m_lustre.wait_for([](const auto& records) { return records.size() == 5; }));
  m_run->job().set_limits({0, {{ItemAction::archive, 50}}});
  ASSERT_TRUE(m_lustre.wait_for([](const auto& records) { return records.size() == 50; }));
  m_lustre.hold_requests(false);
  EXPECT_TRUE(wait_for_fulfilment());
  EXPECT_EQ(end().census.with(ItemResult::done), 200U);
}

TEST_F(OrderTest, files_in_a_second_are_limited_until_the_limit_is_lifted) {
  make(std::vector<Made>(50));
  m_run_options.job.limits.files_per_second = 10;
  const TimePoint began = m_clock.now();
  begin(ItemAction::archive);
  ASSERT_TRUE(m_lustre.wait_for([](const auto& records) { return records.size() >= 6; }));
  EXPECT_GE(m_clock.now() - began, 490ms) << "one at once, and then ten in a second";
  m_run->job().set_limits({});
  EXPECT_TRUE(wait_for_fulfilment());
  EXPECT_EQ(end().census.with(ItemResult::done), 50U);
}

}  // namespace
}  // namespace lhsm::bulk
