// SPDX-License-Identifier: LGPL-2.1-or-later
#include "config_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::cli {

namespace {

constexpr std::size_t k_most_bytes = std::size_t{1} << 20U;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_of_key(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-'; }

void append_utf8(std::string& text, std::uint32_t code) {
  const auto put = [&text](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0U | code >> 6U);
  } else if (code < 0x10000) {
    put(0xE0U | code >> 12U);
    put(0x80U | (code >> 6U & 0x3FU));
  } else {
    put(0xF0U | code >> 18U);
    put(0x80U | (code >> 12U & 0x3FU));
    put(0x80U | (code >> 6U & 0x3FU));
  }
  put(0x80U | (code & 0x3FU));
}

/// Whether `text` is a decimal number of TOML, without its underscores.
bool is_number(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  const auto take_digits = [&text] {
    const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
    const auto count = static_cast<std::size_t>(end - text.begin());
    text.remove_prefix(count);
    return count;
  };
  const bool begins_with_zero = !text.empty() && text.front() == '0';
  const std::size_t whole = take_digits();
  if (whole == 0 || (begins_with_zero && whole > 1)) return false;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    if (take_digits() == 0) return false;
  }
  if (!text.empty() && (text.front() == 'e' || text.front() == 'E')) {
    text.remove_prefix(1);
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
    if (take_digits() == 0) return false;
  }
  return text.empty();
}

/// Reads from the front; the first error stays.
class Reader {
 public:
  explicit Reader(std::string_view text) : m_text(text) {}

  Outcome<ConfigText> read() {
    while (m_error.empty() && !m_text.empty()) line();
    if (!m_error.empty()) return failure(ErrorKind::invalid, EINVAL, "read config", m_error);
    return std::move(m_result);
  }

 private:
  void line() {
    skip_blanks();
    if (at('[')) {
      section();
    } else if (!at_end_of_line()) {
      entry();
    }
    end_line();
  }

  void section() {
    take();
    if (at('[')) return fail("arrays of tables are not understood");
    skip_blanks();
    std::string name = key();
    skip_blanks();
    if (at('.')) return fail("a section has the name of one command");
    if (!at(']')) return fail("']' is missing");
    take();
    if (!m_error.empty()) return;
    if (!m_sections.insert(name).second) return fail(fmt::format("section [{}] is there twice", name));
    m_section = name;
    m_result.sections.push_back({std::move(name), m_line});
  }

  void entry() {
    ConfigEntry entry;
    entry.section = m_section;
    entry.line = m_line;
    entry.key = key();
    skip_blanks();
    if (at('.')) return fail(fmt::format("write [{}] and the key below it", entry.key));
    if (!at('=')) return fail(fmt::format("'=' is missing behind '{}'", entry.key));
    take();
    skip_blanks();
    entry.is_array = at('[');
    if (entry.is_array) {
      array(entry.values);
    } else {
      entry.values.push_back(value());
    }
    if (!m_error.empty()) return;
    if (!m_keys.emplace(entry.section, entry.key).second) return fail(fmt::format("'{}' is there twice", entry.key));
    m_result.entries.push_back(std::move(entry));
  }

  void array(std::vector<std::string>& values) {
    take();
    for (;;) {
      skip_lines();
      if (at(']')) break;
      values.push_back(value());
      skip_lines();
      if (at(',')) {
        take();
      } else if (!at(']')) {
        fail("',' or ']' is missing in an array");
      }
      if (!m_error.empty()) return;
    }
    take();
  }

  std::string key() {
    if (at('"') || at('\'')) return string();
    std::string name = take_while(is_of_key);
    if (name.empty()) fail("a key is missing");
    return name;
  }

  std::string value() {
    if (at('"') || at('\'')) return string();
    if (at('[')) fail("an array in an array is not understood");
    std::string word = take_while([](char c) { return is_of_key(c) || c == '.' || c == '+'; });
    if (word == "true" || word == "false") return word;
    std::string number;
    for (std::size_t i = 0; i < word.size(); ++i) {
      const bool joins = word[i] == '_' && i > 0 && i + 1 < word.size() && is_digit(word[i - 1]) && is_digit(word[i + 1]);
      if (!joins) number.push_back(word[i]);
    }
    if (!is_number(number)) fail("a value is a text in quotes, a number, true or false");
    return number;
  }

