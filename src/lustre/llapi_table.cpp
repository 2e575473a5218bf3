// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/lustre/llapi_table.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cstdlib>
#include <filesystem>

#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::lustre {

namespace {

enum class Need { required, optional };

/// Look up `name`; the first required symbol that is missing is noted in `missing`.
template <class Function>
void look_up(void* library, const char* name, Function& slot, std::string& missing, Need need = Need::required) {
  slot = reinterpret_cast<Function>(::dlsym(library, name));
  if (slot == nullptr && need == Need::required && missing.empty()) missing = name;
}

constexpr const char* k_system_library = "liblustreapi.so.1";

}  // namespace

// It has a fixed place relative to our own executable.
std::string emulator_llapi_library() {
  if (const char* given = std::getenv("LHSM_EMULATOR_LIBRARY"); given != nullptr && *given != '\0') return given;
  std::error_code ec;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", ec);
  const auto prefix = ec ? std::filesystem::path{} : self.parent_path().parent_path();
#ifdef LHSM_LIBDIR
  const auto installed = prefix / LHSM_LIBDIR / "lhsm_emulator/liblustreapi.so.1";
  if (std::filesystem::exists(installed, ec)) return installed;
#endif
  return prefix / "lib/lhsm_emulator/liblustreapi.so.1";
}

Outcome<bool> is_lustre(const std::string& directory) {
  struct statfs info {};
  int rc = ::statfs(directory.c_str(), &info);
  // With lazystatfs, the default, it does not wait for an MDT that is coming back; to open the directory does.
  if (rc != 0 && (errno == EAGAIN || errno == ETIMEDOUT)) {
    const Fd opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened) return errno_error("open", directory);
    rc = ::fstatfs(*opened, &info);
  }
  if (rc != 0) return errno_error("statfs", directory);
  return info.f_type == abi::LL_SUPER_MAGIC;
}

Outcome<std::string> llapi_library_for(const std::string& mount_point) {
  LHSM_TRY_ASSIGN(const bool is_real, is_lustre(mount_point));
  if (is_real) return std::string(k_system_library);
  struct stat marker {};
  if (::stat((mount_point + "/.lustre/lhsm_emulator").c_str(), &marker) == 0 && S_ISREG(marker.st_mode))
    return emulator_llapi_library();
  return failure(ErrorKind::unsupported, ENODEV, "open as a Lustre file system", mount_point);
}

Outcome<std::string> system_llapi_library() {
  void* const handle = ::dlopen(k_system_library, RTLD_LAZY | RTLD_LOCAL);
  link_map* map = nullptr;
  if (handle == nullptr || ::dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) {
    const char* const why = ::dlerror();
    return failure(ErrorKind::not_found, ELIBACC, "dlopen", why != nullptr ? why : k_system_library);
  }
  std::error_code ec;
  const auto file = std::filesystem::canonical(map->l_name, ec);
  return ec ? std::string(map->l_name) : file.string();
}

Outcome<LlapiTable> load_llapi(const std::string& library) {
  void* const handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = ::dlerror();
    return failure(ErrorKind::not_found, ELIBACC, "dlopen", why != nullptr ? why : library);
  }
  LlapiTable t{};
  std::string missing;
  look_up(handle, "llapi_open_by_fid", t.open_by_fid, missing);
  look_up(handle, "llapi_open_by_fid_at", t.open_by_fid_at, missing, Need::optional);
  look_up(handle, "llapi_fid2path", t.fid2path, missing);
  look_up(handle, "llapi_fid2path_at", t.fid2path_at, missing, Need::optional);
  look_up(handle, "llapi_fd2fid", t.fd2fid, missing);
  look_up(handle, "llapi_get_mdt_index_by_fid", t.get_mdt_index_by_fid, missing);
  look_up(handle, "llapi_create_volatile_idx", t.create_volatile_idx, missing);
  look_up(handle, "llapi_search_fsname", t.search_fsname, missing);
  look_up(handle, "llapi_msg_set_level", t.msg_set_level, missing, Need::optional);
  look_up(handle, "llapi_hsm_import", t.hsm_import, missing);
  look_up(handle, "llapi_get_agent_uuid", t.get_agent_uuid, missing, Need::optional);
  look_up(handle, "llapi_getname", t.getname, missing, Need::optional);
  look_up(handle, "llapi_obd_fstatfs", t.obd_fstatfs, missing, Need::optional);
  // dlsym on a handle searches the library and then what it depends on, libc among it.
  look_up(handle, "ioctl", t.ioctl, missing);
  look_up(handle, "getxattr", t.getxattr, missing);
  look_up(handle, "fgetxattr", t.fgetxattr, missing);
  look_up(handle, "fsetxattr", t.fsetxattr, missing);
  look_up(handle, "flistxattr", t.flistxattr, missing);
  if (!missing.empty()) return failure(ErrorKind::unsupported, ENOSYS, "find " + missing + " in", library);
  return t;
}

}  // namespace lhsm::lustre
