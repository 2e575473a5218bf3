// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config_options.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <functional>

#include "lhsmtool_mpi/base/say.hpp"
#include "rank_zero.hpp"

namespace lhsm::cli {

namespace {

constexpr const char* k_standard_file = "/etc/lhsmtool_mpi.toml";
constexpr const char* k_prefix = "LHSMTOOL_MPI_";

/// CLI11 asks it for what a file says, when the command line is read and nothing has been done with it. It is not
/// let into the file, so that the environment comes to its turn where there is none.
class Hook final : public CLI::Config {
 public:
  explicit Hook(std::function<void()> lay) : m_lay(std::move(lay)) {}
  std::string to_config(const CLI::App* /*app*/, bool /*with_defaults*/, bool /*with_help*/, std::string /*prefix*/) const override {
    return {};
  }
  std::vector<CLI::ConfigItem> from_config(std::istream& /*input*/) const override {
    m_lay();
    return {};
  }

 private:
  std::function<void()> m_lay;
};

std::string in_capitals(std::string name) {
  for (char& c : name) c = c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

bool is_flag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }
bool is_list(const CLI::Option& option) { return option.get_items_expected_max() > 1; }

/// -v and -q are one setting.
bool is_about_the_log(const CLI::Option& option) { return option.check_lname("verbose") || option.check_lname("quiet"); }

/// Whether one of two options goes without the other.
bool are_rivals(CLI::Option& a, CLI::Option& b) {
  return a.get_excludes().contains(&b) || b.get_excludes().contains(&a) || (is_about_the_log(a) && is_about_the_log(b));
}

/// Whether what is said for all commands is meant for this one: a scan's archive is which files it takes, others' is
/// which archive they serve.
bool holds_for(const CLI::App& command, const std::string& name) { return command.get_name() != "scan" || name != "archive"; }

CLI::Option* find(CLI::App& command, const std::string& name) {
  for (CLI::Option* const option : configurable_options(command))
    if (option->check_lname(name)) return option;
  return nullptr;
}

std::vector<std::string> names_of(CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* const option : configurable_options(command)) names.push_back(config_name(*option));
  return names;
}

std::vector<CLI::App*> commands_of(CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

}  // namespace

std::string config_name(const CLI::Option& option) { return option.get_lnames().front(); }

std::vector<CLI::Option*> configurable_options(CLI::App& command) {
  return command.get_options([&command](const CLI::Option* option) {
    return option->nonpositional() && !option->get_lnames().empty() && option->get_configurable() &&
           option != command.get_help_ptr() && option != command.get_help_all_ptr();
  });
}

Configuration::Configuration(CLI::App& app) : m_app(app) {
  // The file that is always there calls the hook.
  m_file = app.set_config("--config", "/dev/null", fmt::format("File of options, instead of {}", k_standard_file));
  m_file->type_name("FILE")->option_text("FILE");  // without the default
  m_print = app.add_flag("--print-config,--print_config", m_prints, "Show the options of a command, with where each comes from");
  app.config_formatter(std::make_shared<Hook>([this] { lay(); }));
  for (CLI::App* const command : commands_of(app)) command->fallthrough();  // so that they may stand behind it, too
}

void Configuration::lay() {
  const auto parsed = m_app.get_subcommands();
  if (parsed.empty() || asks_for_help() || configurable_options(*parsed.front()).empty()) return;
  m_command = parsed.front();
  for (const CLI::Option* const option : configurable_options(*m_command))
    if (option->count() > 0) m_given[option] = {"command line", option->results(), false};
  read_file();
  warn_of_unknown_variables();
  const std::string name = m_command->get_name();
  apply(environment(k_prefix + in_capitals(name) + '_'), false);
  apply(environment(k_prefix), true);
  apply(section(name), false);
  apply(section(""), true);
  if (m_print->count() == 0) return;
  for (CLI::Option* const option : configurable_options(*m_command))
    if (option->count() > 0 && !option->get_callback_run()) option->run_callback();  // so that what is shown is right
  throw CLI::CallForVersion(text(), 0);
}

bool Configuration::asks_for_help() const {
  const auto is_given = [](const CLI::Option* option) { return option != nullptr && option->count() > 0; };
  return is_given(m_app.get_help_ptr()) || is_given(m_app.get_help_all_ptr()) || is_given(m_app.get_version_ptr()) ||
         is_given(m_app.get_subcommands().front()->get_help_ptr());
}

void Configuration::refuse(const std::string& why) const { throw CLI::ConfigError(why, CLI::ExitCodes::ConfigError); }

void Configuration::read_file() {
  const char* const variable = std::getenv("LHSMTOOL_MPI_CONFIG");
  const bool by_variable = variable != nullptr && *variable != '\0';
  const bool is_asked_for = m_file->count() > 0 || by_variable;
  m_path = m_file->count() > 0 ? m_file->results().back() : by_variable ? variable : k_standard_file;
  auto text = read_config(m_path);
  if (!text && text.error().sys_errno == ENOENT && !is_asked_for) return;
  if (!text && text.error().sys_errno == EINVAL) refuse(fmt::format("{}: {}", m_path, text.error().subject));
  if (!text) refuse(text.error().describe());
  m_has_file = true;
  m_text = std::move(*text);
  check_names(m_text);
}

/// Refuse a file in which anything is unknown, for whatever command.
void Configuration::check_names(const ConfigText& text) const {
  std::vector<std::string> commands;
  std::vector<std::string> names;
  for (CLI::App* const command : commands_of(m_app)) {
    const auto its_names = names_of(*command);
    if (!its_names.empty()) commands.push_back(command->get_name());
    names.insert(names.end(), its_names.begin(), its_names.end());
  }
  for (const ConfigSection& section : text.sections)
    if (std::find(commands.begin(), commands.end(), section.name) == commands.end())
      refuse(fmt::format("{}: line {}: no command '{}' has options; the nearest name is '{}'", m_path, section.line,
                         section.name, nearest(section.name, commands)));
  for (const ConfigEntry& entry : text.entries) {
    const auto has_it = [&entry](CLI::App* command) { return find(*command, entry.key) != nullptr; };
    const auto all = commands_of(m_app);
    if (entry.section.empty() && std::none_of(all.begin(), all.end(), has_it))
      refuse(fmt::format("{}: line {}: no command has an option '{}'; the nearest is '{}'", m_path, entry.line, entry.key,
                         nearest(entry.key, names)));
    if (entry.section.empty()) continue;
    CLI::App* const command = m_app.get_subcommand(entry.section);
    if (!has_it(command))
      refuse(fmt::format("{}: line {}: {} has no option '{}'; the nearest is '{}'", m_path, entry.line, entry.section,
                         entry.key, nearest(entry.key, names_of(*command))));
  }
}

Configuration::Source Configuration::section(const std::string& name) const {
  Source source;
  for (const ConfigEntry& entry : m_text.entries) {
    if (entry.section != name) continue;
    const CLI::Option* const option = find(*m_command, entry.key);
    if (option == nullptr) continue;  // another command's
    const Given given{fmt::format("{}:{}", m_path, entry.line), entry.values, entry.is_array};
    if (!source.emplace(config_name(*option), given).second)
      refuse(fmt::format("{}: line {}: '{}' is there under two names", m_path, entry.line, entry.key));
  }
  return source;
}

Configuration::Source Configuration::environment(const std::string& prefix) const {
  Source source;
  for (const CLI::Option* const option : configurable_options(*m_command)) {
    const std::string variable = prefix + in_capitals(config_name(*option));
    const char* const value = std::getenv(variable.c_str());
    if (value == nullptr || *value == '\0') continue;
    Given given{variable, {value}, false};
    if (is_list(*option)) given.values = CLI::detail::split(value, ',');
    source.emplace(config_name(*option), std::move(given));
  }
  return source;
}

/// A misspelt one would be passed over without a word; but modules of a site set some of their own, as LHSMTOOL_MPI_DIR.
void Configuration::warn_of_unknown_variables() const {
  if (!speaks_for_all()) return;
  std::vector<std::string> known{std::string(k_prefix) + "CONFIG"};
  for (CLI::App* const command : commands_of(m_app)) {
    for (const std::string& name : names_of(*command)) {
      known.push_back(k_prefix + in_capitals(name));
      known.push_back(k_prefix + in_capitals(command->get_name()) + '_' + in_capitals(name));
    }
  }
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const std::string name(text.substr(0, text.find('=')));
    if (name.starts_with(k_prefix) && std::find(known.begin(), known.end(), name) == known.end())
      say(stderr, "lhsmtool_mpi: {} in the environment is no option; the nearest is {}\n", name, nearest(name, known));
  }
}

