// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ticket.hpp"

#include <fmt/format.h>

#include <charconv>
#include <system_error>

namespace lhsm::archive {

std::string ticket_text(const Ticket& ticket) { return fmt::format("{} {}", ticket.name, ticket.inode); }

std::optional<Ticket> parse_ticket(std::string_view text) {
  const auto blank = text.find(' ');
  if (blank == 0 || blank == std::string_view::npos) return std::nullopt;
  Ticket ticket{std::string(text.substr(0, blank)), 0};
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data() + blank + 1, end, ticket.inode);
  if (error != std::errc{} || at != end) return std::nullopt;
  return ticket;
}

}  // namespace lhsm::archive
