// SPDX-License-Identifier: LGPL-2.1-or-later
//
// llapi_layout_*: against layouts as bytes, against its own rules, and from a C program.
#include "library/layout_object.hpp"

#include "library/striping.hpp"
#include "unit/emulator/emulator_fixture.hpp"
#include "unit/emulator/layout_blobs.hpp"

extern "C" {
int llapi_layout_stripe_count_get(const llapi_layout* layout, std::uint64_t* count);
int llapi_layout_stripe_count_set(llapi_layout* layout, std::uint64_t count);
int llapi_layout_stripe_size_get(const llapi_layout* layout, std::uint64_t* size);
int llapi_layout_stripe_size_set(llapi_layout* layout, std::uint64_t size);
int llapi_layout_extension_size_get(const llapi_layout* layout, std::uint64_t* size);
int llapi_layout_extension_size_set(llapi_layout* layout, std::uint64_t size);
int llapi_layout_pattern_get(const llapi_layout* layout, std::uint64_t* pattern);
int llapi_layout_pattern_set(llapi_layout* layout, std::uint64_t pattern);
int llapi_layout_ost_index_get(const llapi_layout* layout, std::uint64_t stripe, std::uint64_t* index);
int llapi_layout_ost_index_reset(llapi_layout* layout);
int llapi_layout_pool_name_get(const llapi_layout* layout, char* name, std::size_t size);
int llapi_layout_pool_name_set(llapi_layout* layout, const char* name);
int llapi_layout_comp_extent_get(const llapi_layout* layout, std::uint64_t* start, std::uint64_t* end);
int llapi_layout_comp_extent_set(llapi_layout* layout, std::uint64_t start, std::uint64_t end);
int llapi_layout_comp_flags_get(const llapi_layout* layout, std::uint32_t* flags);
int llapi_layout_comp_flags_set(llapi_layout* layout, std::uint32_t flags);
int llapi_layout_comp_flags_clear(llapi_layout* layout, std::uint32_t flags);
int llapi_layout_comp_id_get(const llapi_layout* layout, std::uint32_t* id);
int llapi_layout_comp_add(llapi_layout* layout);
int llapi_layout_comp_del(llapi_layout* layout);
int llapi_layout_comp_use(llapi_layout* layout, std::uint32_t position);
int llapi_layout_comp_use_id(llapi_layout* layout, std::uint32_t id);
int llapi_layout_sanity(llapi_layout* layout, bool incomplete, bool flr);
int llapi_layout_dom_size(llapi_layout* layout, std::uint64_t* size);
int llapi_layout_mirror_count_get(llapi_layout* layout, std::uint16_t* count);
int llapi_layout_file_open(const char* path, int open_flags, mode_t mode, const llapi_layout* layout);
int llapi_layout_set_by_fd(int fd, llapi_layout* layout);
llapi_layout* llapi_layout_get_by_fid(const char* lustre_dir, const lhsm::abi::lu_fid* fid, int flags);
int llapi_file_create(const char* name, unsigned long long size, int offset, int count, int pattern);
int llapi_file_create_pool(const char* name, unsigned long long size, int offset, int count, int pattern, char* pool);
int llapi_file_get_stripe(const char* path, void* lum);
int llapi_create_volatile_param(const char* directory, int mdt, int flags, mode_t mode,
                                const llapi_stripe_param* param);
int llapi_get_poollist(const char* name, char** list, int list_size, char* buffer, int buffer_size);
int llapi_get_poolmembers(const char* name, char** list, int list_size, char* buffer, int buffer_size);
int llapi_search_ost(const char* fsname, const char* pool, const char* ost);
}

