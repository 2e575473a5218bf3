// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/judge.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

namespace lhsm::bulk {

using store::ItemAction;

bool is_elsewhere(const lustre::HsmState& state, const std::vector<std::uint32_t>& archives) {
  return !archives.empty() && state.archive_id != 0 && std::find(archives.begin(), archives.end(), state.archive_id) == archives.end();
}

Verdict judge(ItemAction action, const lustre::HsmState& state, const std::vector<std::uint32_t>& archives) {
  const auto has = [&state](std::uint32_t bits) { return (state.states & bits) != 0; };
  const bool is_elsewhere = bulk::is_elsewhere(state, archives);
  switch (action) {
    case ItemAction::archive:
      // Who asks for an archive by name wants the copy to be there.
      if (has(abi::HS_EXISTS | abi::HS_ARCHIVED) && is_elsewhere) return Verdict::refused;
      if (has(abi::HS_ARCHIVED) && !has(abi::HS_DIRTY)) return Verdict::already;
      if (has(abi::HS_NOARCHIVE | abi::HS_RELEASED)) return Verdict::refused;
      return Verdict::ask;
    case ItemAction::restore:
      if (!has(abi::HS_RELEASED)) return Verdict::already;
      return has(abi::HS_LOST | abi::HS_DIRTY) || !has(abi::HS_ARCHIVED) || is_elsewhere ? Verdict::refused : Verdict::ask;
    case ItemAction::release:
      if (has(abi::HS_RELEASED)) return Verdict::already;
      return !has(abi::HS_ARCHIVED) || has(abi::HS_DIRTY | abi::HS_NORELEASE | abi::HS_LOST) ? Verdict::refused
                                                                                                : Verdict::ask;
    case ItemAction::remove:
      if (!has(abi::HS_ARCHIVED | abi::HS_EXISTS)) return Verdict::already;
      return has(abi::HS_RELEASED) || is_elsewhere ? Verdict::refused : Verdict::ask;
    case ItemAction::import: return Verdict::ask;
    case ItemAction::none: break;
  }
  assert(false && "no action");
  return Verdict::refused;
}

std::string_view why_refused(ItemAction action, const lustre::HsmState& state) {
  const auto has = [&state](std::uint32_t bits) { return (state.states & bits) != 0; };
  constexpr std::string_view k_elsewhere = "its copy is in an archive that -A does not name";
  if (action == ItemAction::archive) {
    if (has(abi::HS_NOARCHIVE)) return "marked noarchive";
    return has(abi::HS_RELEASED) && !(has(abi::HS_ARCHIVED) && !has(abi::HS_DIRTY)) ? "released without a good copy" : k_elsewhere;
  }
  if (action == ItemAction::remove) return has(abi::HS_RELEASED) ? "released: the object is its only copy" : k_elsewhere;
  if (has(abi::HS_LOST)) return "marked lost";
  if (!has(abi::HS_ARCHIVED))
    return action == ItemAction::restore ? "released without a copy in the archive" : "not archived";
  if (has(abi::HS_DIRTY)) return "changed since it was archived";
  return action == ItemAction::restore ? k_elsewhere : "marked norelease";
}

Error refusal(const Fid& fid, std::string_view reason) {
  return {ErrorKind::denied, EPERM, std::string(reason), fid.bracketed()};
}

std::uint32_t states_after(ItemAction action, store::ItemResult result, std::uint32_t states) {
  if (result != store::ItemResult::done && result != store::ItemResult::already) return states;
  switch (action) {
    case ItemAction::archive: return (states | abi::HS_EXISTS | abi::HS_ARCHIVED) & ~std::uint32_t{abi::HS_DIRTY};
    case ItemAction::restore:
      if (result == store::ItemResult::done) states |= abi::HS_EXISTS | abi::HS_ARCHIVED;
      return states & ~std::uint32_t{abi::HS_RELEASED};
    case ItemAction::release: return states | abi::HS_EXISTS | abi::HS_ARCHIVED | abi::HS_RELEASED;
    case ItemAction::remove:
      return states & ~std::uint32_t{abi::HS_EXISTS | abi::HS_ARCHIVED | abi::HS_DIRTY | abi::HS_LOST};
    case ItemAction::import: return states;  // those of the file that it was archived from
    case ItemAction::none: break;
  }
  return states;
}

std::string state_words(std::uint32_t states) {
  constexpr std::array<std::pair<std::uint32_t, std::string_view>, 7> k_words{{{abi::HS_RELEASED, "released"},
                                                                               {abi::HS_EXISTS, "exists"},
                                                                               {abi::HS_DIRTY, "dirty"},
                                                                               {abi::HS_ARCHIVED, "archived"},
                                                                               {abi::HS_NORELEASE, "norelease"},
                                                                               {abi::HS_NOARCHIVE, "noarchive"},
                                                                               {abi::HS_LOST, "lost"}}};
  std::string text;
  for (const auto& [bit, word] : k_words)
    if ((states & bit) != 0) text += (text.empty() ? "" : " ") + std::string(word);
  return text.empty() ? "none" : text;
}

ItemAction item_action_of(ActionKind kind) {
  switch (kind) {
    case ActionKind::archive: return ItemAction::archive;
    case ActionKind::restore: return ItemAction::restore;
    case ActionKind::remove: return ItemAction::remove;
    default: return ItemAction::none;
  }
}

ActionKind kind_of(ItemAction action) {
  switch (action) {
    case ItemAction::archive: return ActionKind::archive;
    case ItemAction::restore: return ActionKind::restore;
    case ItemAction::remove: return ActionKind::remove;
    default: return ActionKind::none;
  }
}

abi::hsm_user_action request_of(ItemAction action) {
  switch (action) {
    case ItemAction::archive: return abi::HUA_ARCHIVE;
    case ItemAction::restore: return abi::HUA_RESTORE;
    case ItemAction::release: return abi::HUA_RELEASE;
    case ItemAction::remove: return abi::HUA_REMOVE;
    case ItemAction::import:
    case ItemAction::none: break;
  }
  assert(false && "no request");
  return abi::HUA_NONE;
}

}  // namespace lhsm::bulk
