// SPDX-License-Identifier: LGPL-2.1-or-later
// Each call of the archive, and of Lustre, that can fail while files are copied: one file pays, with the
// errno of what happened; its former object, or its released state, is what it was; the others are copied,
// and so is the file itself at the next request.
#include <sys/resource.h>

#include <csignal>

#include "support/faulty_backend.hpp"
#include "whole_run.hpp"

namespace lhsm::run {
namespace {

constexpr std::size_t k_small = 900'000;  // four buffers
constexpr std::size_t k_large = 6 * k_MiB;

class FaultsTest : public WholeRunTest {
 protected:
  FaultsTest() {
    auto faulty = std::make_unique<test::FaultyBackend>(std::move(m_backend));
    m_faulty = faulty.get();
    m_backend = std::move(faulty);
  }
  ~FaultsTest() override {
    if (m_dispatcher_thread.joinable()) stop();
  }

  [[nodiscard]] int failed_with(const ActionItem& item) const { return m_lustre.record(item).ends.at(0); }

  /// The fault is armed: one of two files must fail, the other be copied, and all be well the next time.
  void expect_one_pays(ActionKind kind, const std::vector<Fid>& fids, int sys_errno) {
    const auto items = carry_out(kind, fids);
    EXPECT_TRUE(m_faulty->hit()) << "the step was never reached";
    std::multiset<int> ends;
    for (const ActionItem& item : items) ends.insert(failed_with(item));
    EXPECT_EQ(ends, (std::multiset<int>{0, sys_errno}));
    for (const ActionItem& item : carry_out(kind, fids)) EXPECT_EQ(result(item), 0) << "the next request";
  }

