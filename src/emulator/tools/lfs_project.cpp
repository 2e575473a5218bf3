// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/fs.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "lhsmtool_mpi/base/fd.hpp"
#include "tools/lfs_commands.hpp"

// The emulator library's, by its libc name.
extern "C" int ioctl(int fd, unsigned long command, ...) noexcept;

namespace lhsm::emulator {
namespace {

enum class Operation { list, check, set, clear };

struct Project {
  Operation operation = Operation::list;
  bool has_id = false;  ///< for check: of the first directory, until one is known
  std::uint32_t id = 0;
  bool sets_inherit = false;
  bool keeps_id = false;
  bool only_directory = false;
  bool is_recursive = false;
  char end = '\n';
};

int complain(const char* what, const std::string& path) {
  const int rc = -errno;
  std::fprintf(stderr, "lfs: failed to %s '%s': %s\n", what, path.c_str(), std::strerror(-rc));
  return rc;
}

void check(const std::string& path, const fsxattr& found, bool is_directory, Project& project) {
  if (!project.has_id) {
    project.has_id = true;
    project.id = found.fsx_projid;
  }
  const bool lacks_flag = is_directory && (found.fsx_xflags & FS_XFLAG_PROJINHERIT) == 0;
  const bool is_other = found.fsx_projid != project.id;
  if (project.end == '\0') {
    if (lacks_flag || is_other) std::printf("%s%c", path.c_str(), '\0');
    return;
  }
  if (lacks_flag) std::printf("%s - project inheritance flag is not set\n", path.c_str());
  if (is_other)
    std::printf("%s - project identifier is not set (inode=%u, tree=%u)\n", path.c_str(), found.fsx_projid, project.id);
}

int handle(const std::string& path, Project& project) {
  struct stat st {};
  if (::lstat(path.c_str(), &st) != 0) return complain("stat", path);
  if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) return 0;  // has none here
  const Fd fd(::open(path.c_str(), O_RDONLY | O_NOCTTY | O_NDELAY | O_CLOEXEC));
  if (!fd) return complain("open", path);
  fsxattr found{};
  if (ioctl(*fd, FS_IOC_FSGETXATTR, &found) != 0) return complain("get xattr for", path);
  auto wanted = found;
  switch (project.operation) {
    case Operation::list:
      std::printf("%5u %c %s\n", found.fsx_projid, (found.fsx_xflags & FS_XFLAG_PROJINHERIT) != 0 ? 'P' : '-',
                  path.c_str());
      return 0;
    case Operation::check: check(path, found, S_ISDIR(st.st_mode), project); return 0;
    case Operation::set:
      if (project.has_id) wanted.fsx_projid = project.id;
      if (project.sets_inherit) wanted.fsx_xflags |= FS_XFLAG_PROJINHERIT;
      break;
    case Operation::clear:
      if (!project.keeps_id) wanted.fsx_projid = 0;
      wanted.fsx_xflags &= ~std::uint32_t{FS_XFLAG_PROJINHERIT};
      break;
  }
  if (wanted.fsx_projid == found.fsx_projid && wanted.fsx_xflags == found.fsx_xflags) return 0;
  return ioctl(*fd, FS_IOC_FSSETXATTR, &wanted) != 0 ? complain("set xattr for", path) : 0;
}

int handle_entries(const std::string& directory, Project& project) {
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(directory.c_str()), &::closedir);
  if (!listing) return complain("opendir", directory);
  int first_error = 0;
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string_view name(entry->d_name);
    if (name == "." || name == ".." || name == ".lustre") continue;
    const auto path = directory + "/" + entry->d_name;
    int rc = handle(path, project);
    struct stat st {};
    if (project.is_recursive && ::lstat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) {
      const int below = handle_entries(path, project);
      if (rc == 0) rc = below;
    }
    if (first_error == 0) first_error = rc;
  }
  return first_error;
}

int handle_tree(const std::string& path, Project& project) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) return complain("stat", path);
  const bool is_directory = S_ISDIR(st.st_mode);
  // A list is one of a directory's entries; everything else is done to the directory too.
  if (!is_directory || project.only_directory || project.operation != Operation::list)
    if (const int rc = handle(path, project); rc != 0) return rc;
  return is_directory && !project.only_directory ? handle_entries(path, project) : 0;
}

}  // namespace

int lfs_project(int argc, char** argv) {
  Project project;
  const auto choose = [&](Operation operation) {
    if (project.operation != Operation::list) {
      std::fprintf(stderr, "lfs: cannot specify '-c' '-C' '-s' together\n");
      return false;
    }
    project.operation = operation;
    return true;
  };
  for (int letter = 0; (letter = ::getopt(argc, argv, "p:cCsdkr0")) != -1;) {
    switch (letter) {
      case 'c':
        if (!choose(Operation::check)) return k_show_help;
        break;
      case 'C':
        if (!choose(Operation::clear)) return k_show_help;
        break;
      case 's':
        if (!choose(Operation::set)) return k_show_help;
        project.sets_inherit = true;
        break;
      case 'd': project.only_directory = true; break;
      case 'k': project.keeps_id = true; break;
      case 'r': project.is_recursive = true; break;
      case 'p': {
        char* end = nullptr;
        const auto id = std::strtoull(::optarg, &end, 0);
        if (end == ::optarg || *end != '\0' || id >= 0xffffffffULL) {
          std::fprintf(stderr, "Invalid project ID: %s\n", ::optarg);
          return k_show_help;
        }
        project.id = static_cast<std::uint32_t>(id);
        project.has_id = true;
        break;
      }
      case '0': project.end = '\0'; break;
      default: return k_show_help;
    }
  }
  if (project.has_id && project.operation == Operation::list) project.operation = Operation::set;
  const char* useless = nullptr;
  if (project.operation == Operation::clear && project.has_id) useless = "'-p' is useless together with '-C'";
  if (project.end == '\0' && project.operation != Operation::check) useless = "'-0' is for '-c' only";
  if (project.keeps_id && project.operation != Operation::clear) useless = "'-k' is for '-C' only";
  if (useless != nullptr) {
    std::fprintf(stderr, "lfs: %s\n", useless);
    return k_show_help;
  }
  if (::optind >= argc) {
    std::fprintf(stderr, "lfs: missing file or directory target(s)\n");
    return k_show_help;
  }
  int first_error = 0;
  for (int i = ::optind; i < argc; ++i) {
    const int rc = handle_tree(argv[i], project);
    if (first_error == 0) first_error = rc;
  }
  return first_error;
}

}  // namespace lhsm::emulator
