// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What is told of options that are settled: to people, to other ranks, and in records.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "command_line.hpp"
#include "config_options.hpp"

namespace lhsm::cli {

namespace {

/// What a rank may have as its node needs it.
constexpr std::array k_of_each_rank{"slots", "threads", "scan-threads", "keep-locks", "scan-keep-locks", "verbose", "quiet"};

bool is_flag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

bool is_false(const std::string& value) {
  try {
    return CLI::detail::to_flag_value(value) <= 0;
  } catch (const std::exception&) {
    return false;
  }
}

/// A number that TOML would write as it is here.
bool is_number(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  return ec == std::errc{} && end == text.data() + text.size() && fmt::format("{}", value) == text;
}

std::string as_toml(const std::string& value) { return is_number(value) ? value : toml_string(value); }

std::string as_toml(const CLI::Option& option, const std::vector<std::string>& values) {
  if (is_flag(option)) {
    if (option.get_trigger_on_parse() && is_number(values.front())) return values.front();  // they are counted
    return is_false(values.front()) ? "false" : "true";
  }
  if (option.get_items_expected_max() == 1) return as_toml(values.back());
  std::string list;
  for (const std::string& value : values) list += (list.empty() ? "" : ", ") + as_toml(value);
  return '[' + list + ']';
}

}  // namespace

std::string Configuration::text() const {
  std::vector<std::array<std::string, 2>> lines;  // with the origin
  for (const CLI::Option* const option : configurable_options(*m_command)) {
    const std::string name = config_name(*option);
    if (const auto given = m_given.find(option); given != m_given.end()) {
      lines.push_back({fmt::format("{} = {}", name, as_toml(*option, given->second.values)), given->second.origin});
    } else {
      const std::string standard = option->get_default_str();
      lines.push_back({fmt::format("# {} = {}", name, !standard.empty() ? standard : is_flag(*option) ? "false" : ""), "default"});
    }
  }
  std::size_t width = 0;
  for (const auto& line : lines) width = std::max(width, std::min<std::size_t>(line[0].size(), 48));
  std::string text = fmt::format("# lhsmtool_mpi {}; {}{}\n[{}]", m_command->get_name(), m_path,
                                 m_has_file ? " was read" : " is not there", m_command->get_name());
  for (const auto& [line, origin] : lines) text += fmt::format("\n{:<{}}  # {}", line, width, origin);
  return text;
}

std::string Configuration::command_line(int argc, char** argv) const {
  std::string text = command_line_of(argc, argv);
  if (m_command == nullptr) return text;
  for (const CLI::Option* const option : configurable_options(*m_command)) {
    const auto given = m_given.find(option);
    if (given == m_given.end() || given->second.origin == "command line") continue;
    for (const std::string& value : given->second.values) {
      if (option->get_expected_min() > 0)
        text += ' ' + shell_word(fmt::format("--{}={}", config_name(*option), value));
      else if (!is_false(value))
        text += " --" + config_name(*option);
    }
  }
  return text;
}

std::string Configuration::agreed() const {
  std::string text;
  if (m_command == nullptr) return text;
  for (const CLI::Option* const option : configurable_options(*m_command)) {
    const std::string name = config_name(*option);
    if (std::find(k_of_each_rank.begin(), k_of_each_rank.end(), name) != k_of_each_rank.end()) continue;
    const auto given = m_given.find(option);
    std::string value = option->get_default_str();
    if (given != m_given.end()) value = fmt::format("{}", fmt::join(given->second.values, " "));
    if (is_flag(*option)) value = given == m_given.end() || is_false(value) ? "false" : "true";
    text += fmt::format("{}={}\n", name, value);
  }
  return text;
}

}  // namespace lhsm::cli
