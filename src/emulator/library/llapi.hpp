// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the files of the library share: the C functions that call one another, the private handles,
// and the step from Outcome to the negative errno that liblustreapi returns.
#pragma once

#include <sys/stat.h>

#include <cstdarg>
#include <string>

#include "client/mount.hpp"
#include "core/action_list.hpp"
#include "lhsmtool_mpi/lustre/abi.hpp"

#define LHSM_EXPORT extern "C" __attribute__((visibility("default")))

/// Handle of a registered copytool. The leading members lie as in Lustre's own (2.15 to 2.17), since
/// there are programs that make one up to call begin and end without registering.
struct hsm_copytool_private {
  int magic;
  char* mnt;
  lhsm::abi::kuc_hdr* buffer;  ///< k_hal_buffer bytes, reused by every recv
  int mnt_fd;
  int open_by_fid_fd;
  void* unused;
  int pipe_fd;
  std::uint32_t* archives;  ///< filter of recv; none: all
  std::uint32_t archive_count;
  int pid;
};

/// Handle of one action between begin and end.
struct hsm_copyaction_private {
  std::uint32_t magic;
  int source_fd;
  int data_fd;
  const hsm_copytool_private* ct;
  lhsm::abi::hsm_copy copy;
  struct stat attributes;  ///< of the original, at the begin of its restore
};

LHSM_EXPORT void llapi_error(int level, int err, const char* format, ...) __attribute__((format(printf, 3, 4)));
LHSM_EXPORT int llapi_fd2fid(int fd, lhsm::abi::lu_fid* fid);

namespace lhsm::emulator {

inline constexpr int k_message_error = 2;

/// Create a volatile file on an MDT, -1: that of the directory `parent_fd`.
struct VolatileFile {
  Fd fd;
  Fid fid;
};
Outcome<VolatileFile> create_volatile(Mount& mount, int mdt, int parent_fd, int open_flags, mode_t mode);

/// Serve an ioctl of an emulated mount; the result, or a negative errno.
int serve_ioctl(Mount& mount, int fd, const std::string& relative, unsigned long command, void* argument);
[[nodiscard]] bool is_served_ioctl(unsigned long command);

// ioctls about layout and project, see attribute_ioctls.cpp.
inline constexpr unsigned long k_lov_setstripe = 0x4008669a;
inline constexpr unsigned long k_lov_getstripe = 0x4008669b;
int serve_attribute_ioctl(const Mount& mount, int fd, const std::string& relative, unsigned long command,
                          void* argument);
[[nodiscard]] bool is_attribute_ioctl(unsigned long command);

/// Serve OBD_IOC_QUOTACTL.
int serve_quotactl(const Mount& mount, void* argument);

/// Release a file: drop its data if the coordinator's rules allow. 0 or a negative errno.
int release_file(Mount& mount, const Fid& fid);

enum class CopyEvent { start = 0, running = 50, finish = 100, cancel = 150, error = 200 };
void log_registration(const hsm_copytool_private& ct, bool is_register);
void log_progress(const hsm_copyaction_private& action, const abi::hsm_action_item& item, CopyEvent event,
                  std::uint64_t total, std::uint64_t current);

template <class T>
[[nodiscard]] int to_rc(const Outcome<T>& outcome) {
  return outcome ? 0 : -outcome.error().sys_errno;
}

}  // namespace lhsm::emulator
