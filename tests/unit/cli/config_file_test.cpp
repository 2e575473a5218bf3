// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/config_file.hpp"

#include <gtest/gtest.h>

#include "support/temp_dir.hpp"

namespace lhsm::cli {
namespace {

using Values = std::vector<std::string>;

/// The values of the only entry.
Values values_of(const std::string& value) {
  const auto text = parse_config("key = " + value + "\n");
  if (!text) {
    ADD_FAILURE() << value << ": " << text.error().subject;
    return {};
  }
  return text->entries.at(0).values;
}

TEST(ConfigFileTest, ReadsSectionsAndWhatStandsAboveThem) {
  const auto text = parse_config(
      "# of the site\n"
      "hsm-root = \"/archive\"\t# all\r\n"
      "\n"
      "[ serve ]  # a copytool\n"
      "  slots=8\n"
      "[restore]");
  ASSERT_TRUE(text) << text.error().subject;
  ASSERT_EQ(text->entries.size(), 2U);
  EXPECT_EQ(text->entries[0].section, "");
  EXPECT_EQ(text->entries[0].key, "hsm-root");
  EXPECT_EQ(text->entries[0].values, Values{"/archive"});
  EXPECT_EQ(text->entries[0].line, 2);
  EXPECT_FALSE(text->entries[0].is_array);
  EXPECT_EQ(text->entries[1].section, "serve");
  EXPECT_EQ(text->entries[1].values, Values{"8"});
  EXPECT_EQ(text->entries[1].line, 5);
  ASSERT_EQ(text->sections.size(), 2U);
  EXPECT_EQ(text->sections[1].name, "restore");
  EXPECT_EQ(text->sections[1].line, 6);
}

TEST(ConfigFileTest, StringsKeepWhatStandsInThem) {
  EXPECT_EQ(values_of("\"restore=100,archive=20\""), Values{"restore=100,archive=20"});
  EXPECT_EQ(values_of("\"a # b = [c]\" # d"), Values{"a # b = [c]"});
  EXPECT_EQ(values_of("'C:\\n \"x\"'"), Values{"C:\\n \"x\""});
  EXPECT_EQ(values_of(R"("a\tb\n\"\\\u00e9\U0001F600")"), Values{"a\tb\n\"\\\xc3\xa9\xf0\x9f\x98\x80"});
  EXPECT_EQ(values_of("\"\""), Values{""});
}

TEST(ConfigFileTest, NumbersAreAsTheCommandLineHasThem) {
  EXPECT_EQ(values_of("8"), Values{"8"});
  EXPECT_EQ(values_of("+8"), Values{"+8"}) << "more than 8, for some";
  EXPECT_EQ(values_of("-1"), Values{"-1"});
  EXPECT_EQ(values_of("1_073_741_824"), Values{"1073741824"});
  EXPECT_EQ(values_of("0.5"), Values{"0.5"});
  EXPECT_EQ(values_of("1e3"), Values{"1e3"});
  EXPECT_EQ(values_of("true"), Values{"true"});
}

TEST(ConfigFileTest, ArraysMayGoOverLines) {
  EXPECT_EQ(values_of("[1, 2]"), (Values{"1", "2"}));
  EXPECT_EQ(values_of("[]"), Values{});
  EXPECT_EQ(values_of("[\n  \"a,b\", # first\r\n\n  'c',\n]"), (Values{"a,b", "c"}));
  EXPECT_TRUE(parse_config("key = [1]")->entries.at(0).is_array);
}

TEST(ConfigFileTest, WhatIsNotUnderstoodIsAnErrorThatNamesTheLine) {
  for (const char* text :
       {"key", "key =", "= 1", "key = /archive", "key = 64M", "key = 0x10", "key = 007", "key = 1 2", "key = \"a", "key = 'a\nb'",
        "key = \"\\q\"", "key = \"\\ud800\"", "key = \"\\u00\"", "key = \"\\u0000\"", "key = \"\"\"a\"\"\"", "key = [1, 2", "key = [1 2]", "key = [[1]]",
        "key = [,]", "key = True", "key = 1__0", "key = 1_", "key = .5", "key = 5.", "key = 1e", "a.b = 1", "[a.b]", "[[a]]", "[a", "[]", "[a] b",
        "key = 1\nkey = 2", "[a]\n[a]", "key = \"\x01\"", "\x01", "key: 1"}) {
    const auto read = parse_config(std::string("# one\n") + text + "\n");
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().kind, ErrorKind::invalid) << text;
    EXPECT_TRUE(read.error().subject.starts_with("line 2: ") || read.error().subject.starts_with("line 3: ")) << text << read.error().subject;
  }
}

TEST(ConfigFileTest, TheSameKeyMayBeInSeveralSections) {
  const auto text = parse_config("slots = 1\n[a]\nslots = 2\n[b]\nslots = 3\n");
  ASSERT_TRUE(text);
  EXPECT_EQ(text->entries.size(), 3U);
}

TEST(ConfigFileTest, AFileIsRead) {
  const test::TempDir dir;
  test::write_file(dir / "a.toml", "slots = 3\n");
  const auto text = read_config(dir / "a.toml");
  ASSERT_TRUE(text);
  EXPECT_EQ(text->entries.at(0).values, Values{"3"});
  EXPECT_EQ(read_config(dir / "none").error().sys_errno, ENOENT);
  EXPECT_EQ(read_config(dir.str()).error().sys_errno, EISDIR);
  test::write_file(dir / "long", std::string((1U << 20U) + 1, '\n'));
  EXPECT_EQ(read_config(dir / "long").error().sys_errno, EFBIG);
}

TEST(ConfigFileTest, TextsAreQuotedSoThatTheyAreReadAgain) {
  for (const std::string text : {"", "a b", "\"\\", "a\nb\x7f", "\xc3\xa9#"}) EXPECT_EQ(values_of(toml_string(text)), Values{text});
}

TEST(ConfigFileTest, TheNearestNameIsFound) {
  const std::vector<std::string> names{"slots", "hsm-root", "archive", "archive-format"};
  EXPECT_EQ(nearest("hsm-rot", names), "hsm-root");
  EXPECT_EQ(nearest("slot", names), "slots");
  EXPECT_EQ(nearest("archiveformat", names), "archive-format");
  EXPECT_EQ(nearest("x", {}), "");
}

}  // namespace
}  // namespace lhsm::cli
