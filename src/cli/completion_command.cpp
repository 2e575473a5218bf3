// SPDX-License-Identifier: LGPL-2.1-or-later
#include "completion_command.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lhsmtool_mpi/cli/commands.hpp"
#include "rank_zero.hpp"
#include "standard_output.hpp"

namespace lhsm::cli {

namespace {

/// What stands behind an option, or as an argument.
struct Value {
  enum class Kind { none, file, directory, words, text } kind = Kind::none;
  std::string words;  ///< with '|' between them
};

Value value_of(const CLI::Option& option) {
  using enum Value::Kind;
  const bool is_argument = !option.nonpositional();
  const std::string type = is_argument ? option.get_name(true) : option.get_type_name();
  if (!is_argument && option.get_items_expected_max() == 0) return {none, {}};
  if (type == "DIR" || type == "MNT" || type == "MOUNT") return {directory, {}};
  if (is_argument || type == "FILE") return {file, {}};
  // Not "[!]NAME|UID": those stand for words.
  const bool are_words = type.find('|') != std::string::npos &&
                         std::all_of(type.begin(), type.end(), [](char c) { return c == '|' || c == '-' || std::islower(c) != 0 || std::isdigit(c) != 0; });
  return are_words ? Value{words, type} : Value{text, {}};
}

/// The names of an option but for those with '_', which are there for who writes them by hand.
std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back('-' + name);
  for (const std::string& name : option.get_lnames())
    if (name.find('_') == std::string::npos) names.push_back("--" + name);
  return names;
}

/// The options of a command, and those of the program that may stand behind it, too.
std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  auto options = app.get_options([](const CLI::Option* option) { return option->nonpositional(); });
  if (const CLI::App* const program = app.get_parent(); program != nullptr)
    for (const char* name : {"--config", "--print-config"}) options.push_back(program->get_option(name));
  return options;
}
std::vector<const CLI::Option*> arguments_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return !option->nonpositional(); });
}
std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
}

std::string with_blanks(std::string words) {
  std::replace(words.begin(), words.end(), '|', ' ');
  return words;
}

/// The words of a command, "" for the program, and how the values of its options are completed.
std::string bash_case(const std::string& command, const CLI::App& app, const std::string& more_words) {
  std::string words = more_words;
  std::string kinds;
  for (const CLI::Option* const option : options_of(app)) {
    const auto names = names_of(*option);
    words += (words.empty() ? "" : " ") + fmt::format("{}", fmt::join(names, " "));
    const Value value = value_of(*option);
    std::string kind = "text";
    if (value.kind == Value::Kind::none) continue;
    if (value.kind == Value::Kind::file) kind = "files";
    if (value.kind == Value::Kind::directory) kind = "directories";
    if (value.kind == Value::Kind::words) kind = with_blanks(value.words);
    kinds += fmt::format("        {}) values='{}' ;;\n", fmt::join(names, " | "), kind);
  }
  std::string arguments = "files";
  const auto known = arguments_of(app);
  if (known.empty()) arguments = command.empty() ? "" : "text";
  if (!known.empty() && std::all_of(known.begin(), known.end(), [](const CLI::Option* argument) {
        return value_of(*argument).kind == Value::Kind::directory;
      }))
    arguments = "directories";
  if (command == "posix") {  // its options are not in these tables
    words = kinds = "";
    arguments = "files";
  }
  return fmt::format("    {})\n      words='{}'\n      arguments='{}'\n      case $option in\n{}      esac\n      ;;\n",
                     command.empty() ? "''" : command, words, arguments, kinds);
}

