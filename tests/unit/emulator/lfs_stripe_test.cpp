// SPDX-License-Identifier: LGPL-2.1-or-later
//
// lfs setstripe and getstripe, and pools: the words that Lustre 2.16 prints.
#include <regex>

#include "unit/emulator/emulator_fixture.hpp"

namespace lhsm::emulator {
namespace {

class LfsStripeTest : public EmulatorTest {
 protected:
  /// Run a command in the mount; the numbers of objects, which mean nothing, become "N".
  Output in_mount(const std::string& command) const {
    auto output = shell("cd " + quoted(mount) + " && " + command);
    output.text = std::regex_replace(output.text, std::regex("\t *[0-9]+\t *0x[0-9a-f]+\t"), "\tN\tN\t");
    output.text = std::regex_replace(output.text, std::regex("(l_fid: \\[0x[0-9a-f]+):0x[0-9a-f]+:"), "$1:N:");
    output.text = std::regex_replace(output.text, std::regex("obdidx\t\t objid\t\t objid\t\t group"), "TITLES");
    return output;
  }
};

TEST_F(LfsStripeTest, a_plain_file) {
  ASSERT_EQ(in_mount("lfs setstripe -c 2 -S 1M -i 1 f").code, 0);
  EXPECT_EQ(in_mount("lfs getstripe f").text,
            "f\n"
            "lmm_stripe_count:  2\n"
            "lmm_stripe_size:   1048576\n"
            "lmm_pattern:       raid0\n"
            "lmm_layout_gen:    0\n"
            "lmm_stripe_offset: 1\n"
            "\tTITLES\n"
            "\t     1\tN\tN\t             0\n"
            "\t     2\tN\tN\t             0\n"
            "\n");
  EXPECT_EQ(in_mount("for o in -c -S -i -L -g --component-count; do echo \"$o $(lfs getstripe $o f)\"; done").text,
            "-c 2\n-S 1048576\n-i 1\n-L raid0\n-g 0\n--component-count 0\n");
  const auto again = in_mount("lfs setstripe -c 3 f");
  EXPECT_EQ(again.code, EEXIST);
  EXPECT_EQ(again.text, "lfs: setstripe error for 'f': stripe already set\n");
}

TEST_F(LfsStripeTest, a_file_with_components) {
  ASSERT_EQ(in_mount("lfs setstripe -E 1M -L mdt -E 64M -c 2 -i 3 -E -1 -c -1 -S 4M f && truncate -s 2M f").code, 0);
  EXPECT_EQ(in_mount("lfs getstripe f").text,
            "f\n"
            "  lcm_layout_gen:    4\n"
            "  lcm_mirror_count:  1\n"
            "  lcm_entry_count:   3\n"
            "    lcme_id:             1\n"
            "    lcme_mirror_id:      0\n"
            "    lcme_flags:          init\n"
            "    lcme_extent.e_start: 0\n"
            "    lcme_extent.e_end:   1048576\n"
            "      lmm_stripe_count:  0\n"
            "      lmm_stripe_size:   1048576\n"
            "      lmm_pattern:       mdt\n"
            "      lmm_layout_gen:    0\n"
            "      lmm_stripe_offset: 0\n"
            "\n"
            "    lcme_id:             2\n"
            "    lcme_mirror_id:      0\n"
            "    lcme_flags:          init\n"
            "    lcme_extent.e_start: 1048576\n"
            "    lcme_extent.e_end:   67108864\n"
            "      lmm_stripe_count:  2\n"
            "      lmm_stripe_size:   1048576\n"
            "      lmm_pattern:       raid0\n"
            "      lmm_layout_gen:    0\n"
            "      lmm_stripe_offset: 3\n"
            "      lmm_objects:\n"
            "      -   0: { l_ost_idx:   3, l_fid: [0x100030000:N:0x0] }\n"
            "      -   1: { l_ost_idx:   0, l_fid: [0x100000000:N:0x0] }\n"
            "\n"
            "    lcme_id:             3\n"
            "    lcme_mirror_id:      0\n"
            "    lcme_flags:          0\n"
            "    lcme_extent.e_start: 67108864\n"
            "    lcme_extent.e_end:   EOF\n"
            "      lmm_stripe_count:  -1\n"
            "      lmm_stripe_size:   4194304\n"
            "      lmm_pattern:       raid0\n"
            "      lmm_layout_gen:    0\n"
            "      lmm_stripe_offset: -1\n"
            "\n");
  EXPECT_EQ(in_mount("for o in -c -S -L --component-count -I -E; do echo \"$o $(lfs getstripe $o f)\"; done").text,
            "-c 2\n-S 1048576\n-L raid0\n--component-count 3\n-I 2\n-E 67108864\n")
      << "of the last one with objects";
  EXPECT_EQ(in_mount("echo $(lfs getstripe -I1 -L f) $(lfs getstripe -I3 -c f) $(lfs getstripe -E-1 -I f)").text,
            "mdt -1 3\n");
  EXPECT_EQ(in_mount("lfs getstripe -v f | grep -c -e 'lcm_magic:         0x0BD60BD0' -e '^  - lcme_id:  ' "
                     "-e '^      lmm_magic:         0x0BD10BD0'")
                .text,
            "7\n");
}

TEST_F(LfsStripeTest, a_released_file) {
  ASSERT_EQ(in_mount("lfs setstripe -c 2 -S 1M f && lfs setstripe -E 1M -E EOF g && echo data >f && echo data >g").code,
            0);
  for (const auto* name : {"f", "g"}) archive_and_release(mount + "/" + name);
  EXPECT_EQ(in_mount("lfs getstripe f").text,
            "f\n"
            "lmm_stripe_count:  2\n"
            "lmm_stripe_size:   1048576\n"
            "lmm_pattern:       released\n"
            "lmm_layout_gen:    1\n"
            "lmm_stripe_offset: 0\n"
            "\n");
  EXPECT_EQ(in_mount("echo $(lfs getstripe -L f) $(lfs getstripe -c f)").text, "released 2\n");
  EXPECT_EQ(in_mount("lfs getstripe g | grep -c 'lmm_pattern:       released'").text, "2\n");
  EXPECT_EQ(in_mount("lfs getstripe g | grep -c -e lmm_objects -e 'lcme_flags:          0'").text, "0\n");
}

TEST_F(LfsStripeTest, directories) {
  const std::string usual = "stripe_count:  1 stripe_size:   4194304 pattern:       raid0 stripe_offset: -1\n\n";
  ASSERT_EQ(in_mount("mkdir d && lctl pool_new lustre.fast 2>&1 && lctl pool_add lustre.fast OST0001").code, 0);
  EXPECT_EQ(in_mount("lfs getstripe -d d").text, usual);
  EXPECT_EQ(in_mount("lfs getstripe d").text, "d\n" + usual);
  ASSERT_EQ(in_mount("lfs setstripe -c 2 -p fast d && touch d/f").code, 0);
  const std::string set =
      "stripe_count:  2 stripe_size:   4194304 pattern:       raid0 stripe_offset: -1 pool:          fast\n\n";
  EXPECT_EQ(in_mount("lfs getstripe -d d").text, set);
  EXPECT_EQ(in_mount("lfs getstripe d").text,
            "d\n" + set +
                "d/f\nlmm_stripe_count:  1\nlmm_stripe_size:   4194304\nlmm_pattern:       raid0\n"
                "lmm_layout_gen:    0\nlmm_stripe_offset: 1\nlmm_pool:          fast\n\tTITLES\n"
                "\t     1\tN\tN\t             0\n\n");
  EXPECT_EQ(in_mount("echo $(lfs getstripe -p d/f) $(lfs getstripe -c d)").text, "fast 2\n");
  ASSERT_EQ(in_mount("lfs setstripe -d d").code, 0);
  EXPECT_EQ(in_mount("lfs getstripe -d d").text, usual);
  EXPECT_EQ(in_mount("echo $(lfs getstripe -p d/f)").text, "fast\n") << "what is there keeps its layout";
  ASSERT_EQ(in_mount("lfs setstripe -E 1M -L mdt -E EOF -c 3 d").code, 0);
  EXPECT_EQ(
      in_mount("lfs getstripe -d d").text,
      "  lcm_layout_gen:    0\n  lcm_mirror_count:  1\n  lcm_entry_count:   2\n"
      "    lcme_id:             N/A\n    lcme_mirror_id:      N/A\n    lcme_flags:          0\n"
      "    lcme_extent.e_start: 0\n    lcme_extent.e_end:   1048576\n"
      "      stripe_count:  0       stripe_size:   1048576       pattern:       mdt       stripe_offset: -1\n\n"
      "    lcme_id:             N/A\n    lcme_mirror_id:      N/A\n    lcme_flags:          0\n"
      "    lcme_extent.e_start: 1048576\n    lcme_extent.e_end:   EOF\n"
      "      stripe_count:  3       stripe_size:   1048576       pattern:       raid0       stripe_offset: -1\n\n");
  EXPECT_EQ(in_mount("touch d/g && lfs getstripe --component-count d/g").text, "2\n\n");
}

TEST_F(LfsStripeTest, what_setstripe_refuses) {
  const auto refused = [&](const std::string& arguments) {
    const auto output = in_mount("lfs setstripe " + arguments + " x 2>&1");
    EXPECT_NE(output.code, 0) << arguments;
    return output.text;
  };
  EXPECT_NE(refused("-c many").find("lfs setstripe: invalid stripe count 'many'"), std::string::npos);
  EXPECT_NE(refused("-S 100000").find("lfs setstripe: invalid stripe size '100000'"), std::string::npos);
  EXPECT_NE(refused("-i 70000").find("lfs setstripe: invalid stripe offset '70000'"), std::string::npos);
  EXPECT_NE(refused("-p none_such").find("pool 'none_such fsname lustre' does not exist"), std::string::npos);
  EXPECT_NE(refused("-L mdt").find("'-L mdt', must be specified with -E"), std::string::npos);
  EXPECT_NE(refused("-E 1M -E EOF -L mdt").find("'mdt' layout can be only the first one"), std::string::npos);
  EXPECT_NE(refused("-E 2G -L mdt").find("'mdt' layout size is too big"), std::string::npos);
  EXPECT_NE(refused("-E 1M -L raid5").find("layout 'raid5' is unknown"), std::string::npos);
  EXPECT_NE(refused("-E 1M -L mdt -c 2").find("'stripe-count' can't be specified with Data-on-MDT"), std::string::npos);
  EXPECT_NE(refused("-E 4M -E 1M").find("Set extent"), std::string::npos);
  EXPECT_NE(refused("-E 1M -S 192K").find("Invalid layout: The component end must be aligned by the stripe size"),
            std::string::npos);
  EXPECT_NE(refused("-d -c 2").find("option -d is mutually exclusive"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(mount + "/x"));
  EXPECT_EQ(in_mount("lfs setstripe -i 4 x").code, EINVAL) << "there are four OSTs";
  EXPECT_EQ(in_mount("lfs setstripe -o 3,1 y && lfs getstripe -i y && lfs getstripe -c y").text, "3\n\n2\n\n");
}

TEST_F(LfsStripeTest, pools_are_made_and_removed) {
  EXPECT_EQ(in_mount("lctl pool_new lustre.fast").text, "Pool lustre.fast created\n");
  EXPECT_EQ(in_mount("lctl pool_new lustre.fast").code, EEXIST);
  EXPECT_EQ(in_mount("lctl pool_new lustre.name_is_too_long").code, EINVAL);
  EXPECT_EQ(in_mount("lctl pool_new other.fast").code, ENODEV);
  EXPECT_EQ(in_mount("lctl pool_add lustre.fast OST[1-2] lustre-OST0000_UUID").text,
            "OST lustre-OST0001_UUID added to pool lustre.fast\nOST lustre-OST0002_UUID added to pool lustre.fast\n"
            "OST lustre-OST0000_UUID added to pool lustre.fast\n");
  EXPECT_EQ(in_mount("lctl pool_add lustre.fast OST0001").code, EEXIST);
  EXPECT_EQ(in_mount("lctl pool_add lustre.fast OST0009").code, ENOENT);
  EXPECT_EQ(in_mount("lfs pool_list " + quoted(mount)).text, "Pools from lustre:\nlustre.fast\n");
  EXPECT_EQ(in_mount("lctl pool_list lustre.fast").text,
            "Pool: lustre.fast\nlustre-OST0001_UUID\nlustre-OST0002_UUID\nlustre-OST0000_UUID\n");
  EXPECT_EQ(in_mount("lctl pool_destroy lustre.fast").code, ENOTEMPTY);
  EXPECT_EQ(in_mount("lctl pool_remove lustre.fast OST[0-2]").code, 0);
  EXPECT_EQ(in_mount("lctl pool_destroy lustre.fast").text, "Pool lustre.fast destroyed\n");
  EXPECT_EQ(in_mount("lfs pool_list lustre").text, "Pools from lustre:\n");
}

}  // namespace
}  // namespace lhsm::emulator
