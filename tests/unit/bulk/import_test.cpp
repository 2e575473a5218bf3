// SPDX-License-Identifier: LGPL-2.1-or-later
// What becomes of one file that is imported.
#include "lhsmtool_mpi/bulk/import.hpp"

#include <gtest/gtest.h>
#include <sys/xattr.h>

#include <cstring>

#include "lhsmtool_mpi/base/log.hpp"
#include "support/fake_lustre.hpp"

namespace lhsm::bulk {
namespace {

using archive::PosixTree;
using archive::TreeFormat;
using comm::FileAnswer;
using test::Call;

constexpr Fid k_old{0x200000401, 7, 0};
constexpr std::int64_t k_second = 1'000'000'000;
constexpr std::int64_t k_mtime = 1'000'000'000;  // seconds

class ImportTest : public ::testing::Test {
 protected:
  ImportTest() {
    log::set_up("test", 0, log::Level::off);
    std::filesystem::create_directories(m_dir / "old");
    std::filesystem::create_directories(m_dir / "new");
    m_from.emplace(open(m_dir / "old", TreeFormat::v1));
    m_to.emplace(open(m_dir / "new", TreeFormat::v2));
    auto importer = Importer::open(m_lustre, *m_from, *m_to, 3);
    if (!importer) throw Fatal(importer.error());
    m_importer.emplace(std::move(*importer));
  }
  static PosixTree open(const std::string& root, TreeFormat format) {
    auto opened = PosixTree::open(root, format);
    if (!opened) throw Fatal(opened.error());
    return std::move(*opened);
  }
  [[nodiscard]] std::filesystem::path old_object(const Fid& fid = k_old) const { return m_dir / ("old/" + m_from->object_path(fid)); }
  [[nodiscard]] std::filesystem::path new_object(const Fid& fid) const { return m_dir / ("new/" + m_to->object_path(fid)); }
  [[nodiscard]] std::filesystem::path at(const std::string& path) const { return std::filesystem::path(m_lustre.mount_point()) / path; }
  static void set_mtime(const std::filesystem::path& path, std::int64_t seconds) {
    const std::array<timespec, 2> times{timespec{seconds, 0}, timespec{seconds, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
  }
  void make_object(const std::string& content = "content", const Fid& fid = k_old) {
    test::write_file(old_object(fid), content);
    set_mtime(old_object(fid), k_mtime);
  }
  static comm::FileToDo item(const std::string& path = "dir/file", std::uint32_t links = 1) {
    return {k_old, path, 7, k_mtime * k_second + 5, 11, 12, 0, links, abi::HS_EXISTS | abi::HS_ARCHIVED};
  }
  comm::FileDone import(const comm::FileToDo& file) { return m_importer->import(file, "scratch"); }
  int errno_of(const comm::FileToDo& file) {
    const auto done = import(file);
    return done.answer == FileAnswer::failed ? done.error.sys_errno : 0;
  }
  [[nodiscard]] Fid fid_at(const std::string& path) { return m_lustre.imported.at(at(path)).first; }

  test::TempDir m_dir;
  test::FakeLustre m_lustre;
  std::optional<PosixTree> m_from;
  std::optional<PosixTree> m_to;
  std::optional<Importer> m_importer;
};

TEST_F(ImportTest, makes_a_released_file_with_what_the_archive_has_of_it) {
  make_object();
  test::write_file(old_object().string() + ".lov", "layout");
  std::filesystem::permissions(old_object(), std::filesystem::perms(04750));
  const bool has_xattrs = ::setxattr(old_object().c_str(), "user.colour", "green", 5, 0) == 0 &&
                          ::setxattr(old_object().c_str(), "user.lhsmtool_mpi.digest", "digest", 6, 0) == 0;
  comm::FileToDo file = item("a/b/file");
  file.projid = 99;
  ASSERT_EQ(import(file).answer, FileAnswer::done);
  const auto [fid, archive_id] = m_lustre.imported.at(at("a/b/file"));
  EXPECT_EQ(archive_id, 3U);
  EXPECT_EQ(m_lustre.imported_owners.at(at("a/b/file")), std::pair(11U, 12U)) << "it may have got another one since it was archived";
  EXPECT_TRUE(std::filesystem::equivalent(new_object(fid), old_object()));
  EXPECT_EQ(test::read_file(new_object(fid).string() + ".lov"), "layout");
  EXPECT_EQ(m_lustre.project_of(fid), 99U);
  struct stat made {};
  ASSERT_EQ(::stat(at("a/b/file").c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 07777U, 0750U) << "its former owner's programs are not to run as this one";
  EXPECT_EQ(made.st_mtim.tv_sec, k_mtime);
  ASSERT_EQ(::stat(at("a/b").c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 07777U, 0700U) << "until somebody says who may come in";
  if (!has_xattrs) return;
  std::array<char, 16> value{};
  EXPECT_EQ(::getxattr(at("a/b/file").c_str(), "user.colour", value.data(), value.size()), 5);
  EXPECT_EQ(::getxattr(at("a/b/file").c_str(), "user.lhsmtool_mpi.digest", value.data(), value.size()), -1);
}

TEST_F(ImportTest, who_still_has_a_program_has_its_rights) {
  make_object();
  std::filesystem::permissions(old_object(), std::filesystem::perms(04750));
  comm::FileToDo file = item();
  file.uid = ::geteuid();
  file.gid = ::getegid();
  ASSERT_EQ(import(file).answer, FileAnswer::done);
  struct stat made {};
  ASSERT_EQ(::stat(at("dir/file").c_str(), &made), 0);
  EXPECT_EQ(made.st_mode & 07777U, 04750U);
}

/// In one root for two file systems, a new file can get the very FID of the old one.
TEST_F(ImportTest, an_object_is_not_shared_by_two_files_under_one_name) {
  const Fid next{0x200000400, 1, 0};  // which the first new file gets
  make_object("content", next);
  test::write_file(new_object(next), "");
  std::filesystem::remove(new_object(next));
  std::filesystem::create_hard_link(old_object(next), new_object(next));
  comm::FileToDo file = item();
  file.fid = next;
  EXPECT_EQ(errno_of(file), EEXIST);
  EXPECT_FALSE(std::filesystem::exists(at("dir/file")));
  EXPECT_TRUE(std::filesystem::exists(new_object(next)));
}

TEST_F(ImportTest, files_have_no_projects_everywhere) {
  make_object();
  comm::FileToDo file = item();
  file.projid = 99;
  m_lustre.fail(Call::set_project, EOPNOTSUPP);
  EXPECT_EQ(import(file).answer, FileAnswer::done);
  m_lustre.fail(Call::set_project, EIO);
  file.path = "dir/other";
  EXPECT_EQ(errno_of(file), EIO);
  EXPECT_FALSE(std::filesystem::exists(at("dir/other"))) << "it is taken back";
}

TEST_F(ImportTest, an_object_that_is_not_of_the_last_state_is_none) {
  make_object();
  comm::FileToDo newer = item();
  newer.mtime_ns += k_second;
  EXPECT_EQ(errno_of(newer), ESTALE);
  comm::FileToDo larger = item();
  larger.size = 8;
  EXPECT_EQ(errno_of(larger), ESTALE);
  EXPECT_TRUE(m_lustre.imported.empty());
  comm::FileToDo given_an_older_time = item();
  given_an_older_time.mtime_ns -= k_second;
  given_an_older_time.hsm_state |= abi::HS_DIRTY;
  EXPECT_EQ(errno_of(given_an_older_time), ESTALE);
  comm::FileToDo archived_later = item();
  archived_later.mtime_ns -= k_second;
  archived_later.size = 8;
  EXPECT_EQ(import(archived_later).answer, FileAnswer::done) << "the object is newer than the scan";
}

TEST_F(ImportTest, without_an_object_nothing_is_made) {
  EXPECT_EQ(errno_of(item()), ENOENT);
  std::filesystem::create_directories(old_object().parent_path());
  std::filesystem::create_symlink("elsewhere", old_object());
  EXPECT_EQ(errno_of(item()), ELOOP);
  EXPECT_TRUE(m_lustre.imported.empty());
}

TEST_F(ImportTest, items_that_tell_no_file_are_refused) {
  make_object();
  for (const std::string path : {"", "/", "/etc/x", "../x", "a/../../x", "a//b", "a/.", "a/"})
    EXPECT_EQ(import(item(path)).answer, FileAnswer::refused) << path;
  comm::FileToDo no_fid = item();
  no_fid.fid = {};
  EXPECT_EQ(import(no_fid).answer, FileAnswer::refused);
}

TEST_F(ImportTest, no_link_leads_it_elsewhere) {
  make_object();
  std::filesystem::create_directories(m_dir / "elsewhere");
  std::filesystem::create_directory_symlink(m_dir / "elsewhere", at("link"));
  EXPECT_EQ(errno_of(item("link/file")), ELOOP);
  EXPECT_TRUE(std::filesystem::is_empty(m_dir / "elsewhere"));
  test::write_file(at("file"), "x");
  EXPECT_EQ(errno_of(item("file/file")), ENOTDIR);
}

TEST_F(ImportTest, what_has_the_path_stays_as_it_is) {
  make_object();
  test::write_file(at("dir/file"), "content");  // of the same size
  EXPECT_EQ(errno_of(item()), ENOTTY) << "the fake knows no FID of it";
  const Fid mine = m_lustre.import_released(at("dir/mine"), 3, {}).value();
  m_lustre.set_hsm_state(mine, 0);
  test::write_file(at("dir/mine"), "content");
  EXPECT_EQ(errno_of(item("dir/mine")), EEXIST);
  EXPECT_EQ(test::read_file(at("dir/mine")), "content");
  std::filesystem::create_directory(at("dir/directory"));
  std::filesystem::create_symlink("nowhere", at("dir/link"));
  EXPECT_EQ(errno_of(item("dir/directory")), EEXIST);
  EXPECT_EQ(errno_of(item("dir/link")), EEXIST);
}

TEST_F(ImportTest, what_an_earlier_run_made_is_recognised) {
  make_object();
  ASSERT_EQ(import(item()).answer, FileAnswer::done);
  EXPECT_EQ(import(item()).answer, FileAnswer::already);
  const Fid fid = fid_at("dir/file");
  m_lustre.set_hsm_state(fid, abi::HS_EXISTS | abi::HS_ARCHIVED, 3);
  EXPECT_EQ(import(item()).answer, FileAnswer::already) << "its user has restored it";
  EXPECT_EQ(m_lustre.calls(Call::import), 1);
}

TEST_F(ImportTest, a_run_that_was_killed_before_the_object_had_its_name_is_gone_on_with) {
  make_object();
  struct stat attributes {};
  ASSERT_EQ(::stat(old_object().c_str(), &attributes), 0);
  std::filesystem::create_directories(at("dir"));
  const Fid fid = m_lustre.import_released(at("dir/file"), 3, attributes).value();
  EXPECT_EQ(import(item()).answer, FileAnswer::done);
  EXPECT_TRUE(std::filesystem::equivalent(new_object(fid), old_object()));
  // Of another archive it is another's.
  ASSERT_TRUE(m_lustre.import_released(at("dir/other"), 4, attributes));
  EXPECT_EQ(errno_of(item("dir/other")), EEXIST);
  attributes.st_size = 8;
  ASSERT_TRUE(m_lustre.import_released(at("dir/larger"), 3, attributes));
  EXPECT_EQ(errno_of(item("dir/larger")), EEXIST);
}

TEST_F(ImportTest, a_run_that_was_killed_before_the_file_was_released_is_gone_on_with) {
  make_object();
  std::filesystem::create_directories(at("dir"));
  const Fid fid = m_lustre.import_released(at("dir/file"), 3, {}).value();
  m_lustre.set_hsm_state(fid, 0);
  m_lustre.unlink(fid);  // has one name
  EXPECT_EQ(import(item()).answer, FileAnswer::done);
  EXPECT_NE(fid_at("dir/file"), fid);
  // By the layout an empty file of a user is told from it.
  std::string layout(48, '\0');  // struct lov_user_md_v1 with one stripe
  for (const std::uint32_t pattern : {0x80000001U, 1U}) {
    const std::string path = "dir/" + std::to_string(pattern);
    const Fid empty = m_lustre.import_released(at(path), 3, {}).value();
    m_lustre.set_hsm_state(empty, 0);
    m_lustre.unlink(empty);
    const std::uint32_t head[] = {0x0BD10BD0, pattern};
    std::memcpy(layout.data(), head, sizeof head);
    m_lustre.set_file_layout(empty, layout);
    EXPECT_EQ(errno_of(item(path)), pattern == 1 ? EEXIST : 0);
  }
}

TEST_F(ImportTest, the_object_of_another_file_is_not_replaced) {
  make_object();
  for (unsigned oid = 1; oid < 5; ++oid) test::write_file(new_object({0x200000400, oid, 0}), "another's");
  EXPECT_EQ(errno_of(item()), EEXIST);
  EXPECT_FALSE(std::filesystem::exists(at("dir/file"))) << "without an object nobody could read it";
  EXPECT_EQ(test::read_file(new_object({0x200000400, 1, 0})), "another's");
}

TEST_F(ImportTest, further_names_are_of_the_same_file) {
  make_object();
  ASSERT_EQ(import(item("dir/a", 3)).answer, FileAnswer::done);
  ASSERT_EQ(import(item("dir/b", 3)).answer, FileAnswer::done);
  EXPECT_TRUE(std::filesystem::equivalent(at("dir/a"), at("dir/b")));
  EXPECT_EQ(m_lustre.calls(Call::import), 1);
  EXPECT_EQ(import(item("dir/b", 3)).answer, FileAnswer::already);
  // Its user has moved it meanwhile.
  std::filesystem::remove(at("dir/b"));
  std::filesystem::rename(at("dir/a"), at("dir/moved"));
  m_lustre.set_path(fid_at("dir/a"), "dir/moved");
  EXPECT_EQ(import(item("dir/c", 3)).answer, FileAnswer::done);
  EXPECT_TRUE(std::filesystem::equivalent(at("dir/moved"), at("dir/c")));
}

TEST_F(ImportTest, a_first_name_that_is_gone_makes_the_next_one_the_first) {
  make_object();
  ASSERT_EQ(import(item("dir/a", 3)).answer, FileAnswer::done);
  m_lustre.set_path(fid_at("dir/a"), "");
  ASSERT_EQ(import(item("dir/b", 3)).answer, FileAnswer::done);
  ASSERT_EQ(import(item("dir/c", 3)).answer, FileAnswer::done);
  EXPECT_EQ(m_lustre.calls(Call::import), 2);
  EXPECT_TRUE(std::filesystem::equivalent(at("dir/b"), at("dir/c")));
}

TEST_F(ImportTest, a_run_that_was_killed_before_the_first_name_was_noted_is_gone_on_with) {
  make_object();
  ASSERT_EQ(import(item("dir/a", 2)).answer, FileAnswer::done);
  std::filesystem::remove_all(m_dir / "new/.lhsmtool_mpi");
  EXPECT_EQ(import(item("dir/a", 2)).answer, FileAnswer::already);
  EXPECT_EQ(import(item("dir/b", 2)).answer, FileAnswer::done);
  EXPECT_TRUE(std::filesystem::equivalent(at("dir/a"), at("dir/b")));
}

TEST_F(ImportTest, another_file_that_has_the_object_too_is_no_name_of_it) {
  make_object();
  ASSERT_EQ(import(item("dir/a", 1)).answer, FileAnswer::done);
  ASSERT_EQ(import(item("dir/b", 2)).answer, FileAnswer::done);
  EXPECT_EQ(errno_of(item("dir/a", 2)), EEXIST);
}

/// A file system that was made anew has the FIDs of the former one, and its name.
TEST_F(ImportTest, a_note_of_another_file_does_not_count) {
  make_object();
  ASSERT_EQ(import(item("dir/a", 2)).answer, FileAnswer::done);
  std::filesystem::remove(old_object());
  make_object("CONTENT");
  ASSERT_EQ(import(item("dir/b", 2)).answer, FileAnswer::done);
  EXPECT_FALSE(std::filesystem::equivalent(at("dir/a"), at("dir/b")));
  EXPECT_EQ(test::read_file(new_object(fid_at("dir/b"))), "CONTENT");
}

/// On a network file system a rank may not see at once what another one noted.
TEST_F(ImportTest, who_comes_second_with_a_note_takes_its_file_back) {
  make_object();
  ASSERT_EQ(import(item("dir/a", 2)).answer, FileAnswer::done);
  const auto note = m_dir / ("new/.lhsmtool_mpi/imported.scratch/" + k_old.str());
  const auto text = std::filesystem::read_symlink(note);
  std::filesystem::remove(note);
  m_lustre.before(Call::import, [&](const Fid&) {
    std::filesystem::create_symlink(text, note);
    return 0;
  });
  ASSERT_EQ(import(item("dir/b", 2)).answer, FileAnswer::done);
  EXPECT_TRUE(std::filesystem::equivalent(at("dir/a"), at("dir/b")));
  std::size_t names = std::filesystem::hard_link_count(old_object());
  EXPECT_EQ(names, 2U) << "the object of the one that was taken back has gone, too";
}

TEST_F(ImportTest, a_source_that_is_no_name_fails_files_of_several_names) {
  make_object();
  EXPECT_EQ(m_importer->import(item("dir/a", 2), "../x").error.sys_errno, EINVAL);
  EXPECT_EQ(m_importer->import(item("dir/a", 1), "../x").answer, FileAnswer::done);
}

}  // namespace
}  // namespace lhsm::bulk