  std::string string() {
    const char quote = take();
    if (m_text.starts_with(std::string(2, quote))) fail("strings of several lines are not understood");
    std::string text;
    while (!at(quote)) {
      if (m_text.empty() || at('\n')) {
        fail("the quote is not closed");
        return {};
      }
      const char c = take();
      if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F) fail("a control character in a string");
      if (c == '\\' && quote == '"')
        escape(text);
      else
        text.push_back(c);
    }
    take();
    return text;
  }

  void escape(std::string& text) {
    constexpr std::string_view k_letters = "btnfr\"\\";
    constexpr std::string_view k_meanings = "\b\t\n\f\r\"\\";
    const char letter = m_text.empty() ? '\0' : take();
    if (const auto i = k_letters.find(letter); i != std::string_view::npos) {
      text.push_back(k_meanings[i]);
      return;
    }
    const std::size_t digits = letter == 'u' ? 4 : letter == 'U' ? 8 : 0;
    std::uint32_t code = 0;
    std::size_t read = 0;
    for (; read < digits && !m_text.empty() && std::isxdigit(static_cast<unsigned char>(m_text.front())) != 0; ++read) {
      const char c = take();
      code = code * 16 + static_cast<std::uint32_t>(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    const bool is_character = code > 0 && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    if (digits == 0 || read < digits || !is_character) return fail("an escape in a string is not understood");
    append_utf8(text, code);
  }

  [[nodiscard]] bool at(char c) const { return m_error.empty() && m_text.starts_with(c); }
  [[nodiscard]] bool at_end_of_line() const {
    return m_text.empty() || m_text.starts_with('\n') || m_text.starts_with("\r\n") || m_text.starts_with('#');
  }
  char take() {
    if (m_text.empty()) return '\0';
    const char c = m_text.front();
    m_text.remove_prefix(1);
    if (c == '\n') ++m_line;
    return c;
  }
  template <class Is>
  std::string take_while(Is is) {
    std::string taken;
    while (!m_text.empty() && is(m_text.front())) taken.push_back(take());
    return taken;
  }
  void skip_blanks() {
    while (m_text.starts_with(' ') || m_text.starts_with('\t')) take();
  }
  void skip_comment() {
    if (!m_text.starts_with('#')) return;
    while (!m_text.empty() && !m_text.starts_with('\n')) take();
  }
  /// Blanks, comments and line ends, as between the values of an array.
  void skip_lines() {
    for (;;) {
      skip_blanks();
      skip_comment();
      if (m_text.starts_with("\r\n")) take();
      if (!m_text.starts_with('\n')) return;
      take();
    }
  }
  void end_line() {
    if (!m_error.empty()) return;
    skip_blanks();
    if (!at_end_of_line()) return fail("more stands behind what is the end of the line");
    skip_comment();
    if (m_text.starts_with('\r')) take();
    take();
  }
  void fail(std::string what) {
    if (m_error.empty()) m_error = fmt::format("line {}: {}", m_line, what);
    m_text = {};
  }

  std::string_view m_text;
  int m_line = 1;
  std::string m_error;
  std::string m_section;
  ConfigText m_result;
  std::set<std::string> m_sections;
  std::set<std::pair<std::string, std::string>> m_keys;
};

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row;
  for (std::size_t k = 0; k <= b.size(); ++k) row.push_back(k);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = i;
    row.front() = i + 1;
    for (std::size_t k = 0; k < b.size(); ++k) {
      const std::size_t replaced = diagonal + (a[i] == b[k] ? 0 : 1);
      diagonal = row[k + 1];
      row[k + 1] = std::min({replaced, row[k] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

Outcome<ConfigText> parse_config(std::string_view text) { return Reader(text).read(); }

Outcome<ConfigText> read_config(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_error("open config", path);
  std::string text(k_most_bytes + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t n = ::read(*fd, text.data() + size, text.size() - size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read config", path);
    if (n == 0) break;
    size += static_cast<std::size_t>(n);
  }
  if (size > k_most_bytes) return failure(ErrorKind::invalid, EFBIG, "read config", path);
  return parse_config(std::string_view(text).substr(0, size));
}

std::string toml_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += fmt::format("\\{}", c);
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      quoted += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
    } else {
      quoted.push_back(c);
    }
  }
  return quoted + '"';
}

std::string nearest(std::string_view word, const std::vector<std::string>& words) {
  const auto found = std::min_element(words.begin(), words.end(), [word](const auto& a, const auto& b) {
    return distance(word, a) < distance(word, b);
  });
  return found == words.end() ? std::string() : *found;
}

}  // namespace lhsm::cli
