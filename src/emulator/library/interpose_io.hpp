// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the interposed data calls share. Everything goes to the kernel by system call, as in
// interpose.cpp; only what libc itself does in several steps is looked up in libc.
#pragma once

#include <dlfcn.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "client/cluster_model.hpp"
#include "client/own_io.hpp"
#include "library/llapi.hpp"

namespace lhsm::emulator {

/// Wait until a descriptor's data can be had: at once, unless it is a released file of an emulated
/// mount. Returns 0, or an errno with which the call fails; errno itself stays as it was.
[[nodiscard]] int await_data(int fd) noexcept;

/// Return whether a path leads to a regular file on a device with an emulated mount.
[[nodiscard]] bool lies_on_emulated_device(int directory, const char* path) noexcept;

/// Return the mount of a regular file, null for everything else.
[[nodiscard]] Mount* mount_of_file(int fd) noexcept;

/// Return whether transfers have to be paced: never those of the library itself, which make no traffic.
[[nodiscard]] inline bool is_paced() { return !OwnIo::is_active() && cluster_model_is_active(); }

/// Let the model of the cluster take its time. `offset` -1: where the descriptor is. Returns an errno.
[[nodiscard]] int pace(int fd, off_t offset, std::size_t size, bool is_write) noexcept;

/// At a time, so that no transfer holds the modelled devices for long.
inline constexpr std::size_t k_paced_piece = std::size_t{1} << 20U;

/// Make an interposed call fail.
template <class T = int>
T fail_with(int error) noexcept {
  errno = error;
  return static_cast<T>(-1);
}

/// Call `kernel` when the data of a descriptor are there.
template <class F>
auto when_there(int fd, F kernel) noexcept -> decltype(kernel()) {
  using Result = decltype(kernel());
  if (const int error = await_data(fd); error != 0) return fail_with<Result>(error);
  return kernel();
}

/// A transfer of one buffer: `kernel(done, size)` moves bytes at `done` and returns how many. `offset` -1:
/// from where the descriptor is.
template <class F>
ssize_t transfer(int fd, off_t offset, std::size_t size, bool is_write, F kernel) noexcept {
  if (size == 0) return kernel(0, size);
  if (const int error = await_data(fd); error != 0) return fail_with<ssize_t>(error);
  if (!is_paced() || mount_of_file(fd) == nullptr) return kernel(0, size);
  for (std::size_t done = 0;;) {
    const auto piece = std::min(size - done, k_paced_piece);
    const off_t at = offset < 0 ? offset : offset + static_cast<off_t>(done);
    const int error = pace(fd, at, piece, is_write);
    const ssize_t moved = error != 0 ? fail_with<ssize_t>(error) : kernel(done, piece);
    if (moved < 0) return done > 0 ? static_cast<ssize_t>(done) : -1;
    done += static_cast<std::size_t>(moved);
    if (done == size || static_cast<std::size_t>(moved) < piece) return static_cast<ssize_t>(done);
  }
}

/// The same for calls that are not split: vectors, and copies between two descriptors.
template <class F>
ssize_t transfer_whole(int fd, off_t offset, std::size_t size, bool is_write, F kernel) noexcept {
  if (const int error = await_data(fd); error != 0) return fail_with<ssize_t>(error);
  if (is_paced())
    if (const int error = pace(fd, offset, size, is_write); error != 0) return fail_with<ssize_t>(error);
  return kernel();
}

/// Return libc's own function of this name.
template <class F>
F* next_function(const char* name) noexcept {
  return reinterpret_cast<F*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace lhsm::emulator
