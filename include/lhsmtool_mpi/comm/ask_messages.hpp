// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How a job (part `bulk`) lets ranks ask the coordinator for actions; message.hpp says who sends them.
#pragma once

#include <cstdint>
#include <vector>

#include "lhsmtool_mpi/base/action_item.hpp"
#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fid.hpp"

namespace lhsm::comm {

struct FileToAsk {
  Fid fid;
  bool is_searched = false;  ///< look first whether the coordinator has a request for it
};

/// Look at the files, which are one MDT's and no more than a request may have, and ask for what is needed.
struct AskFiles {
  std::uint64_t id = 0;  ///< the dispatcher's name for the answer
  ActionKind kind = ActionKind::none;
  std::vector<std::uint32_t> archives;  ///< that the job is about; empty: all
  std::vector<FileToAsk> files;
};

enum class AskAnswer : std::uint8_t {
  asked,    ///< the coordinator has a request
  already,  ///< there is nothing to ask for
  refused,  ///< it cannot be, for the reason in `error`
  failed,   ///< with `error`
  not_now,  ///< the coordinator does not run
};

struct FileAsked {
  AskAnswer answer = AskAnswer::failed;
  Error error;
};

struct FilesAsked {
  std::uint64_t id = 0;
  std::vector<FileAsked> files;  ///< in the order of the AskFiles
};

}  // namespace lhsm::comm
