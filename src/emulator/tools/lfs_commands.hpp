// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "lhsmtool_mpi/lustre/abi.hpp"

// The library's C functions, as lustreapi.h declares them.
extern "C" {
int llapi_fid_parse(const char* text, lhsm::abi::lu_fid* fid, char** end);
int llapi_path2fid(const char* path, lhsm::abi::lu_fid* fid);
int llapi_fid2path(const char* device, const char* fid, char* path, int length, long long* recno, int* link);
int llapi_hsm_state_get(const char* path, lhsm::abi::hsm_user_state* state);
int llapi_hsm_state_set(const char* path, std::uint64_t set, std::uint64_t clear, std::uint32_t archive_id);
int llapi_hsm_current_action(const char* path, lhsm::abi::hsm_current_action* action);
lhsm::abi::hsm_user_request* llapi_hsm_user_request_alloc(int item_count, int data_length);
int llapi_hsm_request(const char* path, const lhsm::abi::hsm_user_request* request);
int llapi_get_data_version(int fd, std::uint64_t* version, std::uint64_t flags);
int llapi_parse_size(const char* text, unsigned long long* size, unsigned long long* units, int bytes_spec);
}

namespace lhsm::emulator {

inline constexpr int k_show_help = 4;  ///< a command's answer to wrong arguments

struct LfsCommand {
  std::string_view name;
  const char* usage;
  int (*run)(int argc, char** argv);  ///< 0, a negative errno, or k_show_help
};

[[nodiscard]] std::span<const LfsCommand> lfs_commands();

// lfs_hsm.cpp, lfs_hsm_request.cpp, lfs_fid.cpp, lfs_setstripe.cpp, lfs_getstripe.cpp, lfs_pool.cpp, lfs_project.cpp,
// lfs_quota.cpp
int lfs_hsm_state(int argc, char** argv);
int lfs_hsm_set(int argc, char** argv);
int lfs_hsm_clear(int argc, char** argv);
int lfs_hsm_action(int argc, char** argv);
int lfs_hsm_archive(int argc, char** argv);
int lfs_hsm_restore(int argc, char** argv);
int lfs_hsm_release(int argc, char** argv);
int lfs_hsm_remove(int argc, char** argv);
int lfs_hsm_cancel(int argc, char** argv);
int lfs_path2fid(int argc, char** argv);
int lfs_fid2path(int argc, char** argv);
int lfs_data_version(int argc, char** argv);
int lfs_mkdir(int argc, char** argv);
int lfs_setstripe(int argc, char** argv);
int lfs_getstripe(int argc, char** argv);
int lfs_pool_list(int argc, char** argv);
int lfs_project(int argc, char** argv);
int lfs_setquota(int argc, char** argv);

}  // namespace lhsm::emulator