namespace lhsm::emulator {
namespace {

using LayoutPointer = std::unique_ptr<llapi_layout, void (*)(llapi_layout*)>;

LayoutPointer alloc() { return {llapi_layout_alloc(), &llapi_layout_free}; }
LayoutPointer from(const Layout& layout, int flags = 0) {
  auto bytes = pack_layout(layout);
  return {llapi_layout_get_by_xattr(bytes.data(), static_cast<ssize_t>(bytes.size()), flags), &llapi_layout_free};
}
/// Expect -1 with an errno.
void expect_failure(int rc, int sys_errno) {
  EXPECT_EQ(errno, sys_errno);
  EXPECT_EQ(rc, -1);
}

template <class T>
T value(int (*get)(const llapi_layout*, T*), const LayoutPointer& layout) {
  T result{};
  EXPECT_EQ(get(layout.get(), &result), 0);
  return result;
}

TEST(LayoutApi, a_new_layout_says_nothing) {
  const auto layout = alloc();
  EXPECT_EQ(value(llapi_layout_stripe_count_get, layout), k_layout_default);
  EXPECT_EQ(value(llapi_layout_stripe_size_get, layout), k_layout_default);
  EXPECT_EQ(value(llapi_layout_pattern_get, layout), k_layout_default);
  std::uint64_t start = 1;
  std::uint64_t end = 1;
  EXPECT_EQ(llapi_layout_comp_extent_get(layout.get(), &start, &end), 0);
  EXPECT_EQ(start, 0U);
  EXPECT_EQ(end, ~std::uint64_t{0});
  char pool[16] = "x";
  EXPECT_EQ(llapi_layout_pool_name_get(layout.get(), pool, sizeof pool), 0);
  EXPECT_STREQ(pool, "");
  std::uint64_t index = 0;
  expect_failure(llapi_layout_ost_index_get(layout.get(), 0, &index), EINVAL);
  EXPECT_EQ(*bytes_of(*layout), pack_layout(plain(stripes(0, 0))));
}

TEST(LayoutApi, values_are_those_of_lustreapi) {
  EXPECT_EQ(k_layout_default, 0x1000000000000002ULL);
  EXPECT_EQ(k_layout_wide_min, 0x1000000000000003ULL);
  EXPECT_EQ(k_layout_wide_max, 0x1000000000000022ULL);
}

TEST(LayoutApi, fields_are_set_and_checked) {
  const auto layout = alloc();
  EXPECT_EQ(llapi_layout_stripe_count_set(layout.get(), 3), 0);
  EXPECT_EQ(llapi_layout_stripe_size_set(layout.get(), k_mib), 0);
  EXPECT_EQ(llapi_layout_pool_name_set(layout.get(), "lustre.fast"), 0);
  EXPECT_EQ(llapi_layout_ost_index_set(layout.get(), 0, 2), 0);
  auto expected = stripes(3, k_mib, "fast");
  expected.header.stripe_offset = 2;
  EXPECT_EQ(*bytes_of(*layout), pack_layout(plain(expected)));
  expect_failure(llapi_layout_stripe_count_set(layout.get(), 0), EINVAL);
  expect_failure(llapi_layout_stripe_count_set(layout.get(), 2001), EINVAL);
  expect_failure(llapi_layout_stripe_size_set(layout.get(), 0), EINVAL);
  expect_failure(llapi_layout_stripe_size_set(layout.get(), 65535), EINVAL);
  expect_failure(llapi_layout_stripe_size_set(layout.get(), std::uint64_t{1} << 32U), EINVAL);
  expect_failure(llapi_layout_extension_size_set(layout.get(), k_mib), EINVAL);
  expect_failure(llapi_layout_pattern_set(layout.get(), 77), EOPNOTSUPP);
  expect_failure(llapi_layout_pool_name_set(layout.get(), "sixteen_letters_"), EINVAL);
  expect_failure(llapi_layout_pool_name_set(layout.get(), nullptr), EINVAL);
  expect_failure(llapi_layout_ost_index_set(layout.get(), -1, 1), EINVAL);
  expect_failure(llapi_layout_ost_index_set(layout.get(), 1, k_layout_default), EINVAL);
  expect_failure(llapi_layout_stripe_count_get(layout.get(), nullptr), EINVAL);
  expect_failure(llapi_layout_stripe_count_get(nullptr, nullptr), EINVAL);
  EXPECT_EQ(llapi_layout_stripe_count_set(layout.get(), k_layout_wide_min), 0);
  expected.header.stripe_count = LayoutHeader::k_all_osts;
  EXPECT_EQ(*bytes_of(*layout), pack_layout(plain(expected)));
}

TEST(LayoutApi, chosen_osts_become_a_specific_layout) {
  const auto layout = alloc();
  EXPECT_EQ(llapi_layout_stripe_size_set(layout.get(), k_mib), 0);
  for (int i = 0; i < 2; ++i)
    EXPECT_EQ(llapi_layout_ost_index_set(layout.get(), i, static_cast<std::uint64_t>(3 - i)), 0);
  auto expected = on_osts({3, 2});
  expected.components[0].header.stripe_offset = 3;
  EXPECT_EQ(*bytes_of(*layout), pack_layout(expected));
  EXPECT_EQ(llapi_layout_ost_index_set(layout.get(), 4, 0), 0);
  EXPECT_EQ(bytes_of(*layout).error().sys_errno, EINVAL) << "stripes 2 and 3 are nowhere";
  EXPECT_EQ(llapi_layout_ost_index_reset(layout.get()), 0);
  std::uint64_t index = 0;
  expect_failure(llapi_layout_ost_index_get(layout.get(), 0, &index), EINVAL);
}

TEST(LayoutApi, bytes_are_read_and_written_back) {
  for (const auto& layout : {plain(stripes(3, k_mib)), plain(stripes(1, k_mib, "fast")), three_parts()})
    EXPECT_EQ(*bytes_of(*from(layout)), pack_layout(layout));
  const auto layout = from(three_parts());
  std::uint64_t size = 0;
  EXPECT_EQ(llapi_layout_dom_size(layout.get(), &size), 0);
  EXPECT_EQ(size, k_mib);
  std::uint16_t mirrors = 0;
  EXPECT_EQ(llapi_layout_mirror_count_get(layout.get(), &mirrors), 0);
  EXPECT_EQ(mirrors, 1);
  EXPECT_EQ(llapi_layout_get_by_xattr(nullptr, 10, 0), nullptr);
  EXPECT_EQ(errno, EINVAL);
  char cut[16] = {};
  EXPECT_EQ(llapi_layout_get_by_xattr(cut, sizeof cut, 0), nullptr);
  EXPECT_EQ(errno, ERANGE);
  EXPECT_FALSE(from(plain(stripes(3, k_mib)), k_layout_get_check)) << "a file has objects";
  EXPECT_EQ(errno, EBADSLT);
}

TEST(LayoutApi, walking_over_components) {
  const auto layout = from(three_parts());
  layout->parts[1].id = 7;
  EXPECT_EQ(llapi_layout_comp_use(layout.get(), 1), 0);
  EXPECT_EQ(value(llapi_layout_pattern_get, layout), k_layout_mdt);
  EXPECT_EQ(llapi_layout_comp_use(layout.get(), 4), 1);
  EXPECT_EQ(errno, ENOENT);
  EXPECT_EQ(llapi_layout_comp_use(layout.get(), 3), 0);
  EXPECT_EQ(value(llapi_layout_comp_id_get, layout), 7U);
  EXPECT_EQ(llapi_layout_comp_use(layout.get(), 2), 0);
  EXPECT_EQ(value(llapi_layout_stripe_count_get, layout), k_layout_wide_min);
  EXPECT_EQ(llapi_layout_comp_use(layout.get(), 3), 1);
  EXPECT_EQ(llapi_layout_comp_use_id(layout.get(), 7), 0);
  EXPECT_EQ(value(llapi_layout_stripe_count_get, layout), 2U);
  expect_failure(llapi_layout_comp_use_id(layout.get(), 9), ENOENT);
  expect_failure(llapi_layout_comp_use(layout.get(), 9), EINVAL);
  expect_failure(llapi_layout_comp_del(layout.get()), EINVAL);
  EXPECT_EQ(llapi_layout_comp_flags_set(layout.get(), 6), 0);
  EXPECT_EQ(llapi_layout_comp_flags_clear(layout.get(), 2), 0);
  EXPECT_EQ(value(llapi_layout_comp_flags_get, layout), 4U);
  EXPECT_EQ(llapi_layout_comp_use(layout.get(), 2), 0);
  EXPECT_EQ(llapi_layout_comp_del(layout.get()), 0);
  EXPECT_EQ(layout->parts.size(), 2U);
  int calls = 0;
  const auto stop_at_once = [](llapi_layout*, void* count) { return ++*static_cast<int*>(count); };
  EXPECT_EQ(llapi_layout_comp_iterate(layout.get(), stop_at_once, &calls), 1);
  const auto plain_layout = alloc();
  EXPECT_EQ(llapi_layout_comp_use(plain_layout.get(), 3), 1);
  expect_failure(llapi_layout_comp_del(plain_layout.get()), EINVAL);
  expect_failure(llapi_layout_comp_add(plain_layout.get()), EINVAL);
}

TEST(LayoutApi, rules_about_neighbours_have_their_numbers) {
  const auto rule = [](auto change) {
    auto layout = composite({mdt_part(k_mib), part(k_mib, 4 * k_mib, stripes(1, k_mib)),
                             part(4 * k_mib, CompositeEntry::k_eof, stripes(2, k_mib))});
    auto made = from(layout);
    for (auto& one : made->parts) one.is_on_disk = false;
    change(made->parts);
    return llapi_layout_sanity(made.get(), false, false);
  };
  using Parts = std::vector<LayoutPart>;
  EXPECT_EQ(rule([](Parts&) {}), 0);
  EXPECT_EQ(rule([](Parts& parts) { parts[1].start = 0; }), 1) << "the first mirror is not complete";
  EXPECT_EQ(rule([](Parts& parts) { parts[1].flags = CompositeEntry::k_init; }), 4);
  EXPECT_EQ(rule([](Parts& parts) { parts[1].pattern = k_layout_mdt; }), 7);
  EXPECT_EQ(rule([](Parts& parts) {
              parts[0].end = 0;
              parts[0].stripe_size = k_mib;
            }),
            11);
  EXPECT_EQ(rule([](Parts& parts) { parts[2].end = 3 * k_mib; }), 10);
  EXPECT_EQ(rule([](Parts& parts) { parts[2].start = 8 * k_mib; }), 12);
  EXPECT_EQ(rule([](Parts& parts) { parts[1].stripe_size = 3 * 65536; }), 14);
  EXPECT_EQ(rule([](Parts& parts) { parts[0].flags = CompositeEntry::k_extension; }), 3);
}

class LayoutApiFilesTest : public EmulatorTest {};

TEST_F(LayoutApiFilesTest, a_c_program) {
  const auto output = shell("LD_LIBRARY_PATH=" + quoted(library().parent_path().native()) + " " +
                            quoted((programs() / "emulator_layout_probe").native()) + " " + quoted(mount));
  EXPECT_EQ(output.code, 0);
  EXPECT_EQ(output.text,
            "empty 1: 0+1048576 count 0x1000000000000002 size 1048576 pattern 2 flags 0x10\n"
            "empty 2: 1048576+-1 count 0x1000000000000003 size 4194304 pattern 0 flags 0\n"
            "grown 1: 0+1048576 count 0x1000000000000002 size 1048576 pattern 2 flags 0x10\n"
            "grown 2: 1048576+-1 count 0x4 size 4194304 pattern 0 flags 0x10\n"
            "copy 1: 0+1048576 count 0x1000000000000002 size 1048576 pattern 2 flags 0x10\n"
            "copy 2: 1048576+-1 count 0x4 size 4194304 pattern 0 flags 0\n");
}

TEST_F(LayoutApiFilesTest, opening_with_a_layout) {
  const auto layout = from(composite({part(0, CompositeEntry::k_eof, stripes(2, k_mib))}));
  const auto path = mount + "/f";
  const Fd fd(llapi_layout_file_open(path.c_str(), O_CREAT | O_RDWR, 0600, layout.get()));
  ASSERT_TRUE(fd);
  lu_fid fid{};
  ASSERT_EQ(llapi_fd2fid(*fd, &fid), 0);
  const LayoutPointer by_fid(llapi_layout_get_by_fid(mount.c_str(), &fid, 0), &llapi_layout_free);
  ASSERT_TRUE(by_fid);
  EXPECT_EQ(value(llapi_layout_stripe_count_get, by_fid), 2U);
  EXPECT_EQ(llapi_layout_set_by_fd(*fd, layout.get()), 0);
  expect_failure(llapi_layout_file_open((base + "/elsewhere").c_str(), O_CREAT | O_RDWR, 0600, layout.get()), ENOTTY);
  EXPECT_EQ(llapi_layout_get_by_path(base.c_str(), 0), nullptr);
  EXPECT_EQ(errno, ENOTTY);
  layout->parts[0].pool = "none_such";
  expect_failure(llapi_layout_file_open((mount + "/g").c_str(), O_CREAT | O_RDWR, 0600, layout.get()), EINVAL);
  EXPECT_FALSE(std::filesystem::exists(mount + "/g"));
  const LayoutPointer expected(llapi_layout_get_by_path((mount + "/later").c_str(), k_layout_get_expected),
                               &llapi_layout_free);
  ASSERT_TRUE(expected);
  EXPECT_EQ(value(llapi_layout_stripe_size_get, expected), 4 * k_mib);
}

TEST_F(LayoutApiFilesTest, the_older_functions) {
  ASSERT_EQ(shell("lctl pool_new lustre.fast && lctl pool_add lustre.fast OST[1,3] && lctl pool_new lustre.slow").code,
            0);
  const auto path = mount + "/f";
  EXPECT_EQ(llapi_file_create(path.c_str(), 2 * k_mib, -1, 2, 0), 0);
  EXPECT_EQ(llapi_file_create(path.c_str(), 2 * k_mib, -1, 2, 0), -EEXIST);
  char bytes[65536] = {};
  EXPECT_EQ(llapi_file_get_stripe(path.c_str(), bytes), 0);
  EXPECT_EQ(parse_layout({bytes, 80})->components[0].objects.size(), 2U);
  char pool[] = "fast";
  EXPECT_EQ(llapi_file_create_pool((mount + "/g").c_str(), 0, -1, 1, 0, pool), 0);
  EXPECT_EQ(llapi_file_create((mount + "/h").c_str(), 1000, -1, 2, 0), -EINVAL);
  EXPECT_EQ(llapi_file_create((mount + "/h").c_str(), 0, -1, 2, 0x100), -EINVAL);
  EXPECT_FALSE(std::filesystem::exists(mount + "/h"));
  EXPECT_EQ(llapi_file_create((base + "/h").c_str(), 0, -1, 2, 0), -ENOTTY);

  llapi_stripe_param param{};
  param.lsp_stripe_count = 3;
  param.lsp_stripe_offset = -1;
  const Fd made(llapi_create_volatile_param(mount.c_str(), 0, O_RDWR, 0600, &param));
  ASSERT_TRUE(made);
  const LayoutPointer layout(llapi_layout_get_by_fd(*made, 0), &llapi_layout_free);
  EXPECT_EQ(value(llapi_layout_stripe_count_get, layout), 3U);
  param.lsp_stripe_offset = 7;
  EXPECT_EQ(llapi_create_volatile_param(mount.c_str(), 0, O_RDWR, 0600, &param), -EINVAL);

  ASSERT_EQ(::setenv("LHSM_EMULATOR_MOUNT", mount.c_str(), 1), 0);
  char* list[4];
  char buffer[100];
  ASSERT_EQ(llapi_get_poollist(mount.c_str(), list, 4, buffer, sizeof buffer), 2);
  EXPECT_STREQ(list[1], "lustre.slow");
  EXPECT_EQ(llapi_get_poollist(mount.c_str(), list, 1, buffer, sizeof buffer), -EOVERFLOW);
  ASSERT_EQ(llapi_get_poolmembers("lustre.fast", list, 4, buffer, sizeof buffer), 2);
  EXPECT_STREQ(list[1], "lustre-OST0003_UUID");
  EXPECT_EQ(llapi_get_poolmembers("lustre.none", list, 4, buffer, sizeof buffer), -ENOENT);
  EXPECT_EQ(llapi_search_ost("lustre", "fast", "lustre-OST0003_UUID"), 1);
  EXPECT_EQ(llapi_search_ost("lustre", "fast", "lustre-OST0000_UUID"), 0);
  EXPECT_EQ(llapi_search_ost("lustre", "none", nullptr), -ENOENT);
  ::unsetenv("LHSM_EMULATOR_MOUNT");
}

}  // namespace
}  // namespace lhsm::emulator
