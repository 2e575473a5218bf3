// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "job_files.hpp"
#include "lhsmtool_mpi/bulk/job_manifest.hpp"
#include "lhsmtool_mpi/bulk/judge.hpp"
#include "lhsmtool_mpi/pages/text.hpp"
#include "pages/remedies.hpp"
#include "pages/svg_chart.hpp"

namespace lhsm::pages {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string k_odd_path = "a \"quoted\", odd\nname \xff<&>";

class ReportTest : public PagesTest {
 protected:
  ReportTest() {
    m_items = {done_item(0, 1000, k_begin + 2 * k_second, 1), failed_item(1, ItemResult::failed, ENOENT)};
    m_items[1].path = k_odd_path;
  }
  void make() { make_manifest(m_items, {run(k_begin, k_begin + 10 * k_second)}); }
  [[nodiscard]] nlohmann::json json(bool items) const {
    store::SeenJob job = look();
    const auto statistics = gather(job, k_begin);
    EXPECT_TRUE(statistics);
    return nlohmann::json::parse(
        written([&](Output& out) { return write_json(job, m_subject, *statistics, items, out); }));
  }
  [[nodiscard]] std::string html() const {
    store::SeenJob job = look();
    const auto statistics = gather(job, k_begin);
    EXPECT_TRUE(statistics);
    return written([&](Output& out) { return write_html(job, m_subject, *statistics, out); });
  }

