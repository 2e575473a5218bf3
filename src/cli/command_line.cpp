// SPDX-License-Identifier: LGPL-2.1-or-later
#include "command_line.hpp"

#include <algorithm>
#include <cctype>

namespace lhsm::cli {

std::string shell_word(std::string_view text) {
  constexpr std::string_view k_plain = "_-+=/.,:@%^~";
  const auto is_plain = [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || k_plain.find(c) != std::string_view::npos;
  };
  if (!text.empty() && text.front() != '~' && std::all_of(text.begin(), text.end(), is_plain)) return std::string(text);
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + '\'';
}

std::string command_line_of(int argc, char** argv) {
  std::string text;
  for (int i = 0; i < argc; ++i) text += (i > 0 ? " " : "") + shell_word(argv[i]);
  return text;
}

}  // namespace lhsm::cli
