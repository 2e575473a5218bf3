// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Clients that are killed, or forgotten by the servers while they live.
#include "unit/emulator/cluster_fixture.hpp"

namespace lhsm::emulator {
namespace {

class ClientDeathTest : public ClusterTest {
 protected:
  Output kill(const std::string& who) const { return shell("lhsm_emulator kill-client " + mount + " " + who); }
  Output evict(const std::string& who) const { return shell("lhsm_emulator evict " + mount + " " + who); }
  static std::string fid_in(const std::string& begun) { return begun.substr(0, begun.find(' ')); }
  [[nodiscard]] std::string agents() const { return shell("lctl get_param -n mdt.*-MDT0000.hsm.agents").text; }
  [[nodiscard]] std::string agent_uuid() const { return agents().substr(5, 36); }
};

const auto enoent = std::to_string(-ENOENT);
const auto estale = std::to_string(-ESTALE);

TEST_F(ClientDeathTest, killed_client_leaves_its_request_started_and_no_volatile) {
  const auto path = released("f", 300'000);
  const auto owner = client("n1");
  const auto second = client("n1");
  EXPECT_EQ(ask(*second, "open " + path + " r"), "open");
  EXPECT_EQ(ask(*second, "lock 1"), "0") << "it talks to the daemon";
  const auto rank = client("n2");
  const auto begun = begin_restore(*owner, path);
  ASSERT_TRUE(has(begun, "0x")) << begun;

  const auto killed = kill("n1");
  EXPECT_EQ(killed.code, 0) << killed.text;
  EXPECT_TRUE(has(killed.text, std::to_string(owner->pid()) + "\n")) << killed.text;
  EXPECT_TRUE(has(killed.text, std::to_string(second->pid()) + "\n")) << killed.text;
  EXPECT_EQ(owner->wait(), 128 + SIGKILL);
  EXPECT_EQ(second->wait(), 128 + SIGKILL);

  EXPECT_TRUE(has(actions(), "status=STARTED")) << actions();
  EXPECT_TRUE(has(agents(), "uuid=")) << "as on Lustre, until the next send";
  EXPECT_EQ(ask(*rank, "openfid " + fid_in(begun)), estale);
  EXPECT_EQ(ask(*rank, "endfid " + begun), enoent);
  EXPECT_EQ(state(path), HS_EXISTS | HS_ARCHIVED | HS_RELEASED);
  EXPECT_TRUE(comes_true("test -z \"$(ls " + mount + "/.lustre/fid)\""));
}

TEST_F(ClientDeathTest, killed_clients_volatile_lives_while_another_has_it_open) {
  const auto path = released("f", 300'000);
  const auto owner = client("n1");
  const auto rank = client("n2");
  const auto begun = begin_restore(*owner, path);
  EXPECT_EQ(ask(*rank, "openfid " + fid_in(begun)), "open");
  EXPECT_EQ(kill("n1").code, 0);
  EXPECT_EQ(ask(*rank, "openfid " + fid_in(begun)), "open");
  EXPECT_EQ(ask(*rank, "close"), "closed");
  EXPECT_EQ(ask(*rank, "openfid " + fid_in(begun)), estale);
  EXPECT_EQ(ask(*rank, "endfid " + begun), enoent);
}

TEST_F(ClientDeathTest, clients_are_named_by_node_uuid_or_process) {
  const auto path = make("f", 1);
  const auto one = client("n1");
  EXPECT_EQ(ask(*one, "register"), "0");
  const auto two = client("n2");
  EXPECT_EQ(ask(*two, "open " + path + " r"), "open");
  EXPECT_EQ(ask(*two, "lock 1"), "0");
  const auto uuid = agent_uuid();
  EXPECT_TRUE(has(status(), "{\"uuid\":\"" + uuid + "\",\"pids\":[" + std::to_string(one->pid()) + "]}")) << status();
  const auto nobody = kill("n3");
  EXPECT_EQ(nobody.code, 1);
  EXPECT_EQ(nobody.text, "lhsm_emulator: no process of a client n3 is known\n");
  EXPECT_EQ(evict("n3").text, "lhsm_emulator: no client n3 is known\n");
  EXPECT_EQ(kill("n3 2>/dev/null; LHSM_EMULATOR_NODE=n4 lhsm_emulator kill-client " + mount + " n4").code, 1)
      << "itself";
  EXPECT_EQ(kill(std::to_string(two->pid())).text, std::to_string(two->pid()) + "\n");
  EXPECT_EQ(two->wait(), 128 + SIGKILL);
  EXPECT_EQ(kill(uuid).code, 0);
  EXPECT_EQ(one->wait(), 128 + SIGKILL);
  EXPECT_EQ(kill(uuid).code, 1) << "gone";
  EXPECT_TRUE(evict(uuid).text.starts_with(uuid)) << "its agent is there still";
  EXPECT_TRUE(has(status(), "\"clients\":[]") || !has(status(), uuid + "\",\"pids\"")) << status();
}

TEST_F(ClientDeathTest, evicted_client_lives_on_without_its_volatile) {
  const auto path = released("f", 300'000);
  const auto owner = client("n1");
  const auto begun = begin_restore(*owner, path);
  EXPECT_EQ(ask(*owner, "transfer 0 100 w"), "0");
  const auto evicted = evict("n1");
  EXPECT_EQ(evicted.code, 0);
  EXPECT_TRUE(has(evicted.text, ": 1 volatiles lost, 0 files dirty\n")) << evicted.text;

  EXPECT_EQ(ask(*owner, "transfer 0 100 w"), std::to_string(EIO));
  EXPECT_EQ(ask(*owner, "progress"), "0") << "the coordinator knows the cookie, and looks no further";
  EXPECT_EQ(ask(*owner, "openfid " + fid_in(begun)), estale);
  EXPECT_EQ(ask(*owner, "end"), enoent);
  EXPECT_EQ(state(path), HS_EXISTS | HS_ARCHIVED | HS_RELEASED);
  // It may begin anew.
  request(path, HUA_RESTORE);
  EXPECT_TRUE(has(ask(*owner, "begin"), "0x"));
  EXPECT_EQ(ask(*owner, "transfer 0 100 w"), "0");
  EXPECT_EQ(ask(*owner, "end"), "0");
  EXPECT_EQ(state(path), HS_EXISTS | HS_ARCHIVED);
}

TEST_F(ClientDeathTest, evicted_clients_volatile_lives_while_another_has_it_open) {
  const auto path = released("f", 300'000);
  const auto owner = client("n1");
  const auto rank = client("n2");
  const auto begun = begin_restore(*owner, path);
  EXPECT_EQ(ask(*rank, "openfid " + fid_in(begun)), "open");
  EXPECT_TRUE(has(evict("n1").text, ": 0 volatiles lost"));
  EXPECT_EQ(ask(*owner, "transfer 0 100 w"), std::to_string(EIO));
  EXPECT_EQ(ask(*rank, "transfer 0 100 w"), "0");
  EXPECT_TRUE(has(evict("n2").text, ": 1 volatiles lost")) << "nobody else has it any more";
  EXPECT_EQ(ask(*rank, "endfid " + begun), enoent);
}

TEST_F(ClientDeathTest, evicted_clients_volatile_dies_with_the_last_other_descriptor) {
  const auto path = released("f", 300'000);
  const auto owner = client("n1");
  const auto rank = client("n2");
  const auto begun = begin_restore(*owner, path);
  EXPECT_EQ(ask(*rank, "openfid " + fid_in(begun)), "open");
  EXPECT_EQ(evict("n1").code, 0);
  EXPECT_EQ(ask(*rank, "openfid " + fid_in(begun)), "open");
  EXPECT_EQ(ask(*rank, "close"), "closed");
  EXPECT_EQ(ask(*rank, "openfid " + fid_in(begun)), estale) << "the evicted client's descriptor counts no more";
  EXPECT_EQ(ask(*rank, "endfid " + begun), enoent);
}

TEST_F(ClientDeathTest, evicted_helper_takes_nothing_from_the_owner) {
  const auto path = released("f", 300'000);
  const auto owner = client("n1");
  const auto rank = client("n2");
  const auto begun = begin_restore(*owner, path);
  EXPECT_EQ(ask(*rank, "openfid " + fid_in(begun)), "open");
  EXPECT_TRUE(has(evict("n2").text, ": 0 volatiles lost"));
  EXPECT_EQ(ask(*rank, "transfer 0 100 w"), std::to_string(EIO));
  EXPECT_EQ(ask(*owner, "transfer 0 100 w"), "0");
  EXPECT_EQ(ask(*rank, "close"), "closed");
  EXPECT_EQ(ask(*owner, "end"), "0");
  EXPECT_EQ(state(path), HS_EXISTS | HS_ARCHIVED);
  // What became a file is no volatile any more.
  EXPECT_EQ(ask(*rank, "open " + path + " w"), "open");
  EXPECT_EQ(ask(*rank, "transfer 0 100 w"), "0");
}

TEST_F(ClientDeathTest, eviction_makes_dirty_what_was_open_for_writing) {
  const auto written = make("written", 10);
  const auto read = make("read", 10);
  const auto unknown = make("unknown", 10);
  const auto stateless = make("stateless", 10);
  archive(written);
  archive(read);
  EXPECT_EQ(state(stateless), 0U);
  std::vector<std::unique_ptr<Program>> programs;
  for (const auto& command :
       {"open " + written + " w", "open " + read + " r", "open " + unknown + " w", "open " + stateless + " w"}) {
    programs.push_back(client("n1"));
    EXPECT_EQ(ask(*programs.back(), command), "open");
    EXPECT_EQ(ask(*programs.back(), "unlock 1"), std::to_string(-EINVAL)) << "it talks to the daemon";
  }
  const auto other = client("n2");
  EXPECT_EQ(ask(*other, "open " + read + " w"), "open");
  EXPECT_EQ(ask(*other, "unlock 1"), std::to_string(-EINVAL));
  EXPECT_TRUE(has(evict("n1").text, ": 0 volatiles lost, 1 files dirty\n"));
  EXPECT_EQ(state(written), HS_EXISTS | HS_ARCHIVED | HS_DIRTY);
  EXPECT_EQ(state(read), HS_EXISTS | HS_ARCHIVED);
  EXPECT_EQ(state(stateless), 0U);
  EXPECT_TRUE(has(evict("n1").text, "0 files dirty\n")) << "they are already";
}

TEST_F(ClientDeathTest, evicted_agent_is_registered_anew_and_its_actions_go_on) {
  const auto one = client("n1");
  EXPECT_EQ(ask(*one, "register"), "0");
  const auto first = make("first", 10);
  const auto second = make("second", 10);
  request(first, HUA_ARCHIVE);
  EXPECT_TRUE(has(ask(*one, "begin"), "0x"));
  EXPECT_EQ(ask(*one, "end"), "0");
  request(second, HUA_ARCHIVE);
  EXPECT_TRUE(has(ask(*one, "begin"), "0x"));
  EXPECT_TRUE(has(agents(), "current:1 ok:1")) << agents();
  EXPECT_EQ(evict("n1").code, 0);
  EXPECT_TRUE(has(agents(), "ok:0 errors:0")) << agents();
  EXPECT_EQ(ask(*one, "end"), "0");
  EXPECT_EQ(state(second), HS_EXISTS | HS_ARCHIVED);
  EXPECT_TRUE(has(agents(), "ok:1 errors:0")) << agents();
  const auto third = make("third", 10);
  request(third, HUA_ARCHIVE);
  EXPECT_TRUE(has(ask(*one, "begin"), "0x")) << "it gets requests as before";
  EXPECT_EQ(ask(*one, "end"), "0");
}

}  // namespace
}  // namespace lhsm::emulator