  std::vector<Item> m_items;
  Subject m_subject{"/some/<where>/job.h5", "lhsmtool_mpi test", k_begin + 20 * k_second, false};
};

TEST_F(ReportTest, csv_has_a_line_an_item_and_any_bytes) {
  make();
  store::SeenJob job = look();
  const std::string csv = written([&](Output& out) { return write_csv(job, out); });
  EXPECT_THAT(csv, testing::StartsWith("fid,path,size,action,result,errno,"));
  EXPECT_THAT(csv, HasSubstr("\r\n[0x200000401:0x1:0x0],dir/file0,1000,restore,done,,1,0,1.000,1000,"));
  EXPECT_THAT(
      csv, HasSubstr("\r\n[0x200000401:0x2:0x0],\"a \"\"quoted\"\", odd\nname \xff<&>\",100,restore,failed,ENOENT,"));
  EXPECT_THAT(csv, testing::EndsWith("\r\n"));
}

TEST_F(ReportTest, page_of_a_running_job_tells_what_the_bytes_that_are_left_take) {
  m_items.resize(1);
  for (std::uint32_t n = 1; n < 15; ++n) {
    m_items.push_back(done_item(n, 1000, 0, 0));
    m_items.back().outcome = {};
  }
  m_items.push_back(done_item(15, 0, k_begin + 2 * k_second, 1));
  make_manifest(m_items, {run(k_begin, k_begin + 10 * k_second)});
  m_subject.is_running = true;
  EXPECT_THAT(html(), HasSubstr("<span>left, about 2m20s at this rate</span>")) << "at 100 B/s; by files it were 70 s";
  m_items.at(1).size = 1001;
  make_manifest(m_items, {run(k_begin, k_begin + 10 * k_second)});
  EXPECT_THAT(html(), HasSubstr("<span>left</span>")) << "who knows how much of that is copied";
}

TEST_F(ReportTest, json_has_sums_errors_and_runs) {
  make();
  const auto json = this->json(false);
  EXPECT_EQ(json["items"], 2);
  EXPECT_EQ(json["action"], "restore");
  EXPECT_EQ(json["results"]["done"]["bytes"], 1000);
  ASSERT_EQ(json["errors"].size(), 1U);
  EXPECT_EQ(json["errors"][0]["errno"], "ENOENT");
  EXPECT_EQ(json["errors"][0]["kind"], "not_found");
  EXPECT_FALSE(json["errors"][0]["remedy"].get<std::string>().empty());
  EXPECT_EQ(json["runs"][0]["exit_code"], 0);
  EXPECT_FALSE(json.contains("item_list"));
}

TEST_F(ReportTest, json_with_items_tells_bytes_that_are_no_text) {
  make();
  const auto json = this->json(true);
  ASSERT_EQ(json["item_list"].size(), 2U);
  EXPECT_EQ(json["item_list"][0]["path"], "dir/file0");
  EXPECT_FALSE(json["item_list"][0].contains("path_hex"));
  std::string hex;
  for (const char c : k_odd_path) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  EXPECT_EQ(json["item_list"][1]["path_hex"], hex);
}

TEST_F(ReportTest, empty_jobs_have_reports) {
  m_items.clear();
  make();
  EXPECT_EQ(json(true)["item_list"].size(), 0U);
  EXPECT_THAT(html(), HasSubstr("not begun"));
}

TEST_F(ReportTest, page_stands_alone_and_escapes_what_it_shows) {
  make();
  const std::string page = html();
  EXPECT_THAT(page, testing::StartsWith("<!DOCTYPE html>"));
  for (const char* outside : {"http:", "https:", "<script", "<link", "src=", "@import", "url("})
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  EXPECT_THAT(page, HasSubstr("a &quot;quoted&quot;, odd\xef\xbf\xbdname \xef\xbf\xbd&lt;&amp;&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("<where>")));
  EXPECT_TRUE(is_utf8(page));
  for (const char* part :
       {"Results", "Errors", "Throughput", "Files per second", "Ranks", "Sizes", "Latencies", "Slowest files", "Runs"})
    EXPECT_THAT(page, HasSubstr(std::string("<h2>") + part + "</h2>"));
  EXPECT_THAT(page, HasSubstr("finished, some failed"));
  EXPECT_THAT(page, HasSubstr("<td>node7,&lt;node8&gt;</td>"));
}

TEST_F(ReportTest, page_does_not_grow_with_the_items) {
  m_items.clear();
  for (std::uint32_t n = 0; n < 70'000; ++n) {
    Item item = done_item(n, n * 1000ULL, k_begin + n * k_second / 10, static_cast<float>(n % 100) / 10 + 0.1F,
                          static_cast<std::int32_t>(n % 500));
    if (n % 10 == 0) item.outcome.result = ItemResult::failed;
    item.outcome.sys_errno = n % 10 == 0 ? static_cast<int>(n % 130) + 1 : 0;
    m_items.push_back(item);
  }
  make();
  EXPECT_LT(html().size(), 400'000U);
}

TEST_F(ReportTest, unfinished_file_leaves_nothing) {
  {
    auto out = Output::open(m_dir / "report");
    ASSERT_TRUE(out);
    ASSERT_TRUE(out->write("begun"));
  }
  EXPECT_TRUE(test::files_below(m_dir.path()).empty());
  const auto nowhere = Output::open(m_dir / "no/report");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().sys_errno, ENOENT);
}

TEST(RemediesTest, there_is_one_for_every_end) {
  for (std::size_t action = 0; action < store::k_item_actions; ++action)
    for (const ItemResult result : {ItemResult::failed, ItemResult::refused, ItemResult::cancelled})
      for (int sys_errno = 0; sys_errno < 140; ++sys_errno)
        EXPECT_GT(remedy_for(static_cast<ItemAction>(action), result, sys_errno).size(), 20U);
  EXPECT_NE(remedy_for(ItemAction::restore, ItemResult::failed, ENOENT),
            remedy_for(ItemAction::archive, ItemResult::failed, ENOENT));
}

TEST(RemediesTest, a_refusal_names_every_reason_that_there_is) {
  for (const ItemAction action : {ItemAction::archive, ItemAction::restore, ItemAction::release, ItemAction::remove})
    for (std::uint32_t states = 0; states < abi::HS_LOST << 1U; ++states) {
      const lustre::HsmState state{states, 1};
      if (bulk::judge(action, state, {2}) != bulk::Verdict::refused) continue;
      EXPECT_THAT(std::string(remedy_for(action, ItemResult::refused, EPERM)),
                  HasSubstr(std::string(bulk::why_refused(action, state))))
          << bulk::to_string(action) << " of " << bulk::state_words(states);
    }
}

TEST(TextTest, utf8) {
  EXPECT_TRUE(is_utf8("grün \xe2\x82\xac \xf0\x9f\x98\x80"));
  for (const char* text :
       {"\xff", "\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xf5\x80\x80\x80"})
    EXPECT_FALSE(is_utf8(text)) << text;
  EXPECT_EQ(html_text("a\xe2\x82z"), "a\xef\xbf\xbd\xef\xbf\xbdz");
}

TEST(TextTest, numbers_and_times) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'234'567), "1,234,567");
  EXPECT_EQ(iso_time(0), "");
  EXPECT_EQ(iso_time(1'500'000'000), "1970-01-01T00:00:01.500Z");
  EXPECT_EQ(short_duration(0.0004), "0.4 ms");
  EXPECT_EQ(short_duration(0.25), "250 ms");
  EXPECT_EQ(short_duration(192), "3m12s");
}

TEST(ChartTest, ticks_are_round_and_reach_the_largest) {
  for (const double largest : {0.003, 0.7, 1.0, 7.0, 99.0, 1023.0, 1025.0, 5e6, 3e12})
    for (const double base : {1000.0, 1024.0}) {
      const auto ticks = round_ticks(largest, base);
      EXPECT_GE(ticks.back(), largest) << largest;
      EXPECT_GE(ticks.size(), 2U) << largest;
      EXPECT_LE(ticks.size(), 7U) << largest;
    }
  for (const double seconds : {0.5, 3.0, 61.0, 4000.0, 1e5, 1e7}) {
    EXPECT_GE(time_ticks(seconds).size(), 2U) << seconds;
    EXPECT_LE(time_ticks(seconds).size(), 12U) << seconds;
    EXPECT_LE(time_ticks(seconds).back(), seconds);
  }
}

}  // namespace
}  // namespace lhsm::pages
