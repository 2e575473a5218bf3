// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/scan/entry_list.hpp"

#include <gtest/gtest.h>

#include <climits>
#include <random>
#include <vector>

namespace lhsm::scan {
namespace {

std::vector<std::string> split(std::string_view text, char separator, std::size_t piece) {
  LineSplitter splitter(separator);
  std::vector<std::string> lines;
  const auto take = [&lines](std::string_view line) { lines.emplace_back(line); };
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) splitter.add(text.substr(0, piece), take);
  splitter.finish(take);
  return lines;
}

/// "fid …", "path …", "nothing" or "errno …".
std::string read(std::string_view line) {
  const auto entry = parse_line(line);
  if (!entry) return "errno " + errno_name(entry.error().sys_errno);
  if (!*entry) return "nothing";
  if (const Fid* fid = std::get_if<Fid>(&**entry)) return "fid " + fid->str();
  return "path " + std::get<std::string>(**entry);
}

TEST(LineSplitterTest, cuts_at_the_separator_wherever_the_pieces_end) {
  const std::string text = "a\n\nbc d\n#e\r\n\xff\xfe\nlast";
  const std::vector<std::string> lines{"a", "", "bc d", "#e\r", "\xff\xfe", "last"};
  for (std::size_t piece = 1; piece <= text.size(); ++piece) EXPECT_EQ(split(text, '\n', piece), lines) << piece;
  EXPECT_EQ(split(std::string("x\ny\0z", 5), '\0', 2), (std::vector<std::string>{"x\ny", "z"}));
  EXPECT_TRUE(split("", '\n', 1).empty());
}

TEST(LineSplitterTest, keeps_no_more_of_a_line_than_is_refused) {
  const std::string endless(10 * LineSplitter::k_longest, 'x');
  const auto lines = split(endless + "\nshort\n", '\n', 1000);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].size(), LineSplitter::k_longest + 1);
  EXPECT_EQ(read(lines[0]), "errno ENAMETOOLONG");
  EXPECT_EQ(lines[1], "short");
  EXPECT_EQ(split(endless + "\nshort\n", '\n', endless.size() + 7), lines) << "in one piece";
}

TEST(ParseLineTest, fids_bare_bracketed_with_blanks_around) {
  EXPECT_EQ(read("0x200000401:0x17:0x0"), "fid 0x200000401:0x17:0x0");
  EXPECT_EQ(read("[0x200000401:0x17:0x0]"), "fid 0x200000401:0x17:0x0");
  EXPECT_EQ(read(" [0x200000401:0x17:0x0]\t\r"), "fid 0x200000401:0x17:0x0");
}

TEST(ParseLineTest, what_is_nearly_a_fid_is_a_path) {
  for (const char* text : {"[0x200000401:0x17:0x0", "0x200000401:0x17", "0x200000401:0x17:0x0:0x1", "/0x1:0x2:0x3",
                           "[0x1:0x2:0x3] [0x1:0x2:0x4]"})
    EXPECT_EQ(read(text), std::string("path ") + text);
}

TEST(ParseLineTest, paths_are_taken_as_they_stand) {
  for (const char* text : {"/mnt/lustre/a", "a b ", " a", "#a", "a\r", "a\nb", "\xff\xfe", "-rf", "mdt.x", "fid=[0x1:0x2:0x3]",
                           "mdt.a/hsm.actions=b", "lrh=[", " "})
    EXPECT_EQ(read(text), std::string("path ") + text);
}

TEST(ParseLineTest, empty_lines_and_headings_are_nothing) {
  for (const char* text : {"", "\r", "mdt.lustre-MDT0000.hsm.actions=", "mdt.lustre-MDT0000.hsm.active_requests="})
    EXPECT_EQ(read(text), "nothing") << text;
}

TEST(ParseLineTest, lines_of_the_coordinator) {
  const std::string active =
      "fid=[0x200000402:0x22:0x0] dfid=[0x200000402:0x23:0x0] compound/cookie=0x0/0x6b0296bb action=RESTORE archive#=1 "
      "flags=0x0 extent=0x0-0xffffffffffffffff gid=0x0 data=[] canceled=0 uuid=2c8adebb-d295 done=0";
  const std::string record =
      "lrh=[type=10680000 len=136 idx=1/1] fid=[0x200000402:0x1:0x0] dfid=[0x200000402:0x1:0x0] "
      "compound/cookie=0x0/0x6b0296a5 action=ARCHIVE archive#=1 flags=0x0 extent=0x0-0xffffffffffffffff gid=0x0 "
      "datalen=0 status=SUCCEED data=[]";
  EXPECT_EQ(read(active), "fid 0x200000402:0x22:0x0");
  EXPECT_EQ(read(record), "fid 0x200000402:0x1:0x0");
  EXPECT_EQ(read("mdt.lustre-MDT0000.hsm.actions=" + record), "fid 0x200000402:0x1:0x0");
  EXPECT_EQ(read("fid=[0x2000] compound/cookie=0x0/0x1 action=ARCHIVE"), "errno EINVAL");
}

TEST(ParseLineTest, what_can_be_no_name_is_refused) {
  EXPECT_EQ(read(std::string_view("a\0b", 3)), "errno EINVAL");
  EXPECT_EQ(read(std::string(PATH_MAX, 'x')), "errno ENAMETOOLONG");
}

}  // namespace
}  // namespace lhsm::scan
