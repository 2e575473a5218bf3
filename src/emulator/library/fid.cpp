// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/fid.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cctype>
#include <cstdlib>
#include <cstring>

#include "client/file_layout.hpp"
#include "client/layout_cache.hpp"
#include "core/directory_layout.hpp"
#include "core/fid_space.hpp"
#include "library/llapi.hpp"
#include "library/striping.hpp"

using namespace lhsm;
using namespace lhsm::emulator;

namespace {

/// Read one number of a FID; what follows it is left in `text`.
int parse_part(const char*& text, std::uint64_t max, std::uint64_t& value) {
  char* end = nullptr;
  errno = 0;
  value = std::strtoull(text, &end, 0);
  if (end == text) return -EINVAL;
  if (errno == ERANGE || value > max) return -ERANGE;
  text = end;
  return 0;
}

int parse(const char*& text, abi::lu_fid& fid) {
  bool has_bracket = false;
  while (std::isspace(static_cast<unsigned char>(*text)) != 0) ++text;
  while (*text == '[') {
    has_bracket = true;
    ++text;
  }
  std::uint64_t parts[3] = {};
  for (int i = 0; i < 3; ++i) {
    if (i > 0 && *text++ != ':') return -EINVAL;
    const auto max = i == 0 ? ~std::uint64_t{0} : std::uint64_t{0xffffffff};
    if (const int rc = parse_part(text, max, parts[i]); rc != 0) return rc;
  }
  if (has_bracket) {
    if (*text != ']') return -EINVAL;
    ++text;
  }
  fid = {parts[0], static_cast<std::uint32_t>(parts[1]), static_cast<std::uint32_t>(parts[2])};
  return 0;
}

int path_of(Mount& mount, const abi::lu_fid& fid, char* path, int length, int* link) {
  Writer request;
  request.put(Op::path_of).put(from_abi(fid)).put(static_cast<std::uint32_t>(link != nullptr ? *link : 0));
  const auto answer = mount.call(request);
  if (answer.rc < 0) return answer.rc;
  auto results = answer.results();
  auto text = results.get_text();
  if (text.empty()) text = "/";
  if (text.size() >= static_cast<std::size_t>(length)) return -EOVERFLOW;
  std::memcpy(path, text.data(), text.size());
  path[text.size()] = '\0';
  if (link != nullptr) *link = static_cast<int>(results.get<std::uint32_t>());
  return 0;
}

/// Who opens a volatile for writing by FID before its maker has set a layout makes the default one appear.
void give_layout_to_volatile(const Mount& mount, int fd, int flags) {
  if ((flags & O_ACCMODE) == O_RDONLY || delays_layout(flags) || (flags & O_PATH) != 0) return;
  if (!stored_layout(fd, mount.names()).empty()) return;
  std::string relative;
  std::ignore = find_mount(fd, &relative);
  // It has no directory that could say more than the root.
  if (is_volatile_path(relative)) std::ignore = give_default_layout(mount, fd, "x");
}

int open_by_fid(Mount* mount, const abi::lu_fid& fid, int flags) {
  if (mount == nullptr) return -ENODEV;
  auto file = mount->open(from_abi(fid), flags);
  // By handle, as Lustre 2.16 opens, a file that is gone is a stale one.
  if (!file) return file.error().sys_errno == ENOENT ? -ESTALE : to_rc(file);
  give_layout_to_volatile(*mount, **file, flags);
  return file->release();
}

}  // namespace

LHSM_EXPORT int llapi_fid_parse(const char* text, abi::lu_fid* fid, char** end) {
  if (text == nullptr || fid == nullptr) {
    errno = EINVAL;
    return -EINVAL;
  }
  const int rc = parse(text, *fid);
  if (end != nullptr) *end = const_cast<char*>(text);
  errno = -rc;
  return rc;
}

LHSM_EXPORT int llapi_fd2fid(int fd, abi::lu_fid* fid) {
  std::string relative;
  Mount* mount = find_mount(fd, &relative);
  if (mount == nullptr) return -ENOTTY;
  // As on Lustre a client knows this without a server. A volatile is named after its FID.
  if (const auto named = volatile_fid_of(relative)) {
    *fid = to_abi(*named);
    return 0;
  }
  const auto found = mount->fid_of(fd);
  if (found) *fid = to_abi(*found);
  return to_rc(found);
}

LHSM_EXPORT int llapi_path2fid(const char* path, abi::lu_fid* fid) {
  const Fd fd(::open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  return fd ? llapi_fd2fid(*fd, fid) : -errno;
}

LHSM_EXPORT int llapi_fid2path_at(int mnt_fd, const abi::lu_fid* fid, char* path, int length, long long* /*recno*/,
                                  int* link) {
  Mount* mount = find_mount(mnt_fd);
  return mount == nullptr ? -ENOTTY : path_of(*mount, *fid, path, length, link);
}

LHSM_EXPORT int llapi_fid2path(const char* device, const char* text, char* path, int length, long long* recno,
                               int* link) {
  abi::lu_fid fid{};
  if (const int rc = llapi_fid_parse(text, &fid, nullptr); rc != 0) return rc;
  Mount* mount = find_mount(std::string(device));
  if (mount == nullptr) return -ENODEV;
  return llapi_fid2path_at(mount->root_fd(), &fid, path, length, recno, link);
}

LHSM_EXPORT int llapi_get_mdt_index_by_fid(int fd, const abi::lu_fid* fid, int* mdt_index) {
  const Mount* mount = find_mount(fd);
  if (mount == nullptr) return -ENOTTY;
  const auto mdt = mdt_of(from_abi(*fid), mount->mdt_count());
  if (!mdt) return -ENOENT;
  *mdt_index = static_cast<int>(*mdt);
  return *mdt_index;
}

LHSM_EXPORT int llapi_open_by_fid(const char* lustre_dir, const abi::lu_fid* fid, int flags) {
  return open_by_fid(find_mount(std::string(lustre_dir)), *fid, flags);
}

LHSM_EXPORT int llapi_open_by_fid_at(int lustre_fd, const abi::lu_fid* fid, int flags) {
  return open_by_fid(find_mount(lustre_fd), *fid, flags);
}
