// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lustre/kept_locks.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>

#include "lhsmtool_mpi/base/fd.hpp"
#include "support/temp_dir.hpp"

namespace lhsm::lustre {
namespace {

using namespace std::chrono_literals;

class KeptLocks : public ::testing::Test {
 protected:
  const std::string m_space = "lustre-MDT0000-mdc-ffff88bc53db8800";

  std::filesystem::path parameter(const std::string& space, const char* name) const {
    return m_dir / "sys/ldlm/namespaces" / space / name;
  }
  void make(const std::string& space, const std::string& unused = "3") {
    test::write_file(parameter(space, "lru_size"), "3012");
    test::write_file(parameter(space, "lock_unused_count"), unused);
    test::write_file(parameter(space, "lock_count"), "3012");
  }
  [[nodiscard]] std::string lru_size(const std::string& space) const {
    return test::read_file(parameter(space, "lru_size")).substr(0, 5);
  }
  [[nodiscard]] int drop(std::chrono::milliseconds patience = 30ms,
                         const std::string& instance = "lustre-ffff88bc53db8800") const {
    const Status dropped = drop_kept_locks_of(instance, {m_dir / "sys", m_dir / "debug", patience});
    return dropped ? 0 : dropped.error().sys_errno;
  }
  test::TempDir m_dir;
};

TEST_F(KeptLocks, of_all_mdts_of_this_mount_and_of_nothing_else_are_dropped) {
  const std::array<std::string, 2> ours{m_space, "lustre-MDT000a-mdc-ffff88bc53db8800"};
  const std::array<std::string, 6> others{
      "lustre-MDT0000-mdc-ffff88bc61897800",  "lustre-OST0000-osc-ffff88bc53db8800", "MGC10.0.2.15@tcp",
      "lustre2-MDT0000-mdc-ffff88bc53db8800", "lustre-MDT0000-lwp-MDT0000",          "mdt-lustre-MDT0000_UUID"};
  for (const auto& name : ours) make(name);
  for (const auto& name : others) make(name);
  EXPECT_EQ(drop(), 0);
  for (const auto& name : ours) EXPECT_EQ(lru_size(name), "clear") << name;
  for (const auto& name : others) EXPECT_EQ(lru_size(name), "3012") << name;
}

TEST_F(KeptLocks, a_file_systems_name_may_have_a_dash) {
  make("a-b-MDT0000-mdc-ffff88bc53db8800");
  EXPECT_EQ(drop(30ms, "a-b-ffff88bc53db8800"), 0);
  EXPECT_EQ(lru_size("a-b-MDT0000-mdc-ffff88bc53db8800"), "clear");
}

TEST_F(KeptLocks, it_is_an_error_when_any_may_have_stayed) {
  EXPECT_EQ(drop(), ENOENT) << "no parameters at all";
  EXPECT_EQ(drop(30ms, "nonsense"), EOPNOTSUPP);
  std::filesystem::create_directories(m_dir / "sys/ldlm/namespaces" / m_space);
  EXPECT_EQ(drop(), ENOENT) << "no lru_size";
  make(m_space, "3012");
  EXPECT_EQ(drop(), EBUSY) << "the client took no notice";
  std::filesystem::remove(parameter(m_space, "lock_unused_count"));
  EXPECT_EQ(drop(), EBUSY) << "nobody knows";
}

TEST_F(KeptLocks, it_is_written_until_they_are_gone) {
  make(m_space, "3012");
  std::jthread client([this](const std::stop_token& stop) {
    // Takes no notice of the first ones.
    for (int i = 0; i < 2; ++i) {
      while (lru_size(m_space) != "clear")
        if (stop.stop_requested()) return;
      test::write_file(parameter(m_space, "lru_size"), "3012");
    }
    test::write_file(parameter(m_space, "lock_unused_count"), "0");
  });
  EXPECT_EQ(drop(60s), 0);
  EXPECT_EQ(test::read_file(parameter(m_space, "lock_unused_count")), "0");
}

TEST_F(KeptLocks, another_who_drops_them_is_waited_for_but_not_for_ever) {
  make(m_space);
  Fd other(::open(parameter(m_space, "lru_size").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::flock(*other, LOCK_EX), 0);
  EXPECT_EQ(drop(), EBUSY);
  EXPECT_EQ(lru_size(m_space), "3012");
  std::jthread rank([&] { EXPECT_EQ(drop(60s), 0); });
  other.reset();
  rank.join();
  EXPECT_EQ(lru_size(m_space), "clear");
}

TEST_F(KeptLocks, an_mdt_that_is_down_is_not_waited_for) {
  make(m_space);
  const auto import = m_dir / "debug/mdc" / m_space / "import";
  test::write_file(import, "import:\n    name: x\n    state: DISCONN\n");
  EXPECT_EQ(drop(), EHOSTDOWN);
  EXPECT_EQ(lru_size(m_space), "3012");
  for (const char* state : {"FULL", "IDLE"}) {
    test::write_file(import, std::string("import:\n    name: x\n    state: ") + state + "\n    instance: 2\n");
    EXPECT_EQ(drop(), 0) << state;
  }
}

TEST_F(KeptLocks, a_client_that_keeps_no_xattrs_is_not_used_so) {
  make(m_space);
  const auto cache = m_dir / "sys/llite/lustre-ffff88bc53db8800/xattr_cache";
  test::write_file(cache, "0\n");
  EXPECT_EQ(drop(), EOPNOTSUPP);
  test::write_file(cache, "1\n");
  EXPECT_EQ(drop(), 0);
}

TEST_F(KeptLocks, what_is_no_kernel_client_keeps_none) { EXPECT_TRUE(drop_kept_locks(LlapiTable{}, m_dir.str())); }

}  // namespace
}  // namespace lhsm::lustre
