// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How fast the modelled cluster is: measured in proportions, with room for a busy machine.
#include "client/cluster_model.hpp"

#include "client/layout.hpp"
#include "client/mount.hpp"
#include "core/model_settings.hpp"
#include "unit/emulator/cluster_fixture.hpp"

namespace lhsm::emulator {
namespace {

class ClusterModelTest : public ClusterTest {
 protected:
  /// Let clients n0, n1, … write `count` times 4 MiB each to files of their own; how long each took.
  std::vector<long> run_together(int clients, int count, char direction, const std::string& name = "f") {
    std::vector<std::unique_ptr<Program>> programs;
    for (int i = 0; i < clients; ++i) {
      const auto path = mount + "/" + name + std::to_string(i);
      if (!std::filesystem::exists(path)) make(name + std::to_string(i), 0);
      std::filesystem::resize_file(path, k_4M * static_cast<std::size_t>(count));
      programs.push_back(client("n" + std::to_string(i)));
      EXPECT_EQ(ask(*programs.back(), "open " + path + " w"), "open");
    }
    std::vector<long> took;
    for (auto& program : programs)
      program->say("run " + std::to_string(k_4M) + " " + std::to_string(count) + " " + direction);
    for (auto& program : programs) took.push_back(std::atol(program->line(30'000).c_str()));
    return took;
  }
  void expect_near(long ms, long expected) const {
    EXPECT_GE(ms, expected * 95 / 100);
    EXPECT_LE(ms, expected * 115 / 100 + 30);
  }
};

TEST_F(ClusterModelTest, nothing_waits_without_a_model) {
  for (const auto ms : run_together(2, 100, 'w')) EXPECT_LT(ms, 100);
}

TEST_F(ClusterModelTest, every_client_has_its_own_bandwidth) {
  model("client-bandwidth=50M");
  // 4 MiB at 50 MiB/s are 80 ms.
  for (const auto ms : run_together(1, 10, 'w')) expect_near(ms, 800);
  for (const auto ms : run_together(16, 10, 'r')) expect_near(ms, 800);
}

TEST_F(ClusterModelTest, processes_of_a_node_share_its_bandwidth) {
  model("client-bandwidth=80M");
  const auto path = make("f", 10 * k_4M);
  const auto one = client("n1");
  const auto two = client("n1");
  for (auto* program : {one.get(), two.get()}) EXPECT_EQ(ask(*program, "open " + path + " w"), "open");
  for (auto* program : {one.get(), two.get()}) program->say("run " + std::to_string(k_4M) + " 10 w");
  for (auto* program : {one.get(), two.get()}) {
    const auto ms = std::atol(program->line().c_str());
    EXPECT_GE(ms, 850);
    EXPECT_LE(ms, 1200);
  }
  // Both directions are there at once.
  for (auto* program : {one.get(), two.get()})
    program->say("run " + std::to_string(k_4M) + (program == one.get() ? " 10 w" : " 10 r"));
  for (auto* program : {one.get(), two.get()}) expect_near(std::atol(program->line().c_str()), 500);
}

TEST_F(ClusterModelTest, clients_share_an_ost) {
  model("ost-bandwidth=100M");
  // All on OST 0, as files are without a layout: 4 * 5 * 4 MiB at 100 MiB/s.
  const auto took = run_together(4, 5, 'w');
  expect_near(*std::max_element(took.begin(), took.end()), 800);
  EXPECT_GE(*std::min_element(took.begin(), took.end()), 500) << "in turns";
}

TEST_F(ClusterModelTest, striped_file_is_as_slow_as_its_slowest_ost) {
  ASSERT_EQ(shell("lfs setstripe -c 4 -S 1M " + mount + "/f0 && lfs setstripe -c 1 -i 1 " + mount + "/g0").code, 0);
  model("ost-bandwidth=100M ost.2=slow:10M");
  expect_near(run_together(1, 8, 'w')[0], 800);       // a quarter of the bytes at 10 MiB/s
  expect_near(run_together(1, 8, 'w', "g")[0], 320);  // on OST 1 alone
  model("ost.2=ok");
  expect_near(run_together(1, 8, 'w')[0], 80);
}

TEST_F(ClusterModelTest, idle_client_gets_no_burst) {
  model("client-bandwidth=50M");
  const auto one = client("n1");
  EXPECT_EQ(ask(*one, "open " + make("f", 4 * k_4M) + " w"), "open");
  expect_near(run(*one, k_4M, 2, 'w'), 160);
  ::usleep(500'000);  // this is what is tested
  EXPECT_GE(run(*one, k_4M, 2, 'w'), 155);
}

TEST_F(ClusterModelTest, changes_while_it_runs) {
  model("client-bandwidth=1M");
  const auto one = client("n1");
  EXPECT_EQ(ask(*one, "open " + make("f", k_4M) + " w"), "open");
  const auto begin = std::chrono::steady_clock::now();
  one->say("run " + std::to_string(k_4M) + " 1 w");  // four seconds
  EXPECT_EQ(one->line(200), "<nothing>");
  model("client-bandwidth=40M");
  EXPECT_NE(one->line(), "<nothing>");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
  model("client-bandwidth=1M");
  one->say("run " + std::to_string(k_4M) + " 1 w");
  EXPECT_EQ(one->line(200), "<nothing>");
  model("off");
  EXPECT_NE(one->line(1000), "<nothing>");
  EXPECT_LT(run(*one, k_4M, 100, 'w'), 100);
}

TEST_F(ClusterModelTest, full_and_inactive_osts) {
  ASSERT_EQ(shell("lfs setstripe -c 4 -S 1M " + mount + "/f").code, 0);
  const auto path = mount + "/f";
  std::filesystem::resize_file(path, k_4M);
  const auto one = client("n1");
  EXPECT_EQ(ask(*one, "open " + path + " w"), "open");
  model("ost.1=full ost.2=inactive");
  const auto at = [&](int mib, char direction) {
    return ask(*one, "transfer " + std::to_string(mib << 20) + " 1048576 " + direction);
  };
  EXPECT_EQ(at(0, 'w'), "0");
  EXPECT_EQ(at(1, 'w'), std::to_string(ENOSPC));
  EXPECT_EQ(at(1, 'r'), "0");
  EXPECT_EQ(at(2, 'w'), std::to_string(EIO));
  EXPECT_EQ(at(2, 'r'), std::to_string(EIO));
  EXPECT_EQ(at(3, 'w'), "0");
  EXPECT_EQ(ask(*one, "transfer 0 4194304 w"), std::to_string(ENOSPC));
  EXPECT_EQ(ask(*one, "transfer 4194304 4194304 r"), "0") << "nothing lies behind the end";
  model("ost.*=ok");
  EXPECT_EQ(ask(*one, "transfer 0 4194304 w"), "0");
}

TEST_F(ClusterModelTest, rpcs_take_their_time) {
  const auto path = make("f", 1);
  ASSERT_EQ(state(path), 0U);
  model("rpc-latency=20ms jitter=10ms");
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) ASSERT_EQ(state(path), 0U);
  const auto took = std::chrono::steady_clock::now() - begin;
  EXPECT_GE(took, std::chrono::milliseconds(200));
  EXPECT_LT(took, std::chrono::milliseconds(500));
  const auto one = client("n1");
  EXPECT_EQ(ask(*one, "open " + path + " w"), "open");
  EXPECT_GE(run(*one, 1, 10, 'w'), 200);
  // What is no RPC on Lustre does not wait.
  const auto status_begin = std::chrono::steady_clock::now();
  model("rpc-latency=5s");
  EXPECT_NE(status().find("\"rpc_latency_ns\":5000000000"), std::string::npos);
  EXPECT_LT(std::chrono::steady_clock::now() - status_begin, std::chrono::seconds(3));
}

TEST_F(ClusterModelTest, jitter_can_be_repeated) {
  const auto one = client("n1");
  EXPECT_EQ(ask(*one, "open " + make("f", 1) + " w"), "open");
  std::vector<long> first;
  std::vector<long> second;
  for (auto* times : {&first, &second}) {
    model("off jitter=100ms seed=7");
    for (int i = 0; i < 5; ++i) times->push_back(run(*one, 1, 1, 'w'));
  }
  EXPECT_NE(*std::min_element(first.begin(), first.end()), *std::max_element(first.begin(), first.end()));
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_LT(std::abs(first[i] - second[i]), 15);
}

TEST_F(ClusterModelTest, is_active_tells_without_a_mount_in_hand) {
  ASSERT_NE(find_mount(mount), nullptr);
  EXPECT_FALSE(cluster_model_is_active());
  model("client-bandwidth=1G");
  EXPECT_TRUE(cluster_model_is_active());
  model("off");
  EXPECT_FALSE(cluster_model_is_active());
}

TEST_F(ClusterModelTest, command_shows_what_is_set_and_refuses_nonsense) {
  model("client-bandwidth=50M ost-bandwidth=1.5G ost.3=slow:10M ost.1=full rpc-latency=1ms jitter=0.5ms seed=3");
  const auto shown = shell("lhsm_emulator model " + mount);
  EXPECT_EQ(shown.text,
            "model: on\nclient-bandwidth=50M\nost-bandwidth=1536M\nrpc-latency=1ms\njitter=0.5ms\nseed=3\n"
            "ost.0=ok\nost.1=full\nost.2=ok\nost.3=slow:10M\n");
  EXPECT_TRUE(has(status(), "\"osts\":[\"ok\",\"full\",\"ok\",\"slow:10M\"]")) << status();
  for (const auto* word : {"client-bandwidth", "client-bandwidth=", "client-bandwidth=fast", "client-bandwidth=-1M",
                           "ost.4=full", "ost.x=full", "ost.1=slow", "ost.1=slow:0", "ost.1=broken", "speed=1M",
                           "rpc-latency=1", "rpc-latency=-1ms", "jitter=2h", "seed=0", "on"}) {
    const auto refused = shell("lhsm_emulator model " + mount + " ost.0=full " + word);
    EXPECT_EQ(refused.code, 2) << word;
    EXPECT_TRUE(refused.text.starts_with("lhsm_emulator: " + std::string(word) + ": ")) << refused.text;
  }
  EXPECT_EQ(shell("lhsm_emulator model " + mount).text, shown.text) << "a wrong word changes nothing";
  EXPECT_EQ(shell("lhsm_emulator model /").code, 1);
  model("off");
  EXPECT_TRUE(has(shell("lhsm_emulator model " + mount).text, "model: off\nclient-bandwidth=unlimited"));
}

TEST_F(ClusterModelTest, settings_and_osts_outlive_the_daemon) {
  const auto one = client("n1");
  EXPECT_EQ(ask(*one, "open " + make("f", 5 * k_4M) + " w"), "open");
  model("client-bandwidth=50M");
  ASSERT_EQ(emulator("stop " + mount), 0);
  ASSERT_EQ(emulator("start " + mount + " --ost-count 6"), 0);
  EXPECT_EQ(shell("lfs setstripe -c -1 " + mount + "/wide && lfs getstripe -c " + mount + "/wide").text, "6\n");
  expect_near(run(*one, k_4M, 5, 'w'), 400);
  model("ost.5=full client-bandwidth=25M");
  expect_near(run(*one, k_4M, 5, 'w'), 800);
  ASSERT_EQ(emulator("stop " + mount), 0);
  start();
  EXPECT_TRUE(has(status(), "\"ok\",\"full\"]")) << status();
  EXPECT_EQ(shell("lhsm_emulator start " + base + "/other --ost-count 257").code, 2);
}

}  // namespace
}  // namespace lhsm::emulator
