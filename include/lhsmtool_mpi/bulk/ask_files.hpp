// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "lhsmtool_mpi/comm/ask_messages.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"

namespace lhsm::bulk {

/// Look at files, and ask the coordinator for what they need: what a rank does with an AskFiles. Their state is looked at
/// first, as one bad file ends a list with what stands before it recorded (facts 3.2). Return an answer for each, in
/// their order. By any thread.
[[nodiscard]] comm::FilesAsked ask_for_files(lustre::Client& client, const comm::AskFiles& wanted);

/// Open a file to look at its state; a released one, too, without restoring it.
[[nodiscard]] Outcome<Fd> open_to_look(lustre::Client& client, const Fid& fid);

}  // namespace lhsm::bulk
