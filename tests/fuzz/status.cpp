// SPDX-License-Identifier: LGPL-2.1-or-later
// The input as a status file of another process.
#include "check.hpp"
#include "lhsmtool_mpi/report/status.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lhsm;
  const auto status = report::status_of_json(as_text(data, size));
  if (!status) return 0;
  FUZZ_CHECK(!report::status_table(*status, 1'700'000'000'000, 10).empty());
  // What was understood is said again in the same words.
  const std::string text = report::to_json(*status);
  const auto again = report::status_of_json(text);
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(report::to_json(*again) == text);
  return 0;
}
