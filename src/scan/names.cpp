// SPDX-License-Identifier: LGPL-2.1-or-later
#include "names.hpp"

#include <algorithm>

namespace lhsm::scan {

comm::ScanTask split_off(comm::ScanTask& task, std::uint64_t count) {
  comm::ScanTask part;
  part.kind = task.kind;
  part.directory = task.directory;
  std::size_t end = 0;
  for (; part.count < count && end < task.names.size(); ++part.count) {
    const auto nul = task.names.find('\0', end);
    end = nul == std::string::npos ? task.names.size() : nul + 1;
  }
  part.names = task.names.substr(0, end);
  task.names.erase(0, end);
  task.count -= std::min(task.count, part.count);
  return part;
}

}  // namespace lhsm::scan
