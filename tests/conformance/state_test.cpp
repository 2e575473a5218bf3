// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A file's HSM state: who changes it, and what is refused. llapi_hsm_state_get and _set, import.
#include <sys/xattr.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "conformance/lustre_test.hpp"

namespace lhsm::conformance {
namespace {

class State : public LustreTest {
 protected:
  int set(const std::string& file, std::uint64_t to_set, std::uint64_t to_clear = 0, std::uint32_t archive_id = 0) {
    return api.state_set(file.c_str(), to_set, to_clear, archive_id);
  }
  [[nodiscard]] hsm_user_state whole(const std::string& file) const {
    hsm_user_state state{};
    EXPECT_EQ(api.state_get(file.c_str(), &state), 0);
    return state;
  }
};

TEST_F(State, set_keeps_flags_consistent) {
  const auto file = make("file");
  EXPECT_EQ(set(file, 0x200), -EINVAL);
  EXPECT_EQ(set(file, HS_DIRTY), -EINVAL) << "without EXISTS";
  EXPECT_EQ(set(file, HS_RELEASED), -EINVAL) << "without ARCHIVED";
  EXPECT_EQ(set(file, HS_LOST), -EINVAL) << "without ARCHIVED";
  EXPECT_EQ(state(file), HS_NONE);
  EXPECT_EQ(set(file, HS_EXISTS | HS_ARCHIVED), 0);
  EXPECT_EQ(set(file, HS_DIRTY), 0);
  EXPECT_EQ(set(file, HS_LOST), 0);
  EXPECT_EQ(set(file, HS_NORELEASE | HS_NOARCHIVE), 0);
  EXPECT_EQ(state(file), k_archived | HS_DIRTY | HS_LOST | HS_NORELEASE | HS_NOARCHIVE);
  EXPECT_EQ(set(file, 0, HS_DIRTY | HS_LOST | HS_NORELEASE | HS_NOARCHIVE), 0);
  EXPECT_EQ(state(file), k_archived);
}

// What a scan of millions of files reads instead of opening each of them.
TEST_F(State, root_reads_it_and_the_fid_from_xattrs) {
  const auto file = make("file");
  const auto attributes = [&] {
    hsm_attrs found{};
    errno = 0;
    if (api.lgetxattr(file.c_str(), "trusted.hsm", &found, sizeof found) != sizeof found) {
      EXPECT_EQ(errno, ENODATA);
      return hsm_attrs{};
    }
    return found;
  };
  struct {
    std::uint32_t compat, incompat;
    lu_fid self;
  } lma{};
  ASSERT_EQ(api.lgetxattr(file.c_str(), "trusted.lma", &lma, sizeof lma), static_cast<ssize_t>(sizeof lma));
  EXPECT_EQ(text_of(lma.self), text_of(fid_of(file)));
  EXPECT_EQ(attributes().hsm_flags, 0U);
  ASSERT_EQ(set(file, HS_EXISTS | HS_ARCHIVED, 0, 3), 0);
  EXPECT_EQ(attributes().hsm_flags, k_archived);
  EXPECT_EQ(attributes().hsm_arch_id, 3U);
  std::ofstream(file, std::ios::app) << "more";
  EXPECT_EQ(attributes().hsm_flags, k_archived | HS_DIRTY) << "as soon as it is closed";
  EXPECT_EQ(whole(file).hus_states, k_archived | HS_DIRTY);
}

TEST_F(State, an_archive_id_without_exists_is_a_success_that_saves_nothing) {
  const auto file = make("file");
  EXPECT_EQ(set(file, HS_NORELEASE, 0, 3), 0);
  EXPECT_EQ(state(file), HS_NONE);
  EXPECT_EQ(set(file, HS_EXISTS, 0, 3), 0);
  EXPECT_EQ(whole(file).hus_archive_id, 3U);
}

TEST_F(State, in_progress_fields_are_always_zero) {
  const auto file = make("file");
  ASSERT_EQ(submit(HUA_ARCHIVE, file), 0);
  register_copytool();
  ASSERT_EQ(begin(receive_one()), 0);
  ASSERT_EQ(progress(0, 5), 0);
  EXPECT_EQ(whole(file).hus_in_progress_state, 0U);
  EXPECT_EQ(whole(file).hus_in_progress_action, 0U);
  EXPECT_EQ(whole(file).hus_archive_id, 1U);
  EXPECT_EQ(end(), 0);
}

TEST_F(State, of_nothing) {
  hsm_user_state state{};
  EXPECT_EQ(api.state_get(path("nothing").c_str(), &state), -ENOENT);
}

TEST_F(State, users_may_change_three_flags_of_their_files) {
  const auto file = make("file");
  ASSERT_EQ(::chown(file.c_str(), 65534, 65534), 0);
  ASSERT_EQ(::chmod(path(".").c_str(), 0755), 0);
  const auto as_user = [&](std::uint64_t flags) {
    return in_child([&] { return ::setuid(65534) != 0 ? 1 : -set(file, flags); });
  };
  EXPECT_EQ(as_user(HS_NORELEASE), 0);
  EXPECT_EQ(as_user(HS_EXISTS), EPERM);
}

TEST_F(State, writing_makes_an_archived_file_dirty) {
  const auto file = make("file", 100);
  archive(file);
  std::ofstream(file, std::ios::app) << "x";
  EXPECT_EQ(state(file), k_archived | HS_DIRTY);
  archive(file);
  EXPECT_EQ(state(file), k_archived) << "archived again";
  ASSERT_EQ(::truncate(file.c_str(), 50), 0);
  EXPECT_EQ(state(file), k_archived | HS_DIRTY);
}

TEST_F(State, an_archive_that_was_only_sent_gets_dirty_by_a_write) {
  const auto file = make("file", 100);
  ASSERT_EQ(submit(HUA_ARCHIVE, file), 0);
  register_copytool();
  ASSERT_EQ(begin(receive_one()), 0);
  ASSERT_EQ(end(EIO), 0);
  std::ofstream(file, std::ios::app) << "x";
  EXPECT_EQ(state(file), HS_EXISTS | HS_DIRTY);
}

TEST_F(State, metadata_make_nothing_dirty) {
  const auto file = make("file", 100);
  archive(file);
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  ASSERT_EQ(::chown(file.c_str(), 1, 1), 0);
  ASSERT_EQ(::rename(file.c_str(), path("other").c_str()), 0);
  ASSERT_EQ(::setxattr(path("other").c_str(), "user.x", "y", 1, 0), 0);
  EXPECT_EQ(state(path("other")), k_archived);
}

TEST_F(State, lives_in_the_xattr_trusted_hsm) {
  const auto file = make("file", 100);
  ASSERT_EQ(set(file, HS_EXISTS | HS_ARCHIVED, 0, 4), 0);
  hsm_attrs attributes{};
  ASSERT_EQ(::getxattr(file.c_str(), "trusted.hsm", &attributes, sizeof attributes), 24);
  EXPECT_EQ(attributes.hsm_flags, k_archived);
  EXPECT_EQ(attributes.hsm_arch_id, 4U);
}

TEST_F(State, import_makes_a_released_file) {
  struct stat st {};
  st.st_mode = S_IFREG | 06640;
  st.st_size = 123456;
  st.st_uid = 11;
  st.st_gid = 22;
  st.st_mtim = {1'500'000'000, 123};
  lu_fid fid{};
  const auto file = path("imported");
  ASSERT_EQ(api.import(file.c_str(), 2, &st, 0, -1, 0, 0, nullptr, &fid), 0);
  EXPECT_EQ(state(file), k_released);
  const auto now = stat_of(file);
  EXPECT_EQ(now.st_size, st.st_size);
  EXPECT_EQ(now.st_mode & 07777, 0640U) << "set-id bits are lost";
  EXPECT_EQ(now.st_uid, 11U);
  EXPECT_EQ(now.st_mtim.tv_sec, st.st_mtim.tv_sec);
  EXPECT_EQ(text_of(fid), text_of(fid_of(file)));
  EXPECT_EQ(api.import(file.c_str(), 2, &st, 0, -1, 0, 0, nullptr, &fid), -EEXIST);
  EXPECT_EQ(state(file), k_released) << "left alone";
}

TEST_F(State, every_name_of_a_file_is_found_by_its_fid) {
  const auto file = make("file");
  ASSERT_EQ(::link(file.c_str(), path("second").c_str()), 0);
  ASSERT_EQ(::link(file.c_str(), path("third").c_str()), 0);
  const auto fid = fid_of(file);
  EXPECT_EQ(text_of(fid_of(path("third"))), text_of(fid));
  const Fd root(::open(mount.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::vector<std::string> names;
  for (int link = 0, last = -1; link != last && names.size() < 9;) {
    last = link;
    char name[4096];
    long long record = -1;
    ASSERT_EQ(api.fid2path_at(*root, &fid, name, sizeof name, &record, &link), 0);
    names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  const auto prefix = path("").substr(mount.size() + 1);
  EXPECT_EQ(names, (std::vector<std::string>{prefix + "file", prefix + "second", prefix + "third"}));
}

}  // namespace
}  // namespace lhsm::conformance
