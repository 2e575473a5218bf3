// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <sys/xattr.h>

#include <fstream>

#include "archive_fixture.hpp"

namespace lhsm::archive {
namespace {

const char* const k_xattr = "user.lhsmtool_mpi.digest";

class ObjectDigestTest : public ArchiveFixture {
 protected:
  static copy::ObjectDigest digest(std::uint64_t size) {
    copy::ObjectDigest digest;
    digest.size = size;
    digest.value.fill(static_cast<unsigned char>(size));
    return digest;
  }
  void publish_with_digest(const std::string& content) {
    auto writer = begin(content);
    ASSERT_TRUE(writer->set_digest(digest(content.size())));
    auto publication = writer->publish();
    ASSERT_TRUE(publication.has_value());
    ASSERT_TRUE((*publication)->commit());
  }
  [[nodiscard]] std::optional<copy::ObjectDigest> kept() const {
    const auto reader = m_backend->open(k_fid);
    EXPECT_TRUE(reader.has_value());
    const auto found = (*reader)->digest();
    EXPECT_TRUE(found.has_value());
    return *found;
  }
  [[nodiscard]] std::filesystem::path beside() const { return object().string() + ".digest"; }
  /// What an archive without xattrs has instead, tied to the object's modification time.
  void put_beside(const std::string& text) const {
    ASSERT_EQ(::removexattr(object().c_str(), k_xattr), 0);
    struct stat now {};
    ASSERT_EQ(::stat(object().c_str(), &now), 0);
    char time[64];
    std::snprintf(time, sizeof time, " %lld.%09ld\n", static_cast<long long>(now.st_mtim.tv_sec), now.st_mtim.tv_nsec);
    std::ofstream(beside()) << text << time;
  }
};

TEST_F(ObjectDigestTest, is_kept_with_the_object) {
  publish_with_digest("content");
  EXPECT_EQ(kept(), digest(7));
  publish_with_digest("new");
  EXPECT_EQ(kept(), digest(3));
}

TEST_F(ObjectDigestTest, none_is_none) {
  ASSERT_TRUE(publish("content")->commit());
  EXPECT_EQ(kept(), std::nullopt);
}

TEST_F(ObjectDigestTest, nonsense_is_none) {
  publish_with_digest("content");
  for (const auto& text : {std::string("nonsense"), std::string(1000, 'x'), std::string()}) {
    ASSERT_EQ(::setxattr(object().c_str(), k_xattr, text.data(), text.size(), 0), 0);
    EXPECT_EQ(kept(), std::nullopt);
  }
}

TEST_F(ObjectDigestTest, beside_the_object_counts_while_its_time_is_the_same) {
  publish_with_digest("content");
  put_beside(digest(7).text());
  EXPECT_EQ(kept(), digest(7));
  const timespec times[2] = {{1, 0}, {1, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, object().c_str(), times, 0), 0);
  EXPECT_EQ(kept(), std::nullopt);
}

TEST_F(ObjectDigestTest, beside_the_object_goes_with_it) {
  publish_with_digest("content");
  put_beside(digest(7).text());
  ASSERT_TRUE(publish("without")->commit());
  EXPECT_FALSE(std::filesystem::exists(beside()));
  std::ofstream(beside()) << "left over";
  ASSERT_TRUE(m_backend->remove(k_fid));
  EXPECT_FALSE(std::filesystem::exists(beside()));
}

TEST_F(ObjectDigestTest, roll_back_brings_that_of_the_predecessor_back) {
  publish_with_digest("content");
  put_beside(digest(7).text());
  ASSERT_TRUE(publish("without")->roll_back());
  EXPECT_EQ(kept(), digest(7));
}

}  // namespace
}  // namespace lhsm::archive
