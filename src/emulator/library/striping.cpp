// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The older functions that make striped files. Unlike llapi_layout_* they return negative errnos.
#include "library/striping.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "client/file_layout.hpp"
#include "client/pools.hpp"
#include "library/llapi.hpp"

using namespace lhsm;
using namespace lhsm::emulator;

namespace {

constexpr int k_no_errno = 0x10;
constexpr int k_most_stripes = 2000;
constexpr int k_last_index = 65531;

Failure invalid(std::string_view what) { return errno_error("stripe parameters", what, EINVAL); }

/// Return the pool without "fsname.", "" for none.
Outcome<std::string> pool_of(const llapi_stripe_param& param, const Mount& mount) {
  if (param.lsp_pool == nullptr) return std::string();
  std::string pool(param.lsp_pool);
  if (const auto dot = pool.find('.'); dot != std::string::npos) pool.erase(0, dot + 1);
  if (pool.size() >= LayoutHeader::k_pool_size) {
    llapi_error(k_message_error, EINVAL, "Invalid Poolname '%s'", pool.c_str());
    return invalid("pool");
  }
  if (!pool.empty() && pool != "ignore" && !pool_members(mount, pool)) {
    llapi_error(k_message_error, ENOENT, "pool '%s fsname %s' does not exist", pool.c_str(), mount.fsname().c_str());
    return invalid("pool");
  }
  return pool;
}

/// Open, or make, a file or open a directory; a descriptor or a negative errno.
int open_target(const char* name, int flags, mode_t mode) {
  flags &= ~abi::O_LOV_DELAY_CREATE;
  int fd = ::open(name, flags, mode);
  if (fd < 0 && errno == EISDIR && (flags & O_DIRECTORY) == 0) fd = ::open(name, O_DIRECTORY | O_RDONLY);
  return fd < 0 ? -errno : fd;
}

}  // namespace

Outcome<std::string> lhsm::emulator::striping_of(const llapi_stripe_param& param, const Mount& mount) {
  if (param.lsp_stripe_size % LayoutHeader::k_min_stripe != 0) {
    llapi_error(k_message_error, EINVAL, "error: bad stripe_size %llu, must be an even multiple of %d bytes",
                param.lsp_stripe_size, static_cast<int>(LayoutHeader::k_min_stripe));
    return invalid("stripe size");
  }
  if (param.lsp_stripe_offset < -1 || param.lsp_stripe_offset > k_last_index) {
    llapi_error(k_message_error, EINVAL, "error: bad stripe offset %d", param.lsp_stripe_offset);
    return invalid("stripe offset");
  }
  if (param.lsp_stripe_size >> 32U != 0) {
    llapi_error(k_message_error, EINVAL, "error: stripe size '%llu' over 4GB limit", param.lsp_stripe_size);
    return invalid("stripe size");
  }
  const auto pattern = static_cast<std::uint32_t>(param.lsp_stripe_pattern);
  if ((pattern & LayoutHeader::k_mdt) != 0) {
    llapi_error(k_message_error, EINVAL, "Invalid pattern: '-L mdt', must be specified with -E\n");
    return invalid("pattern");
  }
  if (param.lsp_stripe_count < -32 || param.lsp_stripe_count > k_most_stripes) {
    llapi_error(k_message_error, EINVAL, "Invalid stripe count %d\n", param.lsp_stripe_count);
    return invalid("stripe count");
  }
  Layout layout;
  layout.components.resize(1);
  auto& only = layout.components[0];
  LHSM_TRY_ASSIGN(only.pool, pool_of(param, mount));
  only.header.pattern = pattern;
  only.header.stripe_size = static_cast<std::uint32_t>(param.lsp_stripe_size);
  only.header.stripe_count = static_cast<std::uint16_t>(param.lsp_stripe_count);
  only.header.stripe_offset = static_cast<std::uint16_t>(param.lsp_stripe_offset);
  if (param.lsp_is_specific) {
    only.header.magic = LayoutHeader::k_specific;
    only.objects.resize(only.header.stripe_count);
    const auto* osts = reinterpret_cast<const char*>(&param) + offsetof(llapi_stripe_param, lsp_max_inherit_rr) + 1;
    for (std::size_t i = 0; i < only.objects.size(); ++i) {
      std::uint32_t index = 0;
      std::memcpy(&index, osts + i * sizeof index, sizeof index);
      only.objects[i].ost_index = index;
    }
  }
  return pack_layout(layout);
}

