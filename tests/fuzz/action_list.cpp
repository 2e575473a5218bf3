// SPDX-License-Identifier: LGPL-2.1-or-later
// The input as what an MDT sent.
#include "lhsmtool_mpi/lustre/action_list.hpp"

#include "check.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto list = lhsm::lustre::parse_action_list({reinterpret_cast<const std::byte*>(data), size});
  std::size_t bytes = list.fsname.size();
  for (const auto& item : list.items) {
    bytes += item.data.size();
    FUZZ_CHECK(!item.describe().empty());
  }
  FUZZ_CHECK(bytes + list.unread_bytes <= size);
  FUZZ_CHECK(list.unread_bytes == 0 || !list.damage.empty());
  return 0;
}
