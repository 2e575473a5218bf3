// SPDX-License-Identifier: LGPL-2.1-or-later
//
// lctl get_param and set_param for one emulated file system: that of LHSM_EMULATOR_MOUNT, or of the
// working directory.
#include <getopt.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "client/mount.hpp"
#include "tools/lctl_pool.hpp"

namespace {

using namespace lhsm;
using namespace lhsm::emulator;

std::string read_all(int fd) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return {};
  std::string text(static_cast<std::size_t>(st.st_size), '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const auto got = ::pread(fd, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  text.resize(done);
  return text;
}

/// One line stands behind the name, several below it.
void print_parameter(std::string_view name, std::string_view text, bool only_value, bool only_name) {
  if (only_name) {
    std::printf("%s\n", std::string(name).c_str());
    return;
  }
  const bool is_multi_line = text.find('\n') != std::string_view::npos && text.find('\n') + 1 < text.size();
  if (!only_value) std::printf("%s=%s", std::string(name).c_str(), is_multi_line ? "\n" : "");
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (text.empty() || text.back() != '\n') {
    if (!text.empty() || !only_value) std::printf("\n");
  }
}

int get_param(Mount& mount, int argc, char** argv) {
  bool only_value = false;
  bool only_name = false;
  for (int letter = 0; (letter = ::getopt(argc, argv, "nN")) != -1;) {
    if (letter == 'n') only_value = true;
    if (letter == 'N') only_name = true;
    if (letter == '?') return EINVAL;
  }
  int first_error = 0;
  for (int i = ::optind; i < argc; ++i) {
    Writer request;
    request.put(Op::get_param).put(std::string_view(argv[i]));
    const auto answer = mount.call(request);
    if (answer.rc < 0) {
      std::fprintf(stderr, "error: get_param: param_path '%s': %s\n", argv[i], std::strerror(-answer.rc));
      if (first_error == 0) first_error = -answer.rc;
      continue;
    }
    const auto bytes = read_all(*answer.fd);
    for (Reader reader(bytes); reader.ok() && !reader.at_end();) {
      const auto name = reader.get_text();
      print_parameter(name, reader.get_text(), only_value, only_name);
    }
  }
  return first_error;
}

int set_param(Mount& mount, int argc, char** argv) {
  bool is_silent = false;
  for (int letter = 0; (letter = ::getopt(argc, argv, "nP")) != -1;) {
    if (letter == 'n') is_silent = true;
    if (letter == '?') return EINVAL;  // -P: what is set stays until the emulator stops
  }
  int first_error = 0;
  for (int i = ::optind; i < argc; ++i) {
    std::string_view pattern(argv[i]);
    std::string_view value;
    if (const auto equals = pattern.find('='); equals != std::string_view::npos) {
      value = pattern.substr(equals + 1);
      pattern = pattern.substr(0, equals);
    } else if (i + 1 < argc) {
      value = argv[++i];
    }
    Writer request;
    request.put(Op::set_param).put(pattern).put(value);
    const auto answer = mount.call(request);
    auto results = answer.results();
    std::string names(results.get_text());
    for (std::size_t end = 0; !is_silent && (end = names.find('\n')) != std::string::npos; names.erase(0, end + 1))
      std::printf("%s=%s\n", names.substr(0, end).c_str(), std::string(value).c_str());
    if (answer.rc >= 0) continue;
    std::fprintf(stderr, "error: set_param: setting %s=%s: %s\n", std::string(pattern).c_str(),
                 std::string(value).c_str(), std::strerror(-answer.rc));
    if (first_error == 0) first_error = -answer.rc;
  }
  return first_error;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: lctl get_param [-n|-N] PATTERN... | set_param [-n] [-P] PATTERN=VALUE...\n");
    return 1;
  }
  const char* directory = std::getenv("LHSM_EMULATOR_MOUNT");
  Mount* mount = find_mount(std::string(directory != nullptr ? directory : "."));
  if (mount == nullptr) {
    std::fprintf(stderr, "lctl: no emulated file system: set LHSM_EMULATOR_MOUNT (lhsm_emulator env DIR)\n");
    return ENODEV;
  }
  const std::string_view command(argv[1]);
  if (command == "get_param") return get_param(*mount, argc - 1, argv + 1);
  if (command == "set_param") return set_param(*mount, argc - 1, argv + 1);
  if (is_pool_command(command)) return run_pool_command(*mount, argc - 1, argv + 1);
  std::fprintf(stderr, "lctl: the emulator has get_param, set_param and pool_* only\n");
  return EINVAL;
}
