// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The config file: TOML as far as options need it, which is tables one deep, and values that are strings, decimal
// numbers, true or false, or arrays of those. CLI11's own reader takes strings apart at commas, blanks and '#'.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lhsmtool_mpi/base/error.hpp"

namespace lhsm::cli {

/// A key of the file, and what it stands for.
struct ConfigEntry {
  std::string section;              ///< empty: it stands before the first one
  std::string key;
  std::vector<std::string> values;  ///< as the command line would have them; of an array perhaps none
  bool is_array = false;
  int line = 0;                     ///< from 1
};

/// A "[section]", which may have no keys.
struct ConfigSection {
  std::string name;
  int line = 0;
};

struct ConfigText {
  std::vector<ConfigEntry> entries;
  std::vector<ConfigSection> sections;
};

/// Read a file's text. `invalid` with EINVAL when it is no TOML, is more of it than is read here, or has a key twice; the
/// error's subject names the line.
[[nodiscard]] Outcome<ConfigText> parse_config(std::string_view text);

/// Read the file `path`. ENOENT where there is none, EFBIG above 1 MiB.
[[nodiscard]] Outcome<ConfigText> read_config(const std::string& path);

/// Return `text` as a TOML string.
[[nodiscard]] std::string toml_string(std::string_view text);

/// Return that of `words` which is written most like `word`; empty when there is none at all.
[[nodiscard]] std::string nearest(std::string_view word, const std::vector<std::string>& words);

}  // namespace lhsm::cli
