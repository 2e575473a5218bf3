// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The messages of a check (part `check`); message.hpp says who sends them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lhsm::comm {

struct ClockAsked {
  std::uint64_t id = 0;
};

struct ClockTold {
  std::uint64_t id = 0;
  std::int64_t ns = 0;  ///< since the epoch
};

struct CheckAsked {
  bool makes_probe = false;       ///< make the file in the archive that all ranks look for, and nothing else
  bool speaks_for_run = false;    ///< look at what is the same for all ranks
  bool speaks_for_host = false;   ///< look at what is the same for the ranks of a host
  std::string probe;              ///< name of that file; empty: there is none
};

enum class CheckVerdict : std::uint8_t { ok, warn, fail };

struct CheckFinding {
  CheckVerdict verdict = CheckVerdict::ok;
  std::string subject;  ///< check::k_subjects
  std::string text;     ///< the same on all ranks where the same was found
  std::string remedy;   ///< may be empty
};

/// Something that a rank sees, to be compared or judged by the dispatcher.
struct CheckFact {
  std::string name;
  std::string value;
};

struct CheckFound {
  std::vector<CheckFinding> findings;
  std::vector<CheckFact> facts;
  std::string next;  ///< what the rank looks at now; empty: that was all
};

}  // namespace lhsm::comm
