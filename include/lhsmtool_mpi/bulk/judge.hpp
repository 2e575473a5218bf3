// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lhsmtool_mpi/base/action_item.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"
#include "lhsmtool_mpi/store/item.hpp"

namespace lhsm::bulk {

enum class Verdict : std::uint8_t {
  ask,      ///< there is something to do
  already,  ///< it is as it should be
  refused,  ///< the coordinator, or for a release the MDT, would refuse it (EPERM)
};

/// Whether the ranks of a job carry it out themselves, without the coordinator (rank_job.hpp).
[[nodiscard]] constexpr bool is_done_by_ranks(store::ItemAction action) {
  return action == store::ItemAction::release || action == store::ItemAction::import;
}

/// Return what a request of `action` would meet in a file of that state (facts 3.2, 1.3). To ask for what is not
/// needed costs a request and is answered by nobody, and one refusal ends a whole list; so this is looked at
/// first. An import is always to be done: what it meets is in another file system. `archives` are those that the job is about; empty: all. A copy in another one is none of the job's business: who
/// serves these would not find it, or find another one.
[[nodiscard]] Verdict judge(store::ItemAction action, const lustre::HsmState& state,
                            const std::vector<std::uint32_t>& archives);

/// Return whether the file has, or had, its copy in none of `archives`; empty: all.
[[nodiscard]] bool is_elsewhere(const lustre::HsmState& state, const std::vector<std::uint32_t>& archives);

/// Return why judge() says `refused`, for people.
[[nodiscard]] std::string_view why_refused(store::ItemAction action, const lustre::HsmState& state);
/// Return the error of a file that is refused: `reason` in place of the operation.
[[nodiscard]] Error refusal(const Fid& fid, std::string_view reason);

/// Return the state bits of a file that had `states` and for which an item of `action` ended in `result`, as far as
/// nobody else changed them.
[[nodiscard]] std::uint32_t states_after(store::ItemAction action, store::ItemResult result, std::uint32_t states);

/// Return the state bits as words: "released exists archived"; "none".
[[nodiscard]] std::string state_words(std::uint32_t states);

/// Return what a job asks for when a copytool is to carry out such an action; none: no job does.
[[nodiscard]] store::ItemAction item_action_of(ActionKind kind);
/// Return the action that a copytool gets of it; none: no copytool has a part in it.
[[nodiscard]] ActionKind kind_of(store::ItemAction action);

/// Return the request (HUA_*) of an action, which must not be `none`.
[[nodiscard]] abi::hsm_user_action request_of(store::ItemAction action);

}  // namespace lhsm::bulk
