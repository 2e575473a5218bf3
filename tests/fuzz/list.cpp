// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Lists of paths and FIDs, and blocks of rows: any bytes.
#include <string>
#include <vector>

#include "check.hpp"
#include "lhsmtool_mpi/scan/entry_list.hpp"
#include "lhsmtool_mpi/scan/row.hpp"

using namespace lhsm;
using namespace lhsm::scan;

namespace {

std::vector<std::string> lines_of(std::string_view text, char separator, std::size_t piece) {
  LineSplitter splitter(separator);
  std::vector<std::string> lines;
  const auto take = [&lines](std::string_view line) { lines.emplace_back(line); };
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) splitter.add(text.substr(0, piece), take);
  splitter.finish(take);
  return lines;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(data, size);
  for (const char separator : {'\n', '\0'}) {
    const auto lines = lines_of(text, separator, size + 1);
    FUZZ_CHECK(lines == lines_of(text, separator, 3));
    for (const std::string& line : lines) {
      const auto entry = parse_line(line);
      if (!entry || !*entry) continue;
      const auto* const path = std::get_if<std::string>(&**entry);
      // What is taken for a path is the line as it stands, and can be one.
      if (path != nullptr) FUZZ_CHECK(*path == line && !path->empty() && path->find('\0') == std::string::npos);
    }
  }
  std::string again;
  std::size_t rows = 0;
  const auto read = for_each_row(text, [&](const Row& row) {
    append_row(again, row);
    ++rows;
  });
  FUZZ_CHECK(rows * 88 <= size);
  FUZZ_CHECK(!read || again.size() == size);
  return 0;
}