LHSM_EXPORT int llapi_file_open_param(const char* name, int flags, mode_t mode, const llapi_stripe_param* param) {
  const Mount* mount = find_mount(std::string(name));
  if (mount == nullptr) return -ENOTTY;
  const auto wanted = striping_of(*param, *mount);
  if (!wanted) {
    errno = wanted.error().sys_errno;
    return to_rc(wanted);
  }
  const int fd = open_target(name, flags, mode);
  if (fd < 0) {
    llapi_error(k_message_error, -fd, "unable to open '%s'", name);
    return fd;
  }
  std::string bytes = *wanted;
  std::string relative;
  Mount* target = find_mount(fd, &relative);
  const int rc = target == nullptr ? -ENOTTY : serve_ioctl(*target, fd, relative, k_lov_setstripe, bytes.data());
  if (rc == 0) return fd;
  llapi_error(k_message_error | k_no_errno, 0, "setstripe error for '%s': %s", name,
              rc == -EEXIST ? "stripe already set" : std::strerror(-rc));
  ::close(fd);
  return rc;
}

LHSM_EXPORT int llapi_file_open_pool(const char* name, int flags, int mode, unsigned long long stripe_size,
                                     int stripe_offset, int stripe_count, int stripe_pattern, char* pool_name) {
  llapi_stripe_param param{};
  param.lsp_stripe_size = stripe_size;
  param.lsp_stripe_count = stripe_count;
  param.lsp_stripe_pattern = stripe_pattern;
  param.lsp_stripe_offset = stripe_offset;
  param.lsp_pool = pool_name;
  return llapi_file_open_param(name, flags, static_cast<mode_t>(mode), &param);
}

LHSM_EXPORT int llapi_file_open(const char* name, int flags, int mode, unsigned long long stripe_size,
                                int stripe_offset, int stripe_count, int stripe_pattern) {
  return llapi_file_open_pool(name, flags, mode, stripe_size, stripe_offset, stripe_count, stripe_pattern, nullptr);
}

LHSM_EXPORT int llapi_file_create_pool(const char* name, unsigned long long stripe_size, int stripe_offset,
                                       int stripe_count, int stripe_pattern, char* pool_name) {
  const int fd = llapi_file_open_pool(name, O_CREAT | O_WRONLY, 0644, stripe_size, stripe_offset, stripe_count,
                                      stripe_pattern, pool_name);
  if (fd < 0) return fd;
  ::close(fd);
  return 0;
}

LHSM_EXPORT int llapi_file_create(const char* name, unsigned long long stripe_size, int stripe_offset, int stripe_count,
                                  int stripe_pattern) {
  return llapi_file_create_pool(name, stripe_size, stripe_offset, stripe_count, stripe_pattern, nullptr);
}

/// The caller's buffer has room for the longest of plain layouts, as on Lustre.
LHSM_EXPORT int llapi_file_get_stripe(const char* path, void* lum) {
  const Fd fd(::open(path, O_PATH | O_CLOEXEC));
  if (!fd) return -errno;
  std::string relative;
  const Mount* mount = find_mount(*fd, &relative);
  if (mount == nullptr) return -ENOTTY;
  const auto layout = seen_layout(*mount, *fd, relative);
  if (!layout) return to_rc(layout);
  const auto bytes = pack_layout(*layout);
  std::memcpy(lum, bytes.data(), bytes.size());
  return 0;
}
