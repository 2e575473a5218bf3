// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conformance/llapi.hpp"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace lhsm::conformance {
namespace {

template <class F>
void find(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(::dlsym(library, name));
  if (function != nullptr) return;
  std::fprintf(stderr, "conformance: %s\n", ::dlerror());
  std::exit(1);
}

Llapi load() {
  const char* named = std::getenv("LHSM_TEST_LLAPI");
  const auto build = std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path();
  const std::string path = named != nullptr ? named : build / "lib/lhsm_emulator/liblustreapi.so.1";
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "conformance: %s\n", ::dlerror());
    std::exit(1);
  }
  Llapi api{};
  find(library, "llapi_hsm_copytool_register", api.copytool_register);
  find(library, "llapi_hsm_copytool_unregister", api.copytool_unregister);
  find(library, "llapi_hsm_copytool_get_fd", api.copytool_get_fd);
  find(library, "llapi_hsm_copytool_recv", api.copytool_recv);
  find(library, "llapi_hsm_action_begin", api.action_begin);
  find(library, "llapi_hsm_action_progress", api.action_progress);
  find(library, "llapi_hsm_action_end", api.action_end);
  find(library, "llapi_hsm_action_get_dfid", api.action_get_dfid);
  find(library, "llapi_hsm_action_get_fd", api.action_get_fd);
  find(library, "llapi_hsm_user_request_alloc", api.user_request_alloc);
  find(library, "llapi_hsm_request", api.request);
  find(library, "llapi_hsm_state_get", api.state_get);
  find(library, "llapi_hsm_state_set", api.state_set);
  find(library, "llapi_hsm_current_action", api.current_action);
  find(library, "llapi_hsm_import", api.import);
  find(library, "llapi_path2fid", api.path2fid);
  find(library, "llapi_fid2path_at", api.fid2path_at);
  find(library, "llapi_open_by_fid", api.open_by_fid);
  find(library, "llapi_get_mdt_index_by_fid", api.get_mdt_index_by_fid);
  find(library, "llapi_get_data_version", api.get_data_version);
  find(library, "lgetxattr", api.lgetxattr);
  return api;
}

}  // namespace

const Llapi& Llapi::get() {
  static const Llapi api = load();
  return api;
}

}  // namespace lhsm::conformance
