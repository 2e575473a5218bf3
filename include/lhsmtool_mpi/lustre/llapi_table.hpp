// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The functions of liblustreapi that we call, loaded at run time: no build or package of ours depends
// on Lustre being installed, and the emulator's library takes the same place. Nothing above this
// table knows which of the two it is.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <string>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/lustre/abi.hpp"

namespace lhsm::lustre {

struct LlapiTable {
  int (*open_by_fid)(const char* directory, const abi::lu_fid*, int flags);
  int (*open_by_fid_at)(int lustre_fd, const abi::lu_fid*, int flags);  ///< null before 2.16
  int (*fid2path)(const char* device, const char* fid, char* path, int length, long long* recno, int* link);
  int (*fid2path_at)(int mount_fd, const abi::lu_fid*, char* path, int length, long long* recno, int* link);
  int (*fd2fid)(int fd, abi::lu_fid*);
  int (*get_mdt_index_by_fid)(int fd, const abi::lu_fid*, int* index);
  int (*create_volatile_idx)(const char* directory, int mdt_index, int flags);
  int (*search_fsname)(const char* path, char* fsname);
  void (*msg_set_level)(int level);
  int (*hsm_import)(const char* path, int archive, const struct stat*, unsigned long long stripe_size,
                    int stripe_offset, int stripe_count, int pattern, char* pool, abi::lu_fid* fid);
  int (*get_agent_uuid)(char* path, char* uuid, std::size_t size);  ///< may be null
  int (*getname)(const char* path, char* name, std::size_t size);   ///< may be null
  int (*obd_fstatfs)(int mount_fd, std::uint32_t type, std::uint32_t index, abi::obd_statfs*, abi::obd_uuid*);  ///< may be null

  // Of libc, unless the library brings its own (the emulator does).
  int (*ioctl)(int fd, unsigned long request, ...);
  ssize_t (*getxattr)(const char* path, const char* name, void* value, std::size_t size);
  ssize_t (*fgetxattr)(int fd, const char* name, void* value, std::size_t size);
  int (*fsetxattr)(int fd, const char* name, const void* value, std::size_t size, int flags);
  ssize_t (*flistxattr)(int fd, char* list, std::size_t size);
};

/// Load `library` (a path or a soname) once for the life of the process.
[[nodiscard]] Outcome<LlapiTable> load_llapi(const std::string& library);

/// Whether `directory` is of a Lustre file system, and not of one that stands for it. Waits for servers that are coming back.
[[nodiscard]] Outcome<bool> is_lustre(const std::string& directory);

/// Return the library that serves `mount_point`.
[[nodiscard]] Outcome<std::string> llapi_library_for(const std::string& mount_point);

/// Return the file that is the system's liblustreapi, as the loader finds it; an error that says why where there is none.
[[nodiscard]] Outcome<std::string> system_llapi_library();

/// Return where the emulator's library would be taken from.
[[nodiscard]] std::string emulator_llapi_library();

}  // namespace lhsm::lustre
