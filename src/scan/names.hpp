// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>
#include <string_view>

#include "lhsmtool_mpi/comm/message.hpp"

namespace lhsm::scan {

inline void add_name(comm::ScanTask& task, std::string_view name) {
  task.names.append(name).push_back('\0');
  ++task.count;
}

/// Call use(name) with each name of a task.
template <class Use>
void for_each_name(const comm::ScanTask& task, Use use) {
  std::string_view left = task.names;
  while (!left.empty()) {
    const auto end = left.find('\0');
    use(left.substr(0, end));
    if (end == std::string_view::npos) return;
    left.remove_prefix(end + 1);
  }
}

/// Move names from the front of a task, at most so many, into a new one.
comm::ScanTask split_off(comm::ScanTask& task, std::uint64_t count);

/// Return directory/name, either of which may be empty.
inline std::string join(std::string_view directory, std::string_view name) {
  std::string path;
  path.reserve(directory.size() + 1 + name.size());
  path.append(directory);
  if (!directory.empty() && !name.empty()) path.push_back('/');
  return path.append(name);
}

}  // namespace lhsm::scan
