// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/archive/posix_backend.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <thread>

#include "archive_fixture.hpp"

namespace lhsm::archive {
namespace {

using std::string_literals::operator""s;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ObjectPath, v1_is_that_of_lhsmtool_posix) {
  EXPECT_EQ(object_path(TreeFormat::v1, {0x200000401, 0x1, 0x0}), "0001/0000/0401/0000/0002/0000/0x200000401:0x1:0x0");
  EXPECT_EQ(object_path(TreeFormat::v1, {0x123456789abcdef0, 0xfedcba98, 0x7}),
            "ba98/fedc/def0/9abc/5678/1234/0x123456789abcdef0:0xfedcba98:0x7");
  EXPECT_EQ(object_path(TreeFormat::v1, {0xffffffffffffffff, 0xffffffff, 0xffffffff}),
            "ffff/ffff/ffff/ffff/ffff/ffff/0xffffffffffffffff:0xffffffff:0xffffffff");
  EXPECT_EQ(object_path(TreeFormat::v1, {0xc, 0x2a, 0}), "002a/0000/000c/0000/0000/0000/0xc:0x2a:0x0");
}

TEST(ObjectPath, v2_is_that_of_lhsmtool_posix) {
  EXPECT_EQ(object_path(TreeFormat::v2, {0x200000401, 0x1, 0x0}), "0400/0x200000401:0x1:0x0");
  EXPECT_EQ(object_path(TreeFormat::v2, {0x123456789abcdef0, 0xfedcba98, 0x7}),
            "6468/0x123456789abcdef0:0xfedcba98:0x7");
  EXPECT_EQ(object_path(TreeFormat::v2, {0xc, 0x2a, 0}), "0026/0xc:0x2a:0x0");
}

class PosixBackendTest : public ArchiveFixture {};

TEST_F(PosixBackendTest, object_lies_where_lhsmtool_posix_looks) {
  store("content", "lov");
  EXPECT_THAT(files(), ElementsAre(k_object_v1, k_object_v1 + ".lov"));
  EXPECT_EQ(test::read_file(m_dir / k_object_v1), "content");
  EXPECT_EQ(test::read_file(m_dir / (k_object_v1 + ".lov")), "lov");
}

TEST_F(PosixBackendTest, v2_object_lies_where_lhsmtool_posix_looks) {
  m_format = TreeFormat::v2;
  m_backend = open_backend();
  store("content");
  EXPECT_THAT(files(), ElementsAre(k_object_v2));
}

TEST_F(PosixBackendTest, object_of_lhsmtool_posix_is_read) {
  test::write_file(m_dir / k_object_v1, "theirs");
  test::write_file(m_dir / (k_object_v1 + ".lov"), "\xd0\x0b\x00raw"s);
  EXPECT_EQ(load(), "theirs");
  EXPECT_EQ(load_layout(), "\xd0\x0b\x00raw"s);
}

TEST_F(PosixBackendTest, directories_are_0700_and_files_0600) {
  store("content", "lov");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(m_dir.path()))
    EXPECT_EQ(test::stat_of(entry.path()).st_mode & 07777U, entry.is_directory() ? 0700U : 0600U) << entry.path();
}

TEST_F(PosixBackendTest, missing_object_is_not_found) {
  for (const bool with_directory : {false, true}) {
    if (with_directory) std::filesystem::create_directories(object().parent_path());
    const auto reader = m_backend->open(k_fid);
    ASSERT_FALSE(reader);
    EXPECT_EQ(reader.error().kind, ErrorKind::not_found);
    EXPECT_EQ(reader.error().sys_errno, ENOENT);
    EXPECT_EQ(reader.error().subject, object().string());
    EXPECT_EQ(load_layout(), std::nullopt);
  }
}

TEST_F(PosixBackendTest, empty_object) {
  store("");
  EXPECT_EQ(load(), "");
  EXPECT_EQ((*m_backend->open(k_fid))->size(), 0U);
}

TEST_F(PosixBackendTest, read_at_is_short_only_at_the_end) {
  store("0123456789");
  const auto reader = std::move(*m_backend->open(k_fid));
  std::string out(6, '?');
  EXPECT_EQ(reader->read_at(std::as_writable_bytes(std::span(out)), 7), 3U);
  EXPECT_EQ(out, "789???");
  EXPECT_EQ(reader->read_at(std::as_writable_bytes(std::span(out)), 10), 0U);
}

TEST_F(PosixBackendTest, holes_of_an_object) {
  auto writer = begin(std::string(4096, 'x'));
  ASSERT_TRUE(writer->set_size(1 << 20));
  ASSERT_TRUE((*writer->publish())->commit());
  const auto reader = std::move(*m_backend->open(k_fid));
  EXPECT_EQ(reader->size(), 1U << 20U);
  EXPECT_EQ(reader->next_data({8192, (1 << 20) - 8192}), std::nullopt);
  EXPECT_EQ(load().substr(4096), std::string((1 << 20) - 4096, '\0'));
}

