// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <getopt.h>
#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "client/mount.hpp"
#include "core/action_list.hpp"
#include "tools/lfs_commands.hpp"

namespace lhsm::emulator {

int lfs_path2fid(int argc, char** argv) {
  if (argc < 2) return k_show_help;
  int first_error = 0;
  for (int i = 1; i < argc; ++i) {
    abi::lu_fid fid{};
    if (const int rc = llapi_path2fid(argv[i], &fid); rc != 0) {
      std::fprintf(stderr, "lfs path2fid: cannot get fid for '%s': %s\n", argv[i], std::strerror(-rc));
      if (first_error == 0) first_error = rc;
      continue;
    }
    if (argc > 2) std::printf("%s: ", argv[i]);
    std::printf("%s\n", from_abi(fid).bracketed().c_str());
  }
  return first_error;
}

int lfs_fid2path(int argc, char** argv) {
  static const option options[] = {{"print-fid", no_argument, nullptr, 'f'},  {"link", required_argument, nullptr, 'l'},
                                   {"print0", no_argument, nullptr, '0'},     {"name", no_argument, nullptr, 'n'},
                                   {"print-link", no_argument, nullptr, 'c'}, {nullptr, 0, nullptr, 0}};
  bool prints_fid = false;
  bool only_name = false;
  int only_link = -1;
  char end = '\n';
  for (int letter = 0; (letter = ::getopt_long(argc, argv, "0cfl:n", options, nullptr)) != -1;) {
    switch (letter) {
      case '0': end = '\0'; break;
      case 'f': prints_fid = true; break;
      case 'n': only_name = true; break;
      case 'c': break;
      case 'l': only_link = std::atoi(::optarg); break;
      default: return k_show_help;
    }
  }
  if (argc - ::optind < 2) return k_show_help;
  const char* device = argv[::optind];
  int first_error = 0;
  for (int i = ::optind + 1; i < argc; ++i) {
    int link = only_link < 0 ? 0 : only_link;
    for (int last = -1; link != last;) {
      last = link;
      char path[PATH_MAX];
      long long recno = -1;
      if (const int rc = llapi_fid2path(device, argv[i], path, sizeof path, &recno, &link); rc != 0) {
        std::fprintf(stderr, "lfs fid2path: cannot find %s %s: %s\n", device, argv[i], std::strerror(-rc));
        if (first_error == 0) first_error = rc;
        break;
      }
      if (prints_fid) std::printf("%s ", argv[i]);
      const std::string mount(device);
      const std::string text(path);
      const auto slash = text.rfind('/');
      if (only_name)
        std::printf("%s%c", text.c_str() + (slash == std::string::npos ? 0 : slash + 1), end);
      else if (mount.starts_with("/"))
        std::printf("%s/%s%c", mount.substr(0, mount.find_last_not_of('/') + 1).c_str(), path, end);
      else
        std::printf("%s%c", path, end);
      if (only_link >= 0) break;
    }
  }
  return first_error;
}

int lfs_data_version(int argc, char** argv) {
  if (argc < 2) return k_show_help;
  const char* path = argv[argc - 1];
  const Fd fd(::open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  std::uint64_t version = 0;
  const int rc = fd ? llapi_get_data_version(*fd, &version, abi::LL_DV_RD_FLUSH) : -errno;
  if (rc == 0)
    std::printf("%llu\n", static_cast<unsigned long long>(version));
  else
    std::fprintf(stderr, "lfs data_version: can't get version for %s: %s\n", path, std::strerror(-rc));
  return rc;
}

int lfs_mkdir(int argc, char** argv) {
  static const option options[] = {{"mdt-index", required_argument, nullptr, 'i'},
                                   {"mdt-count", required_argument, nullptr, 'c'},
                                   {"mode", required_argument, nullptr, 'o'},
                                   {nullptr, 0, nullptr, 0}};
  std::int32_t mdt = -1;
  mode_t mode = 0777;
  for (int letter = 0; (letter = ::getopt_long(argc, argv, "c:i:o:", options, nullptr)) != -1;) {
    switch (letter) {
      case 'i': mdt = static_cast<std::int32_t>(std::strtol(::optarg, nullptr, 0)); break;
      case 'o': mode = static_cast<mode_t>(std::strtoul(::optarg, nullptr, 8)); break;
      case 'c': break;  // directories are not striped here
      default: return k_show_help;
    }
  }
  if (::optind >= argc) return k_show_help;
  for (int i = ::optind; i < argc; ++i) {
    int rc = ::mkdir(argv[i], mode) != 0 ? -errno : 0;
    if (rc == 0) {
      const Fd directory(::open(argv[i], O_PATH | O_DIRECTORY | O_CLOEXEC));
      Mount* mount = directory ? find_mount(*directory) : nullptr;
      if (mount == nullptr) {
        rc = -ENOTTY;
      } else {
        // The FID given now says where the directory, and what is made in it, lives.
        Writer request;
        request.put(Op::fid_of).put(mdt);
        rc = mount->call(request, *directory).rc;
      }
      if (rc != 0) std::ignore = ::rmdir(argv[i]);
    }
    if (rc != 0) {
      std::fprintf(stderr, "lfs mkdir: dirstripe error on '%s': %s\n", argv[i], std::strerror(-rc));
      return rc;
    }
  }
  return 0;
}

}  // namespace lhsm::emulator
