// SPDX-License-Identifier: LGPL-2.1-or-later
// The input as a config file.
#include "../../src/cli/config_file.hpp"
#include "check.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lhsm;
  const auto text = as_text(data, size);
  const auto read = cli::parse_config(text);
  if (!read) {
    FUZZ_CHECK(read.error().subject.starts_with("line "));
    return 0;
  }
  for (const cli::ConfigEntry& entry : read->entries) {
    FUZZ_CHECK(entry.is_array || entry.values.size() == 1);
    for (const std::string& value : entry.values) {
      const auto again = cli::parse_config("key = " + cli::toml_string(value));
      FUZZ_CHECK(again && again->entries.size() == 1 && again->entries[0].values[0] == value);
    }
  }
  return 0;
}
