// SPDX-License-Identifier: LGPL-2.1-or-later
#include "making_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace lhsm::archive {

namespace {

constexpr std::string_view k_magic = "lhsmtool_mpi making 1";

/// Cut the text before `mark` off `text`, and the mark.
std::string_view cut(std::string_view& text, char mark) {
  const auto end = std::min(text.find(mark), text.size());
  const auto part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

template <class T>
std::optional<T> number_of(std::string_view text, int base) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string padded(std::string text, std::size_t size) {
  text.resize(size, '\0');
  return text;
}

}  // namespace

std::string record_text(const MakingRecord& record) {
  return padded(fmt::format("{} {} {:x}\n", record.format == TreeFormat::v1 ? "v1" : "v2", record.fid.str(), record.number),
                k_record_bytes);
}

std::optional<MakingRecord> parse_record(std::string_view bytes) {
  std::string_view rest = bytes.substr(0, k_record_bytes);
  const auto end = rest.find('\n');
  if (end == std::string_view::npos || rest.find_first_not_of('\0', end + 1) != std::string_view::npos)
    return std::nullopt;
  rest = rest.substr(0, end);
  MakingRecord record;
  const auto format = cut(rest, ' ');
  if (format != "v1" && format != "v2") return std::nullopt;
  record.format = format == "v1" ? TreeFormat::v1 : TreeFormat::v2;
  const auto fid = Fid::parse(cut(rest, ' '));
  const auto number = number_of<std::uint64_t>(rest, 16);
  if (!fid || !number) return std::nullopt;
  record.fid = *fid;
  record.number = *number;
  return record;
}

std::optional<std::string> process_of_table(std::string_view name) {
  const auto process = cut(name, '.');
  if (process.size() != 16 || process.find_first_not_of("0123456789abcdef") != std::string_view::npos)
    return std::nullopt;
  if (!number_of<std::uint32_t>(name, 10)) return std::nullopt;
  return std::string(process);
}

std::string header_text(std::string_view owner) {
  return padded(fmt::format("{}\n{}\n{}\n{}\n", k_magic, ProcessIdentity::self().text(), host_name(), owner),
                k_table_header_bytes);
}

std::optional<TableHeader> parse_header(std::string_view bytes) {
  std::string_view rest = bytes.substr(0, k_table_header_bytes);
  if (cut(rest, '\n') != k_magic) return std::nullopt;
  const auto process = ProcessIdentity::parse(cut(rest, '\n'));
  if (!process) return std::nullopt;
  cut(rest, '\n');  // the host, for people
  const auto owner = rest.substr(0, rest.find('\0'));
  return TableHeader{*process, std::string(owner.ends_with('\n') ? owner.substr(0, owner.size() - 1) : "")};
}

}  // namespace lhsm::archive
