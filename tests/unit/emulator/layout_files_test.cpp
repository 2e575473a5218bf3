// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Layouts of files and directories through the xattr calls, the ioctls and the end of a restore.
#include <sys/ioctl.h>
#include <sys/xattr.h>

#include <set>

#include "core/directory_layout.hpp"
#include "unit/emulator/emulator_fixture.hpp"
#include "unit/emulator/layout_blobs.hpp"

extern "C" int llapi_hsm_import(const char* dst, int archive, const struct stat* st, unsigned long long stripe_size,
                                int stripe_offset, int stripe_count, int stripe_pattern, char* pool_name,
                                lhsm::abi::lu_fid* new_fid);

namespace lhsm::emulator {
namespace {

constexpr const char* k_lov = "lustre.lov";
constexpr unsigned long k_setstripe = _IOW('f', 154, long);

class LayoutFilesTest : public EmulatorTest {
 protected:
  static Layout layout_of(int fd) {
    char value[65536];
    const auto size = ::fgetxattr(fd, k_lov, value, sizeof value);
    EXPECT_GT(size, 0) << std::strerror(errno);
    return size > 0 ? *parse_layout({value, static_cast<std::size_t>(size)}) : Layout();
  }
  static Layout layout_of(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_TRUE(fd);
    return layout_of(*fd);
  }
  static int set(int fd, const Layout& layout) {
    const auto bytes = pack_layout(layout);
    return ::fsetxattr(fd, k_lov, bytes.data(), bytes.size(), XATTR_CREATE) == 0 ? 0 : errno;
  }
  static int set_by_ioctl(int fd, const Layout& layout) {
    auto bytes = pack_layout(layout);
    return ::ioctl(fd, k_setstripe, bytes.data()) == 0 ? 0 : errno;
  }
  /// What a layout asks for, without what is chosen when it is given to a file.
  static std::string wishes(const Layout& layout) {
    std::ostringstream text;
    for (const auto& component : layout.components)
      text << component.entry.start << "-" << component.entry.end << " " << component.header.stripe_size << " "
           << (component.header.pattern & ~LayoutHeader::k_released) << " " << component.pool << " "
           << component.objects.size() << ";";
    return text.str();
  }
  /// Make an empty file with a layout.
  std::string make_with(const std::string& name, const Layout& layout) const {
    const auto path = mount + "/" + name;
    const Fd fd(::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644));
    EXPECT_EQ(set(*fd, layout), 0);
    return path;
  }
  /// Restore with `size` bytes; `prepare` gets the descriptor of the volatile before there are data.
  template <class F>
  int restore(const std::string& path, std::size_t size, int flags, F prepare) {
    request(path, HUA_RESTORE);
    const auto item = receive();
    hsm_copyaction_private* action = nullptr;
    EXPECT_EQ(llapi_hsm_action_begin(&action, ct, &item, 0, flags, false), 0);
    {
      const Fd fd(llapi_hsm_action_get_fd(action));
      prepare(*fd);
      const std::string text(size, 'r');
      EXPECT_EQ(::pwrite(*fd, text.data(), size, 0), static_cast<ssize_t>(size));
    }
    return llapi_hsm_action_end(&action, &k_whole, 0, 0);
  }
};

TEST_F(LayoutFilesTest, every_kind_survives_release_and_restore) {
  ASSERT_EQ(shell("lctl pool_new lustre.fast && lctl pool_add lustre.fast OST0001 OST0002").code, 0);
  const std::vector<std::pair<std::string, Layout>> kinds{
      {"plain", plain(stripes(3, 2 * k_mib))},
      {"pool", plain(stripes(2, k_mib, "fast"))},
      {"osts", on_osts({3, 1})},
      {"pfl", composite({part(0, 4 * k_mib, stripes(1, k_mib)),
                         part(4 * k_mib, CompositeEntry::k_eof, stripes(4, k_mib, "fast"))})},
      {"dom", three_parts()},
  };
  for (const std::size_t size : {std::size_t{1000}, std::size_t{300'000}}) {
    for (const auto& [name, layout] : kinds) {
      const auto path = make_with(name + std::to_string(size), layout);
      std::ofstream(path) << std::string(size, 'a');
      const auto before = layout_of(path);
      const auto generation = generation_of(stored_layout(path, AttributeNames("trusted")));
      archive_and_release(path);
      const auto released = layout_of(path);
      for (const auto& component : released.components)
        EXPECT_NE(component.header.pattern & LayoutHeader::k_released, 0U) << name;
      const auto path_of_original = path;
      ASSERT_EQ(restore(path, size, O_LOV_DELAY_CREATE,
                        [&](int fd) {
                          EXPECT_EQ(::fgetxattr(fd, k_lov, nullptr, 0), -1) << "none until it is set";
                          EXPECT_EQ(errno, ENODATA);
                          EXPECT_EQ(set(fd, layout_of(path_of_original)), 0);
                        }),
                0)
          << name;
      EXPECT_EQ(wishes(layout_of(path)), wishes(before)) << name << " " << size;
      EXPECT_EQ(layout_of(path).components[0].header.pattern & LayoutHeader::k_released, 0U);
      EXPECT_GT(generation_of(stored_layout(path, AttributeNames("trusted"))), generation) << name;
      EXPECT_EQ(content(path), std::string(size, 'r'));
    }
  }
}

TEST_F(LayoutFilesTest, a_second_layout_is_left_out_by_xattr_and_refused_by_ioctl) {
  const auto path = make_with("f", plain(stripes(2, k_mib)));
  const Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_EQ(set(*fd, plain(stripes(4, k_mib))), 0);
  EXPECT_EQ(set_by_ioctl(*fd, plain(stripes(4, k_mib))), EEXIST);
  EXPECT_EQ(layout_of(*fd).components[0].objects.size(), 2U);
  const Fd data(::open(make("data", 10).c_str(), O_RDWR | O_CLOEXEC));
  EXPECT_EQ(set_by_ioctl(*data, plain(stripes(4, k_mib))), EEXIST);
}

TEST_F(LayoutFilesTest, what_is_no_layout_is_refused) {
  const Fd fd(::open(make("f", 0).c_str(), O_RDWR | O_CLOEXEC));
  const Fd directory(::open(mount.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const std::string garbage(48, 'x');
  const auto set_bytes = [&](int to, std::string_view bytes) {
    return ::fsetxattr(to, k_lov, bytes.data(), bytes.size(), 0) == 0 ? 0 : errno;
  };
  EXPECT_EQ(set_bytes(*fd, garbage), ERANGE);
  EXPECT_EQ(set_bytes(*directory, garbage), EINVAL);
  EXPECT_EQ(set_bytes(*fd, "short"), ERANGE);
  EXPECT_EQ(set(*fd, composite({part(k_mib, CompositeEntry::k_eof, stripes(1, k_mib))})), EINVAL);
  EXPECT_EQ(set(*fd, plain(mdt_part(k_mib))), EINVAL);
  auto cut = pack_layout(three_parts());
  cut.pop_back();
  EXPECT_EQ(set_bytes(*fd, cut), ERANGE);
  EXPECT_EQ(set_by_ioctl(*fd, on_osts({0, 8})), ENODEV);
  EXPECT_EQ(set_bytes(*fd, ""), 0) << "as removing: nothing happens";
  EXPECT_EQ(layout_of(*fd).components[0].objects.size(), 1U);
}

TEST_F(LayoutFilesTest, calls_by_path_and_lists) {
  const auto path = make_with("f", plain(stripes(2, k_mib)));
  char value[4096];
  EXPECT_EQ(::getxattr(path.c_str(), k_lov, nullptr, 0), 32 + 2 * 24);
  EXPECT_EQ(::getxattr(path.c_str(), k_lov, value, 40), -1);
  EXPECT_EQ(errno, ERANGE);
  EXPECT_EQ(::lgetxattr(path.c_str(), "trusted.lov", value, sizeof value), 80);
  const auto link = mount + "/link";
  ASSERT_EQ(::symlink("f", link.c_str()), 0);
  EXPECT_EQ(::getxattr(link.c_str(), k_lov, value, sizeof value), 80);
  EXPECT_EQ(::lgetxattr(link.c_str(), k_lov, value, sizeof value), -1);
  EXPECT_EQ(errno, ENODATA);
  ASSERT_EQ(::setxattr(path.c_str(), "user.mine", "1", 1, 0), 0);
  lu_fid fid{};
  ASSERT_EQ(llapi_path2fid(path.c_str(), &fid), 0);
  const auto size = ::listxattr(path.c_str(), value, sizeof value);
  ASSERT_GT(size, 0);
  EXPECT_EQ(std::string(value, static_cast<std::size_t>(size)), std::string("user.mine\0lustre.lov\0", 21));
  EXPECT_EQ(::llistxattr(path.c_str(), nullptr, 0), size);
  EXPECT_EQ(::listxattr(path.c_str(), value, 5), -1);
  EXPECT_EQ(errno, ERANGE);
  const auto other = make("g", 0);
  const auto bytes = pack_layout(three_parts());
  EXPECT_EQ(::setxattr(other.c_str(), k_lov, bytes.data(), bytes.size(), 0), 0);
  EXPECT_EQ(layout_of(other).components.size(), 3U);
  EXPECT_EQ(::removexattr(other.c_str(), k_lov), 0);
  EXPECT_EQ(layout_of(other).components.size(), 3U) << "a file keeps its layout";
  EXPECT_EQ(::setxattr(other.c_str(), "user.mine", "2", 1, 0), 0);
  EXPECT_EQ(::removexattr(other.c_str(), "user.mine"), 0);
}

TEST_F(LayoutFilesTest, getfattr_and_setfattr_with_the_library_preloaded) {
  if (shell("command -v getfattr setfattr").code != 0) GTEST_SKIP() << "needs getfattr and setfattr";
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer's own library would have to come first";
#endif
  const auto from = make_with("from", plain(stripes(3, k_mib)));
  const auto to = make("to", 0);
  EXPECT_EQ(shell("export LD_PRELOAD=" + quoted(library().native()) + "; cd " + quoted(mount) +
                  " && value=$(getfattr --only-values -e hex -n lustre.lov from | od -An -v -tx1 | tr -d ' \\n') && "
                  "setfattr -n lustre.lov -v 0x$value to && getfattr -m - to | grep lustre")
                .text,
            "lustre.lov\n");
  EXPECT_EQ(layout_of(to).components[0].objects.size(), 3U);
}

TEST_F(LayoutFilesTest, a_plain_layout_read_and_set_begins_anywhere) {
  const auto path = make_with("f", plain(stripes(1, k_mib)));
  const auto read = layout_of(path);
  EXPECT_EQ(read.components[0].header.stripe_offset, 0) << "no generation in the xattr";
  std::set<std::uint32_t> first;
  for (int i = 0; i < 4; ++i)
    first.insert(layout_of(make_with("g" + std::to_string(i), read)).components[0].objects[0].ost_index);
  EXPECT_EQ(first.size(), 4U);
}

TEST_F(LayoutFilesTest, directories_give_their_layout_to_what_comes_later) {
  const auto directory = mount + "/d";
  ASSERT_EQ(::mkdir(directory.c_str(), 0755), 0);
  ASSERT_EQ(::mkdir((directory + "/before").c_str(), 0755), 0);
  make("d/old", 1);
  const auto give = [&](const std::string& path, const Layout& layout) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return set(*fd, layout);
  };
  const auto count = [&](const std::string& name) {
    return layout_of(make("d/" + name, 1)).components[0].objects.size();
  };
  ASSERT_EQ(give(directory, plain(stripes(3, k_mib))), 0);
  EXPECT_EQ(layout_of(directory).components[0].header.stripe_count, 3);
  EXPECT_EQ(layout_of(directory + "/old").components[0].objects.size(), 1U);
  EXPECT_EQ(count("new"), 3U);
  EXPECT_EQ(count("before/f"), 1U) << "that directory was there already";
  ASSERT_EQ(::mkdir((directory + "/after").c_str(), 0755), 0);
  EXPECT_EQ(count("after/f"), 3U);
  // Another one, and then none.
  ASSERT_EQ(give(directory, plain(stripes(2, k_mib))), 0);
  EXPECT_EQ(count("new"), 3U) << "is the same file";
  EXPECT_EQ(count("newer"), 2U);
  EXPECT_EQ(count("after/g"), 3U);
  ASSERT_EQ(::removexattr(directory.c_str(), k_lov), 0);
  EXPECT_EQ(count("newer"), 2U);
  EXPECT_EQ(count("newest"), 1U);
  // The root's holds where no other does.
  ASSERT_EQ(give(mount, plain(stripes(4, k_mib))), 0);
  EXPECT_EQ(count("newest"), 1U);
  EXPECT_EQ(count("last"), 4U);
  EXPECT_EQ(count("after/h"), 3U);
  EXPECT_EQ(layout_of(directory).components[0].header.stripe_count, 4);
  EXPECT_EQ(give(directory, composite({part(0, 1000, stripes(1, 0))})), EINVAL);
}

TEST_F(LayoutFilesTest, import_remembers_the_stripes) {
  struct stat wanted {};
  wanted.st_mode = S_IFREG | 0640;
  wanted.st_size = 1'000'000;
  lu_fid fid{};
  const auto path = mount + "/imported";
  ASSERT_EQ(llapi_hsm_import(path.c_str(), 1, &wanted, 2 * k_mib, -1, 3, 0, nullptr, &fid), 0);
  const auto only = layout_of(path).components.at(0);
  EXPECT_EQ(only.header.stripe_count, 3);
  EXPECT_EQ(only.header.stripe_size, 2 * k_mib);
  EXPECT_EQ(only.header.pattern, LayoutHeader::k_raid0 | LayoutHeader::k_released);
  EXPECT_EQ(llapi_hsm_import((path + "2").c_str(), 1, &wanted, 1000, -1, 3, 0, nullptr, &fid), -EINVAL);
  char pool[] = "none_such";
  EXPECT_EQ(llapi_hsm_import((path + "3").c_str(), 1, &wanted, 0, -1, 1, 0, pool, &fid), -EINVAL);
  EXPECT_FALSE(std::filesystem::exists(path + "3"));
}

TEST_F(LayoutFilesTest, a_writer_by_fid_makes_the_usual_layout_appear) {
  const auto path = make("f", 10);
  archive_and_release(path);
  request(path, HUA_RESTORE);
  const auto item = receive();
  hsm_copyaction_private* action = nullptr;
  ASSERT_EQ(llapi_hsm_action_begin(&action, ct, &item, 0, O_LOV_DELAY_CREATE, false), 0);
  lu_fid dfid{};
  ASSERT_EQ(llapi_hsm_action_get_dfid(action, &dfid), 0);
  const Fd owner(llapi_hsm_action_get_fd(action));
  for (const int flags : {O_RDONLY, O_WRONLY | O_LOV_DELAY_CREATE}) {
    const Fd helper(llapi_open_by_fid(mount.c_str(), &dfid, flags));
    ASSERT_TRUE(helper);
    EXPECT_EQ(::fgetxattr(*owner, k_lov, nullptr, 0), -1) << flags;
  }
  { ASSERT_TRUE(Fd(llapi_open_by_fid(mount.c_str(), &dfid, O_WRONLY))); }
  EXPECT_EQ(layout_of(*owner).components[0].objects.size(), 1U);
  EXPECT_EQ(set_by_ioctl(*owner, plain(stripes(3, k_mib))), EEXIST);
  EXPECT_EQ(set(*owner, plain(stripes(3, k_mib))), 0) << "by xattr nobody is told";
  EXPECT_EQ(layout_of(*owner).components[0].objects.size(), 1U);
  const_cast<Fd&>(owner).reset();
  EXPECT_EQ(llapi_hsm_action_end(&action, &k_whole, 0, 0), 0);
}

TEST_F(LayoutFilesTest, a_volatile_gets_its_directorys_layout) {
  ASSERT_EQ(shell("mkdir " + quoted(mount + "/d") + " && lfs setstripe -c 3 " + quoted(mount + "/d")).code, 0);
  for (const int mdt : {-1, 0}) {
    const Fd fd(llapi_create_volatile_idx((mount + "/d").c_str(), mdt, O_RDWR));
    ASSERT_TRUE(fd);
    EXPECT_EQ(layout_of(*fd).components[0].objects.size(), 3U) << mdt;
  }
  const auto path = make("d/f", 10);
  archive_and_release(path);
  ASSERT_EQ(restore(path, 10, 0, [&](int fd) { EXPECT_EQ(layout_of(fd).components[0].objects.size(), 3U); }), 0);
}

TEST_F(LayoutFilesTest, data_do_not_move_to_the_mdt_at_the_end_of_a_restore) {
  const auto other_size = composite({mdt_part(2 * k_mib), part(2 * k_mib, CompositeEntry::k_eof, stripes(1, k_mib))});
  struct Case {
    Layout before;
    Layout after;
    int result;
  };
  const std::vector<Case> cases{{plain(stripes(1, k_mib)), three_parts(), -EOPNOTSUPP},
                                {three_parts(), other_size, -EOPNOTSUPP},
                                {three_parts(), three_parts(), 0},
                                {three_parts(), plain(stripes(2, k_mib)), 0}};
  int number = 0;
  for (const std::size_t size : {std::size_t{10}, std::size_t{300'000}})
    for (const auto& tried : cases) {
      const auto path = make_with("f" + std::to_string(number++), tried.before);
      std::ofstream(path) << std::string(size, 'a');
      archive_and_release(path);
      EXPECT_EQ(restore(path, size, O_LOV_DELAY_CREATE, [&](int fd) { EXPECT_EQ(set(fd, tried.after), 0); }),
                tried.result)
          << number;
      EXPECT_EQ((state(path) & HS_RELEASED) != 0, tried.result != 0) << number;
      EXPECT_EQ(stat_of(path).st_size, static_cast<off_t>(size));
    }
}

TEST_F(LayoutFilesTest, an_mdt_component_from_the_directory_is_the_files_own) {
  const Fd directory(::open(mount.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(set(*directory, three_parts()), 0);
  const auto path = make("f", 10);
  archive_and_release(path);
  EXPECT_EQ(restore(path, 10, 0, [](int) {}), 0) << "the volatile has it too";
  EXPECT_EQ(layout_of(path).components.size(), 3U);
}

}  // namespace
}  // namespace lhsm::emulator
