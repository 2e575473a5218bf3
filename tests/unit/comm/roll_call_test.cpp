// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/comm/roll_call.hpp"

#include <gtest/gtest.h>

namespace lhsm::comm {
namespace {

const Likeness k_own{"build A", "extent-size=64M\nslots=4\n"};

Hello hello_of(const Likeness& likeness) {
  Hello hello;
  hello.host = "n7";
  likeness.tell(hello);
  return hello;
}

TEST(LikenessTest, ARankWithAnotherFileSystemMayNot) {
  Likeness own = k_own;
  Hello hello = hello_of(k_own);
  hello.file_system = "scratch";
  EXPECT_EQ(why_not(hello, 3, own), "") << "rank 0 does not know its own";
  own.file_system = "scratch";
  EXPECT_EQ(why_not(hello, 3, own), "");
  own.file_system = "home";
  const std::string why = why_not(hello, 3, own);
  EXPECT_NE(why.find("rank 3"), std::string::npos) << why;
  EXPECT_NE(why.find("scratch, than rank 0, home"), std::string::npos) << why;
}

TEST(LikenessTest, ARankThatIsAlikeMayTakePart) { EXPECT_EQ(why_not(hello_of(k_own), 3, k_own), ""); }

TEST(LikenessTest, AnotherBuildIsNamed) {
  const std::string why = why_not(hello_of({"build B", k_own.options}), 3, k_own);
  EXPECT_EQ(why, "rank 3 on n7 runs another build of lhsmtool_mpi (build B) than rank 0 (build A)");
}

TEST(LikenessTest, TheFirstOptionThatDiffersIsNamed) {
  const std::string why = why_not(hello_of({"build A", "extent-size=64M\nslots=8\n"}), 3, k_own);
  EXPECT_NE(why.find("rank 3 on n7 has other options than rank 0: slots=8 there, slots=4 here;"), std::string::npos) << why;
}

TEST(LikenessTest, FewerOptionsAreADifference) {
  EXPECT_NE(why_not(hello_of({"build A", "extent-size=64M\n"}), 3, k_own).find("less there, slots=4 here"), std::string::npos);
  EXPECT_NE(why_not(hello_of(k_own), 3, "build A").find("extent-size=64M there, less here"), std::string::npos);
}

TEST(LikenessTest, WhyARankCannotWorkIsTold) {
  Hello hello = hello_of(k_own);
  hello.unable = failure(ErrorKind::not_found, ENOENT, "open", "/mnt").value();
  EXPECT_EQ(why_not(hello, 3, k_own).find("rank 3 on n7: open /mnt"), 0U);
  // Other options may be why: they come first.
  hello.options = "slots=9\n";
  EXPECT_NE(why_not(hello, 3, k_own).find("other options"), std::string::npos);
}

}  // namespace
}  // namespace lhsm::comm
