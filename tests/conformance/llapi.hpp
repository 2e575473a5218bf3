// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The functions of liblustreapi that a copytool uses, from whichever library the test is to judge:
// that of the emulator, or Lustre's own.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include "lhsmtool_mpi/lustre/abi.hpp"

struct hsm_copytool_private;
struct hsm_copyaction_private;

namespace lhsm::conformance {

struct Llapi {
  /// Load LHSM_TEST_LLAPI (a path or a soname), else the emulator's library of this build.
  static const Llapi& get();

  int (*copytool_register)(hsm_copytool_private** ct, const char* mnt, int count, int* archives, int flags);
  int (*copytool_unregister)(hsm_copytool_private** ct);
  int (*copytool_get_fd)(hsm_copytool_private* ct);
  int (*copytool_recv)(hsm_copytool_private* ct, abi::hsm_action_list** list, int* size);
  int (*action_begin)(hsm_copyaction_private** action, const hsm_copytool_private* ct,
                      const abi::hsm_action_item* item, int mdt, int flags, bool is_error);
  int (*action_progress)(hsm_copyaction_private* action, const abi::hsm_extent* extent, std::uint64_t total,
                         int flags);
  int (*action_end)(hsm_copyaction_private** action, const abi::hsm_extent* extent, int flags, int error);
  int (*action_get_dfid)(const hsm_copyaction_private* action, abi::lu_fid* fid);
  int (*action_get_fd)(const hsm_copyaction_private* action);
  abi::hsm_user_request* (*user_request_alloc)(int items, int data_length);
  int (*request)(const char* path, const abi::hsm_user_request* request);
  int (*state_get)(const char* path, abi::hsm_user_state* state);
  int (*state_set)(const char* path, std::uint64_t set, std::uint64_t clear, std::uint32_t archive_id);
  int (*current_action)(const char* path, abi::hsm_current_action* action);
  int (*import)(const char* dst, int archive, const struct stat* st, unsigned long long stripe_size, int stripe_offset,
                int stripe_count, int stripe_pattern, char* pool, abi::lu_fid* new_fid);
  int (*path2fid)(const char* path, abi::lu_fid* fid);
  int (*fid2path_at)(int mnt_fd, const abi::lu_fid* fid, char* path, int length, long long* recno, int* link);
  int (*open_by_fid)(const char* directory, const abi::lu_fid* fid, int flags);
  int (*get_mdt_index_by_fid)(int fd, const abi::lu_fid* fid, int* index);
  int (*get_data_version)(int fd, std::uint64_t* version, std::uint64_t flags);
  /// Of libc, unless the library brings its own.
  ssize_t (*lgetxattr)(const char* path, const char* name, void* value, std::size_t size);
};

}  // namespace lhsm::conformance
