// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What names one object in the making beyond the life of its process: its name and its inode, which it keeps when
// another process takes it over. As text: "<fid>_tmp.<unique> <inode>".
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace lhsm::archive {

struct Ticket {
  std::string name;
  ino_t inode = 0;
};

[[nodiscard]] std::string ticket_text(const Ticket& ticket);
/// Nothing for what is no such text. Whether the name is one of an object in the making is not looked at.
[[nodiscard]] std::optional<Ticket> parse_ticket(std::string_view text);

}  // namespace lhsm::archive