  test::FaultyBackend* m_faulty = nullptr;
};

struct Fault {
  std::size_t size;
  const char* step;
  int n;
  int sys_errno;
};

std::string describe(const Fault& fault) {
  return (fault.size == k_small ? "whole_" : "striped_") + std::string(fault.step) + "_" + std::to_string(fault.n) +
         "_" + errno_name(fault.sys_errno);
}
void PrintTo(const Fault& fault, std::ostream* out) { *out << describe(fault); }
std::string name_of(const ::testing::TestParamInfo<Fault>& info) { return describe(info.param); }

class ArchiveFaults : public FaultsTest, public ::testing::WithParamInterface<Fault> {};

TEST_P(ArchiveFaults, cost_one_file_and_spare_its_former_object) {
  const Fault& fault = GetParam();
  start(2, 1);
  const std::vector<Fid> fids{m_lustre.make_file(pattern(fault.size, 1)), m_lustre.make_file(pattern(fault.size, 2))};
  for (const Fid& fid : fids) make_object(fid, "former");
  m_faulty->at(fault.step, fault.n, [&]() -> Status {
    for (const Fid& fid : fids) {
      const auto now = test::read_file(object(fid));
      EXPECT_TRUE(now == "former" || now == m_lustre.content(fid));
    }
    return errno_error("injected", "fault", fault.sys_errno);
  });
  const auto items = carry_out(ActionKind::archive, fids);
  EXPECT_TRUE(m_faulty->hit()) << "the step was never reached";
  int failures = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const int error = failed_with(items[i]);
    if (error != 0) ++failures;
    EXPECT_TRUE(error == 0 || error == fault.sys_errno) << error;
    EXPECT_EQ(test::read_file(object(fids[i])) == "former", error != 0);
  }
  EXPECT_EQ(failures, 1);
  for (const ActionItem& item : carry_out(ActionKind::archive, fids)) EXPECT_EQ(result(item), 0) << "the next time";
  for (const Fid& fid : fids) EXPECT_EQ(test::read_file(object(fid)), m_lustre.content(fid));
}

INSTANTIATE_TEST_SUITE_P(
    Steps, ArchiveFaults,
    ::testing::Values(Fault{k_small, "create", 1, ENOSPC}, Fault{k_small, "create", 2, EDQUOT},
                      Fault{k_small, "set_size", 1, EDQUOT}, Fault{k_small, "write", 1, ENOSPC},
                      Fault{k_small, "write", 3, EDQUOT}, Fault{k_small, "write", 8, EIO},
                      Fault{k_small, "set_attributes", 1, EPERM}, Fault{k_small, "set_digest", 1, ENOSPC},
                      Fault{k_small, "publish", 1, EIO}, Fault{k_small, "publish", 2, ENOSPC},
                      Fault{k_large, "create", 1, EROFS}, Fault{k_large, "set_size", 1, ENOSPC},
                      Fault{k_large, "join", 1, ESTALE}, Fault{k_large, "join", 7, EIO},
                      Fault{k_large, "write", 1, EIO}, Fault{k_large, "write", 30, ENOSPC},
                      Fault{k_large, "sync", 1, EIO}, Fault{k_large, "sync", 12, EDQUOT},
                      Fault{k_large, "publish", 1, EIO}),
    name_of);

class RestoreFaults : public FaultsTest, public ::testing::WithParamInterface<Fault> {};

TEST_P(RestoreFaults, cost_one_file_which_stays_released) {
  const Fault& fault = GetParam();
  start(2, 1);
  const std::vector<Fid> fids{m_lustre.make_file(pattern(fault.size, 1)), m_lustre.make_file(pattern(fault.size, 2))};
  for (const ActionItem& item : carry_out(ActionKind::archive, fids)) ASSERT_EQ(result(item), 0);
  m_faulty->fail(fault.step, fault.n, fault.sys_errno);
  expect_one_pays(ActionKind::restore, fids, fault.sys_errno);
  EXPECT_EQ(m_lustre.content(fids[0]), pattern(fault.size, 1));
  EXPECT_EQ(m_lustre.content(fids[1]), pattern(fault.size, 2));
}

INSTANTIATE_TEST_SUITE_P(Steps, RestoreFaults,
                         ::testing::Values(Fault{k_small, "open", 1, EACCES}, Fault{k_small, "open", 2, ELOOP},
                                           Fault{k_small, "version", 1, EIO}, Fault{k_small, "version", 4, ESTALE},
                                           Fault{k_small, "digest", 1, EIO}, Fault{k_small, "read", 1, EIO},
                                           Fault{k_small, "read", 7, EIO}, Fault{k_large, "open", 1, EACCES},
                                           Fault{k_large, "open", 9, EIO}, Fault{k_large, "read", 1, EIO},
                                           Fault{k_large, "read", 40, ESTALE}, Fault{k_large, "version", 12, EIO}),
                         name_of);

TEST_F(FaultsTest, shadow_link_that_cannot_be_made_costs_nothing) {
  start(1);
  m_faulty->fail("note_path", 1, ENOSPC);
  const auto items = carry_out(ActionKind::archive, {m_lustre.make_file("content")});
  EXPECT_TRUE(m_faulty->hit());
  EXPECT_EQ(result(items.front()), 0);
}

TEST_F(FaultsTest, remove_that_fails_is_told) {
  start(1);
  m_faulty->fail("remove", 1, EROFS);
  EXPECT_EQ(failed_with(carry_out(ActionKind::remove, {m_lustre.make_file("x")}).front()), EROFS);
}

TEST_F(FaultsTest, file_that_is_cut_while_it_is_archived) {
  start(2, 1);
  for (const std::size_t size : {k_small, k_large}) {
    const Fid fid = m_lustre.make_file(pattern(size));
    make_object(fid, "former");
    m_faulty->at("write", 1, [&]() -> Status {
      std::filesystem::resize_file(m_lustre.path(fid), 1000);
      return {};
    });
    const auto items = carry_out(ActionKind::archive, {fid});
    EXPECT_TRUE(m_faulty->hit());
    EXPECT_EQ(failed_with(items.front()), EIO) << size;
    EXPECT_EQ(test::read_file(object(fid)), "former");
  }
}

TEST_F(FaultsTest, file_that_is_unlinked_while_it_is_archived_is_archived) {
  start(1);
  const Fid fid = m_lustre.make_file(pattern(k_small));
  m_faulty->at("write", 1, [&]() -> Status {
    m_lustre.unlink(fid);
    return {};
  });
  const auto items = carry_out(ActionKind::archive, {fid});
  EXPECT_EQ(result(items.front()), 0);
  EXPECT_EQ(test::read_file(object(fid)), pattern(k_small));
}

/// The coordinator's answers to an end: of a restore whose file was given to another owner (EPERM), and
/// whose volatile is closed (ENOENT).
TEST_F(FaultsTest, restore_whose_end_is_refused) {
  start(2, 1);
  for (const std::size_t size : {k_small, k_large}) {
    const Fid fid = m_lustre.make_file(pattern(size));
    ASSERT_EQ(result(carry_out(ActionKind::archive, {fid}).front()), 0);
    for (const int sys_errno : {EPERM, ENOENT, EIO}) {
      m_lustre.fail(Call::copy_end, sys_errno);
      const int ends = m_lustre.calls(Call::copy_end);
      const auto items = m_lustre.send(ActionKind::restore, {fid});
      EXPECT_TRUE(m_lustre.wait_for_calls(Call::copy_end, ends + 1));
      m_lustre.before(Call::copy_end, {});
      const auto again = carry_out(ActionKind::restore, {fid});
      EXPECT_EQ(result(again.front()), 0) << "the next request";
      EXPECT_EQ(m_lustre.volatiles(), 0U);
    }
  }
}

/// The file system below the volatile is full: as with a quota, a write ends early with an errno.
class FullTarget : public FaultsTest {
 protected:
  FullTarget() {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &m_before);
  }
  ~FullTarget() override { lift(); }
  void limit(std::uint64_t bytes) const {
    const rlimit now{bytes, m_before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  void lift() const { ::setrlimit(RLIMIT_FSIZE, &m_before); }
  rlimit m_before{};
};

TEST_F(FullTarget, fails_the_restore_and_leaves_the_file_released) {
  start(2, 1);
  for (const std::size_t size : {k_small, k_large}) {
    const Fid fid = m_lustre.make_file(pattern(size));
    ASSERT_EQ(result(carry_out(ActionKind::archive, {fid}).front()), 0);
    // After the volatile got its size: the room goes while it is written.
    m_faulty->at("read", 1, [&]() -> Status {
      limit(size / 2);
      return {};
    });
    const auto items = carry_out(ActionKind::restore, {fid});
    lift();
    EXPECT_EQ(failed_with(items.front()), EFBIG) << size;
    EXPECT_EQ(m_lustre.volatiles(), 0U);
    EXPECT_EQ(result(carry_out(ActionKind::restore, {fid}).front()), 0);
    EXPECT_EQ(m_lustre.content(fid), pattern(size));
  }
}

}  // namespace
}  // namespace lhsm::run
