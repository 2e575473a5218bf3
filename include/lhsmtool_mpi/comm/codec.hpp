// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Messages as bytes. A frame is
//   magic u32 | protocol version u32 | payload bytes u64 | XXH3-64 of the payload u64 | payload
// in the machine's byte order (one job runs on one kind of machine); the payload is a
// Boost.Serialization binary archive of the variant's index and members. The frame is checked before
// the payload is looked at, and every length inside it is bounded by what is there.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/comm/message.hpp"

namespace lhsm::comm {

using Bytes = std::vector<std::byte>;

/// No message is longer; a longer frame is refused before it is read.
inline constexpr std::size_t k_max_message_bytes = std::size_t{64} << 20;

[[nodiscard]] Bytes encode(const Message& message);

/// Return the message in `frame`. Bytes that are none give an error, kind `corrupt`, EBADMSG; a frame
/// of another protocol version is `unsupported`, EPROTONOSUPPORT. Never throws on bad bytes.
[[nodiscard]] Outcome<Message> decode(std::span<const std::byte> frame);

}  // namespace lhsm::comm
