// SPDX-License-Identifier: LGPL-2.1-or-later
#include <getopt.h>
#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "tools/lfs_commands.hpp"

namespace lhsm::emulator {
namespace {

using namespace abi;

struct Arguments {
  std::string file_list;
  std::string data;
  std::string mount_path;
  int archive_id = 0;
};

/// Read options; what follows them begins at optind.
int parse(int argc, char** argv, std::uint32_t action, Arguments& arguments) {
  static const option options[] = {
      {"archive", required_argument, nullptr, 'a'}, {"data", required_argument, nullptr, 'D'},
      {"help", no_argument, nullptr, 'h'},          {"filelist", required_argument, nullptr, 'l'},
      {"mntpath", required_argument, nullptr, 'm'}, {nullptr, 0, nullptr, 0}};
  for (int letter = 0; (letter = ::getopt_long(argc, argv, "a:D:hl:m:", options, nullptr)) != -1;) {
    switch (letter) {
      case 'l': arguments.file_list = ::optarg; break;
      case 'D': arguments.data = ::optarg; break;
      case 'a':
        if (action != HUA_ARCHIVE && action != HUA_REMOVE) {
          std::fprintf(stderr, "error: -a is supported only when archiving or removing\n");
          return k_show_help;
        }
        arguments.archive_id = std::atoi(::optarg);
        break;
      case 'm':
        if (arguments.mount_path.empty()) arguments.mount_path = ::optarg;
        break;
      default: return k_show_help;
    }
  }
  return 0;
}

int fid_of_file(const std::string& file, lu_fid& fid, dev_t& last_device) {
  struct stat st {};
  if (::lstat(file.c_str(), &st) != 0) {
    const int rc = -errno;
    std::fprintf(stderr, "Cannot stat %s: %s\n", file.c_str(), std::strerror(-rc));
    return rc;
  }
  if (!S_ISREG(st.st_mode)) {
    std::fprintf(stderr, "error: \"%s\" is not a regular file\n", file.c_str());
    return k_show_help;
  }
  if (last_device != 0 && last_device != st.st_dev) {
    std::fprintf(stderr, "All files should be on the same filesystem: %s\n", file.c_str());
    return -EINVAL;
  }
  last_device = st.st_dev;
  const int rc = llapi_path2fid(file.c_str(), &fid);
  if (rc != 0) std::fprintf(stderr, "Cannot read FID of %s: %s\n", file.c_str(), std::strerror(-rc));
  return rc;
}

int read_list(const std::string& path, std::vector<std::string>& names) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "r"), &std::fclose);
  if (!file) {
    const int rc = -errno;
    std::fprintf(stderr, "Cannot read the file list %s: %s\n", path.c_str(), std::strerror(-rc));
    return rc;
  }
  char* line = nullptr;
  std::size_t capacity = 0;
  while (::getline(&line, &capacity, file.get()) != -1) {
    std::string name(line);
    if (!name.empty() && name.back() == '\n') name.pop_back();
    names.push_back(std::move(name));
  }
  std::free(line);
  return 0;
}

int send_request(int argc, char** argv, std::uint32_t action) {
  Arguments arguments;
  if (argc < 2) return k_show_help;
  if (const int rc = parse(argc, argv, action, arguments); rc != 0) return rc;
  std::vector<std::string> names(argv + ::optind, argv + argc);
  if (names.empty() && arguments.file_list.empty()) return 0;
  if (!arguments.file_list.empty())
    if (const int rc = read_list(arguments.file_list, names); rc != 0) return rc;

  const std::unique_ptr<hsm_user_request, void (*)(void*)> request(
      llapi_hsm_user_request_alloc(static_cast<int>(names.size()), static_cast<int>(arguments.data.size())),
      &std::free);
  if (!request) {
    std::fprintf(stderr, "Cannot create the request: %s\n", std::strerror(errno));
    return -ENOMEM;
  }
  hsm_request head{};
  head.hr_action = action;
  head.hr_archive_id = static_cast<std::uint32_t>(arguments.archive_id);
  char* at = reinterpret_cast<char*>(request.get()) + sizeof(hsm_user_request);
  dev_t last_device = 0;
  for (const auto& name : names) {
    hsm_user_item item{};
    item.hui_extent.length = k_whole_file;
    lu_fid fid{};
    int rc = 0;
    if (arguments.mount_path.empty()) {
      rc = fid_of_file(name, fid, last_device);
    } else if ((rc = llapi_fid_parse(name.c_str(), &fid, nullptr)) != 0) {
      std::fprintf(stderr, "hsm: '%s' is not a valid FID\n", name.c_str());
    }
    if (rc != 0) return rc;
    item.hui_fid = fid;
    std::memcpy(at, &item, sizeof item);
    at += sizeof item;
    ++head.hr_itemcount;
  }
  head.hr_data_len = static_cast<std::uint32_t>(arguments.data.size());
  std::memcpy(at, arguments.data.data(), arguments.data.size());
  std::memcpy(static_cast<void*>(request.get()), &head, sizeof head);

  const auto& some_file = arguments.mount_path.empty() ? names.front() : arguments.mount_path;
  char full_path[PATH_MAX] = "";
  if (::realpath(some_file.c_str(), full_path) == nullptr)
    std::fprintf(stderr, "Could not find path '%s': %s\n", some_file.c_str(), std::strerror(errno));
  const int rc = llapi_hsm_request(full_path, request.get());
  if (rc != 0) std::fprintf(stderr, "Cannot send HSM request (use of %s): %s\n", some_file.c_str(), std::strerror(-rc));
  return rc;
}

}  // namespace

int lfs_hsm_archive(int argc, char** argv) { return send_request(argc, argv, HUA_ARCHIVE); }
int lfs_hsm_restore(int argc, char** argv) { return send_request(argc, argv, HUA_RESTORE); }
int lfs_hsm_release(int argc, char** argv) { return send_request(argc, argv, HUA_RELEASE); }
int lfs_hsm_remove(int argc, char** argv) { return send_request(argc, argv, HUA_REMOVE); }
int lfs_hsm_cancel(int argc, char** argv) { return send_request(argc, argv, HUA_CANCEL); }

}  // namespace lhsm::emulator
