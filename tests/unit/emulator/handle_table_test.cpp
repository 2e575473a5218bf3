// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/handle_table.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace lhsm::emulator {
namespace {

class HandleTableTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/var/tmp/lhsm_table_test.XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    base = name;
    file = base + "/.lustre/handles";
    std::filesystem::create_directory(base + "/.lustre");
    mount = Fd(::open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  void TearDown() override { std::filesystem::remove_all(base); }

  std::string base;
  std::string file;
  Fd mount;
  const Fid fid{0x200000401, 7, 0};
};

TEST_F(HandleTableTest, find_what_was_put) {
  auto table = *HandleTable::create(*mount);
  const auto reader = HandleTableReader::open(*mount);
  EXPECT_EQ(reader.find(fid), "");
  table.put(fid, "handle");
  EXPECT_EQ(reader.find(fid), "handle");
  EXPECT_EQ(reader.find({fid.seq, fid.oid, 1}), "");
  EXPECT_EQ(reader.find({fid.seq, fid.oid + 65536, 0}), "") << "another file of the same slot";
  table.put({fid.seq, fid.oid + 65536, 0}, "other");
  EXPECT_EQ(reader.find(fid), "");
  table.erase(fid);
  EXPECT_EQ(reader.find({fid.seq, fid.oid + 65536, 0}), "other") << "not the one that was erased";
  table.put(fid, std::string(41, 'x'));
  EXPECT_EQ(reader.find(fid), "");
  table.put(fid, "again");
  table.erase(fid);
  EXPECT_EQ(reader.find(fid), "");
}

TEST_F(HandleTableTest, cleared_and_recreated_tables_are_empty) {
  auto table = *HandleTable::create(*mount);
  const auto reader = HandleTableReader::open(*mount);
  table.put(fid, "handle");
  table.clear();
  EXPECT_EQ(reader.find(fid), "");
  table.put(fid, "handle");
  EXPECT_EQ(reader.find(fid), "handle");
  const auto next = HandleTable::create(*mount);
  ASSERT_TRUE(next);
  EXPECT_EQ(reader.find(fid), "") << "the file is the same one";
}

TEST_F(HandleTableTest, every_damaged_byte_is_no_entry) {
  auto table = *HandleTable::create(*mount);
  const auto reader = HandleTableReader::open(*mount);
  table.put(fid, "handle");
  struct stat st {};
  ASSERT_EQ(::stat(file.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777U, 0600U);
  const Fd raw(::open(file.c_str(), O_RDWR | O_CLOEXEC));
  for (off_t at = st.st_size - 64; at < st.st_size; ++at) {
    char byte = 0;
    ASSERT_EQ(::pread(*raw, &byte, 1, at), 1);
    const char damaged = static_cast<char>(byte ^ 1);
    ASSERT_EQ(::pwrite(*raw, &damaged, 1, at), 1);
    EXPECT_EQ(reader.find(fid), "") << at;
    ASSERT_EQ(::pwrite(*raw, &byte, 1, at), 1);
  }
  EXPECT_EQ(reader.find(fid), "handle");
  ASSERT_EQ(::ftruncate(*raw, st.st_size - 1), 0);
  EXPECT_EQ(reader.find(fid), "");
}

TEST_F(HandleTableTest, without_a_table_nothing_is_found) {
  EXPECT_EQ(HandleTableReader::open(*mount).find(fid), "");
  std::filesystem::create_directory(file);
  EXPECT_FALSE(HandleTable::create(*mount));
  HandleTable none;
  none.put(fid, "handle");
  none.erase(fid);
  none.clear();
}

}  // namespace
}  // namespace lhsm::emulator
