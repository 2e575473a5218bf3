// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Whole checks inside one process.
#include <gmock/gmock.h>

#include <algorithm>
#include <thread>

#include "lhsmtool_mpi/check/dispatcher.hpp"
#include "lhsmtool_mpi/check/worker.hpp"
#include "lhsmtool_mpi/comm/loopback.hpp"
#include "lhsmtool_mpi/lustre/forwarding_client.hpp"
#include "support/fake_lustre.hpp"

namespace lhsm::check {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// A client that lets itself be looked at, and fails the test when it is made to do more.
class LookedAt final : public lustre::ForwardingClient {
 public:
  LookedAt(test::FakeLustre& lustre, std::string fsname, int answer)
      : ForwardingClient(lustre), m_fsname(std::move(fsname)), m_answer(answer) {}
  [[nodiscard]] const std::string& fsname() const override { return m_fsname; }
  [[nodiscard]] Outcome<std::unique_ptr<lustre::ActionStream>> register_copytool(const std::vector<std::uint32_t>&) override {
    ADD_FAILURE() << "registered";
    return errno_error("register", "", EEXIST);
  }
  [[nodiscard]] Status request(abi::hsm_user_action, std::uint32_t, std::span<const Fid>) override {
    ADD_FAILURE() << "requested";
    return {};
  }
  [[nodiscard]] Outcome<Fid> fid_of(int) override { return Fid{0x200000007, 1, 0}; }
  [[nodiscard]] Status progress(abi::hsm_progress& sign) override {
    EXPECT_EQ(sign.hp_cookie, 0U);
    EXPECT_EQ(sign.hp_flags, 0U);
    EXPECT_EQ(sign.hp_errval, 0U);
    EXPECT_EQ(sign.hp_extent.length, 0U);
    if (m_answer == 0) return {};
    return errno_error("report progress of", "root", m_answer);
  }

 private:
  std::string m_fsname;
  int m_answer;
};

class CheckTest : public ::testing::Test {
 protected:
  /// What one rank sees.
  struct Sight {
    std::string host = "one";
    std::string build = "build";
    std::string fsname = "scratch";
    std::string archive{};
    int coordinator = ENOENT;  // what it answers
    int mount_error = 0;
    bool is_administrator = true;
    bool hangs = false;
    std::vector<Parameter> parameters{};
    std::string agents{};
  };

  void SetUp() override {
    std::filesystem::create_directory(m_archive);
    std::filesystem::create_directories(std::filesystem::path(m_lustre.mount_point()) / ".lustre/fid");
  }

  /// Check with so many ranks as there are sights.
  const Report& check(std::vector<Sight> sights) {
    const int ranks = static_cast<int>(sights.size());
    comm::LoopbackHub hub(ranks);
    m_dispatcher.emplace(hub, ranks, m_options);
    std::vector<std::jthread> workers;
    for (int rank = 0; rank < ranks; ++rank) {
      Sight& sight = sights[static_cast<std::size_t>(rank)];
      if (sight.archive.empty()) sight.archive = m_archive;
      workers.emplace_back([this, &hub, rank, &sight] { be_rank(hub.worker(rank), sight); });
    }
    try {
      m_is_complete = m_dispatcher->run();
    } catch (const Fatal& error) {
      m_failed = error.what();
    }
    m_let_go = true;
    m_let_go.notify_all();
    EXPECT_TRUE(m_dispatcher->dismiss());
    return m_dispatcher->report();
  }

  void be_rank(comm::Channel& channel, const Sight& sight) {
    WorkerOptions options{sight.build, sight.host, m_lustre.mount_point(), sight.archive, !m_options.writes_probe, {}};
    options.senses.open_mount = [&](const std::string& path) -> Outcome<Mount> {
      if (sight.hangs) m_let_go.wait(false);
      if (sight.mount_error != 0) return errno_error("open as a Lustre file system", path, sight.mount_error);
      return Mount{std::make_unique<LookedAt>(m_lustre, sight.fsname, sight.coordinator), false};
    };
    options.senses.parameters = [&](const auto&) { return sight.parameters; };
    options.senses.parameter_text = [&](const std::string& name) {
      return name.ends_with("agents") ? sight.agents : std::string("    target_version: 2.16.1.0\n");
    };
    options.senses.is_administrator = [&] { return sight.is_administrator; };
    run_worker(channel, options);
  }

  /// The lines about a subject: "FAIL text [ranks]".
  std::vector<std::string> about(const std::string& subject) const {
    std::vector<std::string> lines;
    for (const ReportLine& line : m_dispatcher->report().lines())
      if (line.finding.subject == subject)
        lines.push_back(std::string(to_string(line.finding.verdict)) + " " + line.finding.text + " [" + ranks_text(line.ranks) + "]");
    return lines;
  }
  void expect_line(const std::string& subject, const std::string& text) const {
    EXPECT_THAT(about(subject), ::testing::Contains(HasSubstr(text)));
  }
  void expect_clean_archive() const { EXPECT_TRUE(test::files_below(m_archive).empty()); }

