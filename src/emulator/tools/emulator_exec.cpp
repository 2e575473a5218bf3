// SPDX-License-Identifier: LGPL-2.1-or-later
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "client/mount.hpp"
#include "tools/emulator_commands.hpp"

namespace lhsm::emulator {
namespace {

constexpr const char* k_library = "liblustreapi.so.1";
constexpr int k_cannot_run = 126;  // as shells say it
constexpr int k_not_found = 127;

void set(const char* name, const std::string& value) {
  if (::setenv(name, value.c_str(), 1) != 0) throw Fatal(std::string("setenv ") + name + ": " + errno_name(errno));
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

/// Put `first` before what a list variable holds.
std::string prepended(const std::string& first, const char* name) {
  const auto rest = variable(name);
  return rest.empty() ? first : first + ":" + rest;
}

/// Return LD_PRELOAD without the emulator's library; blanks separate its parts as colons do.
std::string preload_without_library() {
  auto text = variable("LD_PRELOAD");
  for (char& c : text)
    if (c == ' ') c = ':';
  std::istringstream parts(text);
  std::string kept;
  for (std::string part; std::getline(parts, part, ':');)
    if (!part.empty() && !part.ends_with(std::string("/") + k_library)) kept += (kept.empty() ? "" : ":") + part;
  return kept;
}

}  // namespace

int run_exec(const std::string& directory, const std::vector<std::string>& command) {
  const auto* mount = find_mount(directory);
  if (mount == nullptr) throw Fatal(directory + " is no emulated file system (lhsm_emulator start makes one)");
  const auto libraries = library_directory();
  const auto library = (libraries / k_library).native();
  // A colon or a blank would end the name there.
  if (library.find_first_of(": ") != std::string::npos) throw Fatal("LD_PRELOAD cannot hold the path " + library);
  const auto others = preload_without_library();
  set("LD_PRELOAD", others.empty() ? library : others + ":" + library);
  set("PATH", prepended((libraries / "bin").native(), "PATH"));
  set("LD_LIBRARY_PATH", prepended(libraries.native(), "LD_LIBRARY_PATH"));
  set("LHSM_EMULATOR_LIBRARY", library);
  set("LHSM_EMULATOR_MOUNT", mount->path());
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  const int error = errno;
  std::fprintf(stderr, "lhsm_emulator: %s: %s\n", arguments[0], errno_name(error).c_str());
  return error == ENOENT ? k_not_found : k_cannot_run;
}

void leave_library(char** argv) {
  const auto before = variable("LD_PRELOAD");
  if (before.find(k_library) == std::string::npos) return;
  const auto kept = preload_without_library();
  if (kept.find(k_library) != std::string::npos) throw Fatal("the emulator's library is in LD_PRELOAD: " + before);
  if (kept.empty())
    ::unsetenv("LD_PRELOAD");
  else
    set("LD_PRELOAD", kept);
  ::execv("/proc/self/exe", argv);
  throw Fatal("exec: " + errno_name(errno));
}

}  // namespace lhsm::emulator
