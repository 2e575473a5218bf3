// SPDX-License-Identifier: LGPL-2.1-or-later
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "client/mount.hpp"
#include "tools/emulator_commands.hpp"

namespace lhsm::emulator {
namespace {

Mount& mount_at(const std::string& directory) {
  auto* mount = find_mount(directory);
  if (mount == nullptr) throw Fatal(directory + " is no emulated file system (lhsm_emulator start makes one)");
  return *mount;
}

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::filesystem::path library_directory() {
  const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  for (const char* relative : {"../lib/lhsm_emulator", LHSM_EMULATOR_LIBDIR}) {
    std::error_code error;
    auto directory = std::filesystem::canonical(program / relative, error);
    if (!error) return directory;
  }
  throw Fatal("cannot find the emulator's library near " + program.native());
}

int run_status(const std::string& directory, bool json) {
  auto& mount = mount_at(directory);
  Writer request;
  request.put(Op::status);
  const auto answer = mount.call(request);
  if (answer.rc == -ENOTCONN) {
    std::puts(json ? "{\"running\":false}" : "stopped");
    return 1;
  }
  if (answer.rc < 0) throw Fatal("status: " + errno_name(-answer.rc));
  auto reader = answer.results();
  const std::string text(reader.get_text());
  if (json) {
    std::puts(text.c_str());
    return 0;
  }
  const auto status = nlohmann::json::parse(text);
  std::printf("%s: running, pid %d\n", status["fsname"].get<std::string>().c_str(), status["pid"].get<int>());
  for (const auto& mdt : status["mdts"]) {
    const auto& records = mdt["records"];
    std::printf("MDT%04x: %s, running %llu of %llu, waiting %llu, succeeded %llu, failed %llu, canceled %llu\n",
                mdt["index"].get<unsigned>(), mdt["hsm_control"].get<std::string>().c_str(),
                mdt["running"].get<unsigned long long>(), mdt["max_requests"].get<unsigned long long>(),
                records["waiting"].get<unsigned long long>(), records["succeed"].get<unsigned long long>(),
                records["failed"].get<unsigned long long>(), records["canceled"].get<unsigned long long>());
    for (const auto& agent : mdt["agents"])
      std::printf(
          "  agent %s: archives %s, current %lld, ok %llu, errors %llu\n", agent["uuid"].get<std::string>().c_str(),
          agent["archives"].empty() ? "any" : agent["archives"].dump().c_str(), agent["current"].get<long long>(),
          agent["ok"].get<unsigned long long>(), agent["errors"].get<unsigned long long>());
  }
  return 0;
}

int run_restart_mdt(const std::string& directory, std::uint32_t mdt) {
  Writer request;
  request.put(Op::restart_mdt).put(mdt);
  const auto answer = mount_at(directory).call(request);
  if (answer.rc < 0) throw Fatal("restart of MDT " + std::to_string(mdt) + ": " + errno_name(-answer.rc));
  return 0;
}

int run_env(const std::string& directory) {
  const auto& mount = mount_at(directory);
  const auto library = library_directory().native();
  std::printf("export PATH=%s:\"$PATH\"\n", shell_quoted(library + "/bin").c_str());
  std::printf("export LD_LIBRARY_PATH=%s\"${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}\"\n", shell_quoted(library).c_str());
  std::printf("export LHSM_EMULATOR_LIBRARY=%s\n", shell_quoted(library + "/liblustreapi.so.1").c_str());
  std::printf("export LHSM_EMULATOR_MOUNT=%s\n", shell_quoted(mount.path()).c_str());
  return 0;
}

}  // namespace lhsm::emulator