  test::FakeLustre m_lustre;
  std::string m_archive = m_lustre.dir() / "archive";
  DispatcherOptions m_options{.build = "build", .plan = {}, .copies_per_rank = 4, .writes_probe = true, .patience = 60s};
  std::optional<Dispatcher> m_dispatcher;
  std::atomic<bool> m_let_go = false;
  bool m_is_complete = false;
  std::string m_failed;
};

TEST_F(CheckTest, FindsNothingWhereAllIsWell) {
  std::vector<Sight> sights(4);
  sights[2].host = sights[3].host = "two";
  check(sights);
  EXPECT_TRUE(m_is_complete);
  EXPECT_EQ(m_dispatcher->report().count(CheckVerdict::fail), 0U);
  expect_line("ranks", "OK 4 ranks on 2 hosts, all of build build");
  EXPECT_EQ(about("clock"), std::vector<std::string>{"OK within a second of rank 0's [2]"});
  expect_line("mount", "OK Lustre 'scratch' at");
  expect_line("privileges", "OK CAP_SYS_ADMIN, files can be opened by FID [0-3]");
  EXPECT_THAT(about("coordinator"), ::testing::ElementsAre(::testing::StartsWith("OK runs")));
  expect_line("coordinator", "[0,2]");  // one of each host asks
  expect_line("archive", "can be written [0-3]");
  expect_line("version", "OK Lustre 2.16.1.0 on MDS [0]");
  expect_line("max_requests", "WARN not visible from here");
  expect_clean_archive();
}

TEST_F(CheckTest, TellsACoordinatorThatDoesNotRun) {
  check({{.coordinator = EAGAIN}});
  expect_line("coordinator", "FAIL HSM is not enabled");
}

TEST_F(CheckTest, TellsASquashedRoot) {
  check({{}, {.host = "two", .coordinator = EPERM}});
  expect_line("coordinator", "FAIL the MDS does not take this client for an administrator's: root is squashed [1]");
  expect_line("coordinator", "OK runs");
}

TEST_F(CheckTest, AsksNothingWithoutPrivileges) {
  check({{.coordinator = EPERM, .is_administrator = false}});
  expect_line("privileges", "FAIL no CAP_SYS_ADMIN");
  expect_line("coordinator", "WARN answers administrators only");
}

TEST_F(CheckTest, TellsAMountOfASubdirectory) {
  std::filesystem::remove_all(std::filesystem::path(m_lustre.mount_point()) / ".lustre");
  check({{}});
  expect_line("privileges", "FAIL open");
}

TEST_F(CheckTest, TellsRanksWithoutLustre) {
  check({{}, {}, {.mount_error = ENODEV}});
  expect_line("mount", "(ENODEV) [2]");
  expect_line("archive", "can be written [0-2]");
}

TEST_F(CheckTest, TellsRanksOfAnotherFileSystem) {
  check({{}, {.fsname = "work"}, {}});
  expect_line("mount", "FAIL fsname differs: scratch on ranks 0,2; work on ranks 1");
}

TEST_F(CheckTest, TellsRanksOfAnotherArchive) {
  const std::string other = m_lustre.dir() / "other";
  std::filesystem::create_directory(other);
  check({{}, {.archive = other}, {.archive = m_archive + "/nowhere"}});
  expect_line("archive", "is not the directory that rank 0 has: its file is not there [1]");
  expect_line("archive", "(ENOENT) [2]");
  expect_line("archive", "can be written [0]");
  expect_clean_archive();
  EXPECT_TRUE(test::files_below(other).empty());
}

TEST_F(CheckTest, WritesNothingWhereItMayNot) {
  m_options.writes_probe = false;
  const auto before = std::filesystem::last_write_time(m_archive);
  check({{}, {.archive = m_lustre.dir() / "mnt"}});
  expect_line("archive", "can be read (--read-only: not written to) [0]");
  expect_line("archive", "WARN inode of the archive's root differs");
  EXPECT_EQ(std::filesystem::last_write_time(m_archive), before);
}

TEST_F(CheckTest, TellsAnArchiveThatNobodyHas) {
  std::filesystem::remove(m_archive);
  check({{}, {}});
  expect_line("archive", "FAIL open");
  expect_line("archive", "(ENOENT) [0-1]");
}

TEST_F(CheckTest, JudgesWhatAnyRankSees) {
  check({{}, {.host = "mds", .parameters = {{"mdt.scratch-MDT0000.hsm.max_requests", "3"}}}});
  expect_line("max_requests", "WARN 3 on MDT0000");
  EXPECT_EQ(about("max_requests").size(), 1U);
}

TEST_F(CheckTest, TellsACopytoolThatIsThere) {
  check({{.agents = "uuid=fake-uuid archive_id=ANY requests=[current:0 ok:0 errors:0]\n"}});
  expect_line("coordinator", "FAIL a copytool is registered on rank 0's client already");
}

TEST_F(CheckTest, WaitsNotForEver) {
  m_options.patience = 2s;
  check({{}, {.hangs = true}});
  EXPECT_TRUE(m_is_complete);
  EXPECT_TRUE(m_dispatcher->has_silent_ranks());
  expect_line("mount", "it hangs [1]");
  expect_clean_archive();
}

TEST_F(CheckTest, RefusesAnotherBuild) {
  check({{}, {.host = "two", .build = "other"}});
  EXPECT_FALSE(m_is_complete);
  EXPECT_THAT(m_failed, HasSubstr("rank 1 on two runs another build"));
}

}  // namespace
}  // namespace lhsm::check
