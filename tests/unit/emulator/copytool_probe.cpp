// SPDX-License-Identifier: LGPL-2.1-or-later
//
// copytool_probe LIBRARY MOUNT MODE [COUNT]: a copytool of a few lines that is not linked with the library
// but loads it RTLD_LOCAL. It says what it does, a word a line, to the test that runs it. MODE:
//   serve   handle COUNT actions, then leave
//   hold    begin the first action and wait to be killed
//   wait    read nothing until a line comes on stdin, then serve COUNT actions
//   leave   register, and unregister when a line comes on stdin
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "lhsmtool_mpi/lustre/abi.hpp"

struct hsm_copytool_private;
struct hsm_copyaction_private;

namespace {

using namespace lhsm::abi;

void* g_library = nullptr;

template <class F>
F* function(const char* name) {
  void* symbol = ::dlsym(g_library, name);
  if (symbol == nullptr) std::exit(3);
  return reinterpret_cast<F*>(symbol);
}

void say(const std::string& text) {
  std::puts(text.c_str());
  std::fflush(stdout);
}

void wait_for_line() {
  char line[16];
  if (std::fgets(line, sizeof line, stdin) == nullptr) std::exit(4);
}

int handle(hsm_copytool_private* ct, const hsm_action_item& item, bool holds) {
  auto* begin =
      function<int(hsm_copyaction_private**, const hsm_copytool_private*, const hsm_action_item*, int, int, bool)>(
          "llapi_hsm_action_begin");
  auto* end = function<int(hsm_copyaction_private**, const hsm_extent*, int, int)>("llapi_hsm_action_end");
  hsm_copyaction_private* action = nullptr;
  if (const int rc = begin(&action, ct, &item, 0, 0, false); rc != 0) return rc;
  if (holds) {
    say("holding");
    for (;;) ::pause();
  }
  const hsm_extent whole{0, k_whole_file};
  return end(&action, &whole, 0, 0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  const std::string mode = argv[3];
  int left = argc > 4 ? std::atoi(argv[4]) : 1;
  g_library = ::dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (g_library == nullptr) {
    std::fprintf(stderr, "%s\n", ::dlerror());
    return 3;
  }
  hsm_copytool_private* ct = nullptr;
  auto* add = function<int(hsm_copytool_private**, const char*, int, int*, int)>("llapi_hsm_copytool_register");
  auto* remove = function<int(hsm_copytool_private**)>("llapi_hsm_copytool_unregister");
  auto* receive = function<int(hsm_copytool_private*, hsm_action_list**, int*)>("llapi_hsm_copytool_recv");
  if (const int rc = add(&ct, argv[2], 0, nullptr, 0); rc != 0) {
    say("register " + std::to_string(rc));
    return 1;
  }
  say("registered");
  if (mode == "wait" || mode == "leave") wait_for_line();
  while (mode != "leave" && left > 0) {
    hsm_action_list* list = nullptr;
    int size = 0;
    if (const int rc = receive(ct, &list, &size); rc != 0) {
      say("recv " + std::to_string(rc));
      break;
    }
    const auto* at = reinterpret_cast<const char*>(list + 1);
    at += (std::strlen(at) + 8) / 8 * 8;
    for (std::uint32_t i = 0; i < list->hal_count; ++i, --left) {
      hsm_action_item item{};
      std::memcpy(static_cast<void*>(&item), at, sizeof item);
      at += (item.hai_len + 7U) / 8U * 8U;
      const int rc = handle(ct, item, mode == "hold");
      if (mode == "serve") say("handled " + std::to_string(rc));
    }
  }
  if (mode == "wait") say("all");
  return remove(&ct) == 0 ? 0 : 1;
}
