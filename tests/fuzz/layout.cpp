// SPDX-License-Identifier: LGPL-2.1-or-later
// The input as a .lov file, which lies in an archive that anybody may have written.
#include "lhsmtool_mpi/lustre/layout.hpp"

#include "check.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto lov = as_text(data, size);
  const auto stripe_size = lhsm::lustre::stripe_size_of(lov);
  const auto changed = lhsm::lustre::layout_for_new_file(std::string(lov));
  FUZZ_CHECK(changed.size() == size);
  FUZZ_CHECK(lhsm::lustre::stripe_size_of(changed) == stripe_size);
  FUZZ_CHECK(lhsm::lustre::layout_for_new_file(changed) == changed);
  return 0;
}
