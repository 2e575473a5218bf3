// SPDX-License-Identifier: LGPL-2.1-or-later
#include "names.hpp"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>

namespace lhsm::archive {

namespace {

bool is_unique_part(std::string_view text) {
  const auto dash = text.find('-');
  const auto is_hex = [](std::string_view digits) {
    return !digits.empty() && digits.size() <= 16 &&
           digits.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  };
  return dash != std::string_view::npos && is_hex(text.substr(0, dash)) && is_hex(text.substr(dash + 1));
}

}  // namespace

std::string object_directory(TreeFormat format, const Fid& fid) {
  if (format == TreeFormat::v2) return fmt::format("{:04x}", (fid.oid ^ fid.seq) & 0xffffU);
  return fmt::format("{:04x}/{:04x}/{:04x}/{:04x}/{:04x}/{:04x}", fid.oid & 0xffffU, fid.oid >> 16U & 0xffffU,
                     fid.seq & 0xffffU, fid.seq >> 16U & 0xffffU, fid.seq >> 32U & 0xffffU, fid.seq >> 48U & 0xffffU);
}

std::string object_path(TreeFormat format, const Fid& fid) { return object_directory(format, fid) + '/' + fid.str(); }

bool is_making_name(const Fid& fid, std::string_view token) {
  const std::string begin = fid.str().append(k_making_infix);
  return token.starts_with(begin) && is_unique_part(token.substr(begin.size()));
}

bool is_plain_path(std::string_view path) {
  if (path.empty() || path.find('\0') != std::string_view::npos) return false;
  for (std::size_t from = 0; from <= path.size();) {
    const std::size_t slash = std::min(path.find('/', from), path.size());
    const auto name = path.substr(from, slash - from);
    if (name.empty() || name == "." || name == "..") return false;
    from = slash + 1;
  }
  return true;
}

UniqueNames::UniqueNames() : m_process(0) {
  // As few as 8 bytes come whole, whatever signals do.
  if (::getrandom(&m_process, sizeof m_process, 0) != sizeof m_process)
    throw Fatal("getrandom: no random numbers for names of temporary files");
}

std::string UniqueNames::name(std::uint64_t number) const { return fmt::format("{}-{:x}", process(), number); }

std::string UniqueNames::process() const { return fmt::format("{:016x}", m_process); }

}  // namespace lhsm::archive
