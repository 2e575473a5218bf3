// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <memory>

#include "unit/emulator/emulator_fixture.hpp"
#include "unit/emulator/program.hpp"

namespace lhsm::emulator {

/// An emulated mount with processes of several clients, each doing what it is told.
class ClusterTest : public EmulatorTest {
 protected:
  static constexpr std::size_t k_4M = 4U << 20U;

  [[nodiscard]] std::unique_ptr<Program> client(const std::string& node) const {
    return std::make_unique<Program>(std::vector<std::string>{(programs() / "emulator_cluster_probe").native(), mount},
                                     node);
  }
  static std::string ask(Program& program, const std::string& command) {
    program.say(command);
    return program.line();
  }
  /// Return what a file's size times `count` takes to transfer, in milliseconds.
  static long run(Program& program, std::size_t size, int count, char direction) {
    return std::atol(
        ask(program, "run " + std::to_string(size) + " " + std::to_string(count) + " " + direction).c_str());
  }
  void model(const std::string& words) const {
    const auto output = shell("lhsm_emulator model " + quoted(mount) + " " + words);
    ASSERT_EQ(output.code, 0) << output.text;
  }
  [[nodiscard]] std::string status() const { return shell("lhsm_emulator status --json " + quoted(mount)).text; }
  [[nodiscard]] std::string actions() const { return shell("lctl get_param -n mdt.*.hsm.actions").text; }
  [[nodiscard]] static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
  /// Ask for a restore that `copytool` (registered here) begins; its dfid and cookie.
  std::string begin_restore(Program& copytool, const std::string& path) {
    EXPECT_EQ(ask(copytool, "register"), "0");
    request(path, HUA_RESTORE);
    return ask(copytool, "begin");
  }
  /// Archive and release a file, and take this process's own copytool away.
  std::string released(const std::string& name, std::size_t size) {
    auto path = make(name, size);
    archive_and_release(path);
    EXPECT_EQ(llapi_hsm_copytool_unregister(&ct), 0);
    ct = nullptr;
    return path;
  }
};

}  // namespace lhsm::emulator
