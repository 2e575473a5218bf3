// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/lctl_pool.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "client/pools.hpp"

extern "C" int llapi_poollist(const char* name);

namespace lhsm::emulator {
namespace {

int complain(const char* command, const char* what, int sys_errno) {
  std::fprintf(stderr, "%s: %s: %s\n", command, what, std::strerror(sys_errno));
  return sys_errno;
}

/// Read "lustre-OST[0-3,5]", "OST0002", … into names of single OSTs.
std::vector<std::string> expand(const std::string& text) {
  const auto open = text.find('[');
  const auto close = text.find(']');
  if (open == std::string::npos || close == std::string::npos || close < open) return {text};
  std::vector<std::string> names;
  for (const char* at = text.c_str() + open + 1; *at != ']' && *at != '\0';) {
    char* end = nullptr;
    const auto first = std::strtoul(at, &end, 16);
    if (end == at) return {text};
    auto last = first;
    if (*end == '-') last = std::strtoul(end + 1, &end, 16);
    for (auto index = first; index <= last && index < 0x10000; ++index) {
      char number[8];
      std::snprintf(number, sizeof number, "%04lx", index);
      names.push_back(text.substr(0, open) + number + text.substr(close + 1));
    }
    at = *end == ',' ? end + 1 : end;
    if (*at != ']' && at == end) return {text};
  }
  return names;
}

int change_members(const Mount& mount, const std::string& pool, bool adds, int count, char** names) {
  const char* command = adds ? "pool_add" : "pool_remove";
  auto osts = pool_members(mount, pool);
  if (!osts) return complain(command, pool.c_str(), ENOENT);
  int first_error = 0;
  for (int i = 0; i < count; ++i)
    for (const auto& name : expand(names[i])) {
      const auto index = ost_index(mount, name);
      const auto found = index ? std::find(osts->begin(), osts->end(), *index) : osts->end();
      int rc = 0;
      if (!index)
        rc = ENOENT;
      else if (adds && found != osts->end())
        rc = EEXIST;
      else if (!adds && found == osts->end())
        rc = ENOENT;
      if (rc != 0) {
        first_error = first_error == 0 ? complain(command, name.c_str(), rc) : first_error;
        continue;
      }
      if (adds)
        osts->push_back(*index);
      else
        osts->erase(found);
      if (const auto set = set_pool_members(mount, pool, *osts); !set)
        return complain(command, name.c_str(), set.error().sys_errno);
      std::fprintf(stderr, "OST %s %s pool %s.%s\n", ost_uuid(mount, *index).c_str(),
                   adds ? "added to" : "removed from", mount.fsname().c_str(), pool.c_str());
    }
  return first_error;
}

}  // namespace

bool is_pool_command(std::string_view command) {
  return command == "pool_new" || command == "pool_add" || command == "pool_remove" || command == "pool_destroy" ||
         command == "pool_list";
}

int run_pool_command(Mount& mount, int argc, char** argv) {
  const std::string_view command(argv[0]);
  if (argc < 2) {
    std::fprintf(stderr, "usage: lctl %s <fsname>.<poolname> [OST...]\n", argv[0]);
    return EINVAL;
  }
  if (command == "pool_list") return -llapi_poollist(argv[1]);
  const std::string full(argv[1]);
  const auto dot = full.find('.');
  if (dot == std::string::npos) {
    std::fprintf(stderr, "argument %s must be <fsname>.<poolname>\n", argv[1]);
    return EINVAL;
  }
  if (full.substr(0, dot) != mount.fsname()) return complain(argv[0], argv[1], ENODEV);
  const auto pool = full.substr(dot + 1);
  if (command == "pool_add" || command == "pool_remove")
    return argc < 3 ? EINVAL : change_members(mount, pool, command == "pool_add", argc - 2, argv + 2);
  const auto done = command == "pool_new" ? make_pool(mount, pool) : remove_pool(mount, pool);
  if (!done) return complain(argv[0], argv[1], done.error().sys_errno);
  std::fprintf(stderr, "Pool %s %s\n", argv[1], command == "pool_new" ? "created" : "destroyed");
  return 0;
}

}  // namespace lhsm::emulator