std::string bash_script(const CLI::App& app) {
  std::string names;
  for (const CLI::App* const command : commands_of(app)) names += (names.empty() ? "" : " ") + command->get_name();
  std::string cases = bash_case("", app, names);
  for (const CLI::App* const command : commands_of(app)) cases += bash_case(command->get_name(), *command, "");
  return fmt::format(R"(# bash completion for lhsmtool_mpi; made by "lhsmtool_mpi completion bash"
_lhsmtool_mpi() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} option=${{COMP_WORDS[COMP_CWORD - 1]}} command='' words='' arguments='' values='' i
  COMPREPLY=()
  # --option=value is three words where '=' breaks words.
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $option == '=' && $COMP_CWORD -ge 2 ]]; then
    option=${{COMP_WORDS[COMP_CWORD - 2]}}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${{COMP_WORDS[i]}} in
      --config)
        ((i++))
        [[ ${{COMP_WORDS[i]}} != '=' ]] || ((i++))
        ;;
      -*) ;;
      *)
        command=${{COMP_WORDS[i]}}
        break
        ;;
    esac
  done
  case $command in
{0}  esac
  [[ $option == -* ]] || values=''
  if [[ -z $values ]]; then
    values=$arguments
    if [[ $cur == -* || -z $command ]]; then values=$words; fi
  fi
  case $values in
    files)
      compopt -o filenames 2> /dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      ;;
    directories)
      compopt -o filenames 2> /dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$cur")
      ;;
    text) ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$values" -- "$cur") ;;
  esac
}}
complete -F _lhsmtool_mpi lhsmtool_mpi
)",
                     cases);
}

/// As a part of a word of _arguments between quotes.
std::string zsh_text(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\'') {
      escaped += "'\\''";
      continue;
    }
    if (c == '[' || c == ']' || c == ':' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string zsh_action(const Value& value, const std::string& type) {
  switch (value.kind) {
    case Value::Kind::none: return "";
    case Value::Kind::file: return fmt::format(":{}:_files", zsh_text(type));
    case Value::Kind::directory: return fmt::format(":{}:_files -/", zsh_text(type));
    case Value::Kind::words: return fmt::format(":{}:({})", zsh_text(type), with_blanks(value.words));
    case Value::Kind::text: return fmt::format(":{}: ", zsh_text(type));
  }
  return "";
}

std::string zsh_arguments(const CLI::App& app, const std::string& indent) {
  std::string specs;
  for (const CLI::Option* const option : options_of(app)) {
    const Value value = value_of(*option);
    const auto names = names_of(*option);
    const bool repeats = option->get_items_expected_max() > 1 || option->get_trigger_on_parse();
    const std::string others = repeats ? "*" : fmt::format("({})", fmt::join(names, " "));
    for (const std::string& name : names) {
      const char* const joined = value.kind == Value::Kind::none ? "" : name.size() == 2 ? "+" : "=";
      specs += fmt::format(" \\\n{}'{}{}{}[{}]{}'", indent, others, name, joined, zsh_text(option->get_description()),
                           zsh_action(value, option->get_type_name()));
    }
  }
  int place = 1;
  for (const CLI::Option* const argument : arguments_of(app)) {
    const std::string name = argument->get_name(true);
    const std::string where = argument->get_items_expected_max() > 1 ? "*" : std::to_string(place++);
    specs += fmt::format(" \\\n{}'{}{}'", indent, where, zsh_action(value_of(*argument), name));
  }
  return specs;
}

std::string zsh_script(const CLI::App& app) {
  std::string commands;
  std::string cases;
  for (const CLI::App* const command : commands_of(app)) {
    commands += fmt::format("        '{}:{}'\n", command->get_name(), zsh_text(command->get_description()));
    cases += command->get_name() == "posix"
                 ? "        posix) _files ;;\n"
                 : fmt::format("        {}) _arguments -s{} ;;\n", command->get_name(), zsh_arguments(*command, "          "));
  }
  return fmt::format(R"(#compdef lhsmtool_mpi
# zsh completion; made by "lhsmtool_mpi completion zsh"
_lhsmtool_mpi() {{
  local context state state_descr line
  local -a commands
  typeset -A opt_args
  _arguments -C{0} \
    '1: :->command' '*:: :->arguments'
  case $state in
    command)
      commands=(
{1}      )
      _describe command commands
      ;;
    arguments)
      case $words[1] in
{2}      esac
      ;;
  esac
}}
_lhsmtool_mpi "$@"
)",
                     zsh_arguments(app, "    "), commands, cases);
}

}  // namespace

CompletionCommand::CompletionCommand(CLI::App& app)
    : m_app(app), m_command(app.add_subcommand("completion", "Write the completion script of a shell")->group("")) {
  m_command->add_option("SHELL", m_shell, "bash or zsh")->required()->check(CLI::IsMember({"bash", "zsh"}))->type_name("");
}

int CompletionCommand::run() const {
  if (speaks_for_all()) print_answer(m_shell == "bash" ? bash_script(m_app) : zsh_script(m_app));
  return k_all_done;
}

}  // namespace lhsm::cli