TEST_F(PosixBackendTest, reader_keeps_its_version) {
  store("old");
  const auto reader = std::move(*m_backend->open(k_fid));
  store("new and longer");
  std::string out(10, '?');
  EXPECT_EQ(reader->read_at(std::as_writable_bytes(std::span(out)), 0), 3U);
  EXPECT_EQ(out.substr(0, 3), "old");
}

TEST_F(PosixBackendTest, reading_leaves_the_atime_alone) {
  auto writer = begin("content");
  ASSERT_TRUE(writer->set_attributes(
      {.mode = 0600, .uid = ::geteuid(), .gid = ::getegid(), .atime = {1000, 0}, .mtime = {2000, 0}}));
  ASSERT_TRUE((*writer->publish())->commit());
  EXPECT_EQ(load(), "content");
  EXPECT_EQ(test::stat_of(object()).st_atim.tv_sec, 1000);
}

TEST_F(PosixBackendTest, attributes_are_kept) {
  auto writer = begin("content");
  const ObjectAttributes attributes{.mode = S_IFREG | 06751,
                                    .uid = ::geteuid() == 0 ? 1234 : ::geteuid(),
                                    .gid = ::geteuid() == 0 ? 5678 : ::getegid(),
                                    .atime = {1'000'000'000, 123'000'000},
                                    .mtime = {1'234'567'890, 987'654'321}};
  ASSERT_TRUE(writer->set_attributes(attributes));
  ASSERT_TRUE((*writer->publish())->commit());
  const auto status = test::stat_of(object());
  EXPECT_EQ(status.st_mode, S_IFREG | 06751U);
  EXPECT_EQ(status.st_uid, attributes.uid);
  EXPECT_EQ(status.st_gid, attributes.gid);
  EXPECT_EQ(status.st_atim.tv_sec, 1'000'000'000);
  EXPECT_EQ(status.st_mtim.tv_sec, 1'234'567'890);
  EXPECT_EQ(status.st_mtim.tv_nsec, 987'654'321);
}

TEST_F(PosixBackendTest, xattrs_are_kept_and_those_the_archive_cannot_hold_left_out) {
  auto writer = begin("content");
  ASSERT_TRUE(writer->set_xattrs({{"user.colour", "blue\0green"s},
                                  {"lustre.lov", "raw"},
                                  {"nonsense.name", "x"},
                                  {"user.too_long", std::string(60000, 'x')},
                                  {"user.empty", ""}}));
  ASSERT_TRUE((*writer->publish())->commit());
  char value[100];
  const ssize_t length = ::getxattr(object().c_str(), "user.colour", value, sizeof value);
  if (length < 0 && errno == EOPNOTSUPP) GTEST_SKIP() << "no xattrs in the temporary directory";
  EXPECT_EQ(std::string(value, static_cast<std::size_t>(std::max<ssize_t>(length, 0))), "blue\0green"s);
  EXPECT_EQ(::getxattr(object().c_str(), "user.empty", value, sizeof value), 0);
}

TEST_F(PosixBackendTest, layout_may_be_set_again_before_publish) {
  auto writer = begin("content", "the first and longer one");
  ASSERT_TRUE(writer->set_layout("second"));
  ASSERT_TRUE((*writer->publish())->commit());
  EXPECT_EQ(load_layout(), "second");
}

TEST_F(PosixBackendTest, empty_layout_is_none) {
  auto writer = begin("content");
  ASSERT_TRUE(writer->set_layout(""));
  ASSERT_TRUE((*writer->publish())->commit());
  EXPECT_THAT(files(), ElementsAre(k_object_v1));
}

TEST_F(PosixBackendTest, layout_longer_than_any_xattr_is_corrupt) {
  test::write_file(m_dir / (k_object_v1 + ".lov"), std::string(65537, 'x'));
  EXPECT_EQ(m_backend->layout(k_fid).error().kind, ErrorKind::corrupt);
  test::write_file(m_dir / (k_object_v1 + ".lov"), std::string(65536, 'x'));
  EXPECT_EQ(load_layout()->size(), 65536U);
}

TEST_F(PosixBackendTest, remove_takes_object_and_layout_and_says_when_there_is_none) {
  EXPECT_EQ(m_backend->remove(k_fid), false) << "not even a directory";
  store("content", "lov");
  EXPECT_EQ(m_backend->remove(k_fid), true);
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_EQ(m_backend->remove(k_fid), false);
  store("content");
  EXPECT_EQ(m_backend->remove(k_fid), true) << "an object without layout";
  EXPECT_THAT(files(), IsEmpty());
  test::write_file(m_dir / (k_object_v1 + ".lov"), "lov");
  EXPECT_EQ(m_backend->remove(k_fid), false) << "a layout without an object";
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(PosixBackendTest, token_lets_another_backend_write_into_the_object) {
  auto writer = begin("owner-----");
  const auto other_rank = open_backend();
  auto joined = other_rank->join(k_fid, writer->token());
  ASSERT_TRUE(joined) << joined.error().describe();
  const std::string helper = "helper";
  EXPECT_TRUE((*joined)->write_at(std::as_bytes(std::span(helper)), 5));
  (*joined)->start_writeback({0, 5});
  EXPECT_TRUE((*joined)->sync());
  joined->reset();
  EXPECT_EQ(m_backend->open(k_fid).error().kind, ErrorKind::not_found) << "nothing is visible yet";
  ASSERT_TRUE((*writer->publish())->commit());
  EXPECT_EQ(load(), "ownerhelper");
}

TEST_F(PosixBackendTest, join_of_an_attempt_that_is_gone_is_not_found) {
  auto writer = begin("content");
  const std::string token = writer->token();
  writer.reset();
  EXPECT_EQ(m_backend->join(k_fid, token).error().kind, ErrorKind::not_found);
}

TEST_F(PosixBackendTest, hostile_tokens_are_invalid) {
  auto writer = begin("content");
  store("published", "lov");
  const std::string name = k_fid.str();
  const std::string token = writer->token();
  test::write_file(m_dir / "victim", "victim");
  for (const std::string& hostile : {""s,
                                     "."s,
                                     ".."s,
                                     "/etc/passwd"s,
                                     "../../../../../../victim"s,
                                     name,
                                     name + ".lov",
                                     name + "_tmp",
                                     name + "_tmp.",
                                     name + "_tmp.-",
                                     name + "_tmp.12",
                                     name + "_tmp.12-",
                                     name + "_tmp.-12",
                                     name + "_tmp.12-xyz",
                                     name + "_tmp.1A-1",
                                     name + "_old." + token.substr(token.rfind('.') + 1),
                                     token + "/../" + name,
                                     token + ".lov",
                                     token + "\0"s,
                                     token + "\0/etc/passwd"s,
                                     "./" + token,
                                     token.substr(1),
                                     name + "_tmp." + std::string(5000, 'a') + "-1",
                                     "0x200000401:0x2:0x0" + token.substr(name.size())}) {
    const auto joined = m_backend->join(k_fid, hostile);
    ASSERT_FALSE(joined) << hostile;
    EXPECT_EQ(joined.error().kind, ErrorKind::invalid) << hostile;
  }
  EXPECT_EQ(m_backend->join({0x200000401, 2, 0}, token).error().kind, ErrorKind::invalid) << "a token of another FID";
}

TEST_F(PosixBackendTest, concurrent_creates_of_one_fid_do_not_meet) {
  constexpr int k_threads = 8;
  constexpr int k_rounds = 20;
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int t = 0; t < k_threads; ++t) {
    threads.emplace_back([&, t] {
      // Half of them as ranks of their own.
      const auto own = open_posix_backend({.root = m_dir.str()});
      Backend& backend = t % 2 == 0 ? *m_backend : **own;
      for (int i = 0; i < k_rounds; ++i) {
        const std::string content(10000, static_cast<char>('a' + t));
        auto writer = backend.create(k_fid);
        if (!writer || !(*writer)->write_at(std::as_bytes(std::span(content)), 0) || !(*writer)->set_layout(content)) {
          ++failures;
          continue;
        }
        auto publication = (*writer)->publish();
        if (!publication || !(*publication)->commit()) ++failures;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  const std::string content = load();
  EXPECT_EQ(content, std::string(10000, content.at(0)));
  EXPECT_THAT(files(), ElementsAre(k_object_v1, k_object_v1 + ".lov")) << "no temporaries stay";
}

TEST_F(PosixBackendTest, concurrent_creates_share_new_directories) {
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (unsigned t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i < 30; ++i) {
        auto writer = m_backend->create({0x200000400U + t, i, 0});
        if (!writer || !(*writer)->publish()) ++failures;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
}

TEST_F(PosixBackendTest, another_rank_knows_the_archive_by_its_mark) {
  const auto mark = m_backend->mark();
  ASSERT_TRUE(mark);
  EXPECT_EQ(open_backend()->knows(*mark), true);
  const test::TempDir elsewhere;
  const auto other = open_posix_backend({.root = elsewhere.str()});
  ASSERT_TRUE(other);
  EXPECT_EQ((*other)->knows(*mark), false) << "an empty directory, where nothing is mounted";
  m_backend.reset();
  EXPECT_EQ(open_backend()->knows(*mark), false) << "nothing of it is left";
}

TEST_F(PosixBackendTest, an_archive_that_takes_no_files_is_known_by_its_root) {
  test::write_file(m_dir / ".lhsmtool_mpi", "a file in the place of the tables' directory");
  const auto mark = m_backend->mark();
  ASSERT_TRUE(mark);
  EXPECT_EQ(open_backend()->knows(*mark), true);
  const test::TempDir elsewhere;
  EXPECT_EQ((*open_posix_backend({.root = elsewhere.str()}))->knows(*mark), false);
}

TEST_F(PosixBackendTest, a_mark_leads_nowhere_else) {
  for (const char* mark : {"table ../object", "table ", "/etc/passwd"}) EXPECT_FALSE(m_backend->knows(mark)) << mark;
}

}  // namespace
}  // namespace lhsm::archive
