// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The calls of the library by which programs of ours that are linked with it play the copytool.
#pragma once

#include <cstdint>

#include "lhsmtool_mpi/lustre/abi.hpp"

struct hsm_copytool_private;
struct hsm_copyaction_private;
extern "C" {
int llapi_hsm_copytool_register(hsm_copytool_private** ct, const char* mnt, int count, int* archives, int flags);
int llapi_hsm_copytool_unregister(hsm_copytool_private** ct);
int llapi_hsm_copytool_recv(hsm_copytool_private* ct, lhsm::abi::hsm_action_list** list, int* size);
int llapi_hsm_action_begin(hsm_copyaction_private** action, const hsm_copytool_private* ct,
                           const lhsm::abi::hsm_action_item* item, int mdt, int flags, bool is_error);
int llapi_hsm_action_end(hsm_copyaction_private** action, const lhsm::abi::hsm_extent* extent, int flags, int error);
int llapi_hsm_action_progress(hsm_copyaction_private* action, const lhsm::abi::hsm_extent* extent, std::uint64_t total,
                              int flags);
int llapi_hsm_action_get_fd(const hsm_copyaction_private* action);
int llapi_hsm_action_get_dfid(const hsm_copyaction_private* action, lhsm::abi::lu_fid* fid);
int llapi_open_by_fid(const char* directory, const lhsm::abi::lu_fid* fid, int flags);
int llapi_create_volatile_idx(const char* directory, int mdt, int flags);
int llapi_fd2fid(int fd, lhsm::abi::lu_fid* fid);
int llapi_group_lock(int fd, int group);
int llapi_group_unlock(int fd, int group);
}