bool Configuration::is_settled(const CLI::Option* option) const { return m_given.contains(option); }

/// Take what no source before has settled.
void Configuration::apply(const Source& source, bool is_general) {
  const auto options = configurable_options(*m_command);
  std::vector<CLI::Option*> open;
  for (CLI::Option* const option : options) {
    const bool has_rival = std::any_of(options.begin(), options.end(), [&](CLI::Option* other) {
      return other != option && is_settled(other) && are_rivals(*option, *other);
    });
    if (!is_settled(option) && !has_rival) open.push_back(option);
  }
  for (CLI::Option* const option : open) {
    const auto given = source.find(config_name(*option));
    if (given == source.end() || (is_general && !holds_for(*m_command, given->first))) continue;
    apply(*option, given->second);
  }
}

void Configuration::apply(CLI::Option& option, const Given& given) {
  const std::string name = config_name(option);
  const auto refuse_value = [&](const std::string& why) { refuse(fmt::format("{}: {}: {}", given.origin, name, why)); };
  m_given[&option] = given;
  if (given.is_array && !is_list(option)) refuse_value("takes one value, not an array");
  try {
    if (option.get_expected_min() > 0) {
      if (given.values.empty()) return;
      option.add_result(given.values);
      option.run_callback();
      return;
    }
    // A flag, or an option that may stand alone.
    const std::string& value = given.values.front();
    std::int64_t times = 1;
    if (is_flag(option) || value == "true" || value == "false") {
      try {
        times = CLI::detail::to_flag_value(value);
      } catch (const std::exception&) {
        refuse_value(fmt::format("'{}' is neither true nor false", value));
      }
    }
    const bool counts = option.get_trigger_on_parse();
    if (times > (counts ? 9 : 1)) refuse_value(fmt::format("'{}' is too much", value));
    for (; times > 0; --times) {
      option.clear();
      option.add_result(is_flag(option) ? "true" : value == "true" ? "" : value);
      option.run_callback();
    }
  } catch (const CLI::ConfigError&) {
    throw;
  } catch (const CLI::Error& error) {
    refuse(fmt::format("{}: {}", given.origin, error.what()));
  }
}

}  // namespace lhsm::cli
