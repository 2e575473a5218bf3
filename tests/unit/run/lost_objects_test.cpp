// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Holes of a file of which Lustre has lost an object are not believed, but read.
#include <cstring>

#include "unit/run/whole_run.hpp"

namespace lhsm::run {
namespace {

class LostObjectsTest : public WholeRunTest {
 protected:
  static std::string layout(std::uint32_t pattern) {
    std::string lov(32, '\0');
    const std::uint32_t magic = 0x0BD10BD0;
    std::memcpy(lov.data(), &magic, sizeof magic);
    std::memcpy(lov.data() + 4, &pattern, sizeof pattern);
    return lov;
  }
  /// Archive a file that is one hole; return how much of its object has blocks.
  std::uint64_t archive_hole(std::uint64_t size, std::uint32_t pattern) {
    const Fid fid = m_lustre.make_file({});
    std::filesystem::resize_file(m_lustre.path(fid), size);
    m_lustre.set_file_layout(fid, layout(pattern));
    EXPECT_EQ(result(carry_out(ActionKind::archive, {fid}).front()), 0);
    struct stat status {};
    EXPECT_EQ(::stat(object(fid).c_str(), &status), 0);
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
  }
};

TEST_F(LostObjectsTest, holes_are_read) {
  constexpr std::uint32_t k_raid0 = 1;
  constexpr std::uint32_t k_lost = 0x40000000;
  start(2);
  for (const std::uint64_t size : {2 * k_MiB, 12 * k_MiB}) {
    EXPECT_LT(archive_hole(size, k_raid0), size / 2);
    EXPECT_GE(archive_hole(size, k_raid0 | k_lost), size) << "where Lustre would say EIO";
  }
}

TEST_F(LostObjectsTest, layout_of_a_file_without_holes_is_not_asked_for_them) {
  start(1);
  carry_out(ActionKind::archive, {m_lustre.make_file("x")});
  EXPECT_EQ(m_lustre.calls(Call::layout), 1) << "it is kept with the object";
}

}  // namespace
}  // namespace lhsm::run
