// SPDX-License-Identifier: LGPL-2.1-or-later
#include "posix_publication.hpp"

#include <tuple>

namespace lhsm::archive {

PosixPublication::PosixPublication(std::shared_ptr<const ObjectPlace> place, Fd object, std::string old_name,
                                   std::vector<Companion> companions)
    : m_place(std::move(place)),
      m_object(std::move(object)),
      m_old_name(std::move(old_name)),
      m_companions(std::move(companions)) {}

PosixPublication::~PosixPublication() {
  if (!m_finished) std::ignore = roll_back();  // nobody is left to hear of it
}

std::string PosixPublication::name(const Companion& companion) const {
  return m_place->name() + std::string(companion.suffix);
}

std::string PosixPublication::old_name(const Companion& companion) const {
  return m_old_name + std::string(companion.suffix);
}

Status PosixPublication::replace(const std::string& making) {
  LHSM_TRY(keep_predecessor());
  for (Companion& companion : m_companions) {
    if (companion.fresh) {
      LHSM_TRY(m_place->rename(making + std::string(companion.suffix), name(companion)));
      companion.changed = true;
    } else if (m_kept || !companion.of_predecessor_only) {
      // Also without a predecessor: one that was left over must not be taken for the new object's.
      LHSM_TRY_ASSIGN(companion.changed, m_place->unlink(name(companion)));
    }
  }
  LHSM_TRY(m_place->rename(making, m_place->name()));
  m_in_place = true;
  return m_place->sync();
}

Status PosixPublication::keep_predecessor() {
  LHSM_TRY_ASSIGN(m_kept, m_place->link(m_place->name(), m_old_name));
  if (!m_kept) return {};
  for (Companion& companion : m_companions) {
    LHSM_TRY_ASSIGN(companion.kept, m_place->link(name(companion), old_name(companion)));
  }
  return {};
}

Status PosixPublication::commit() {
  m_finished = true;
  Status first;
  const auto drop = [&](const std::string& entry) {
    if (const auto dropped = m_place->unlink(entry); !dropped && first) first = Failure(dropped.error());
  };
  if (m_kept) drop(m_old_name);
  for (const Companion& companion : m_companions)
    if (companion.kept) drop(old_name(companion));
  return first;
}

Status PosixPublication::roll_back() {
  m_finished = true;
  // Somebody may have published a later version meanwhile: that one stays.
  const bool superseded = m_in_place && !m_place->names(m_place->name(), m_object);
  m_object.reset();
  Status first;
  bool any = false;
  const auto back = [&](const std::string& name, const std::string& old, bool kept, bool changed) {
    any = any || kept || changed;
    if (Status status = take_back(name, old, kept, changed && !superseded); !status && first) first = std::move(status);
  };
  back(m_place->name(), m_old_name, m_kept, m_in_place);
  for (const Companion& companion : m_companions)
    back(name(companion), old_name(companion), companion.kept, companion.changed);
  if (!any) return first;
  Status synced = m_place->sync();
  return first ? synced : first;
}

Status PosixPublication::take_back(const std::string& name, const std::string& old_name, bool kept, bool changed) {
  if (kept && changed) return m_place->rename(old_name, name);
  if (kept || changed) LHSM_TRY(m_place->unlink(kept ? old_name : name));
  return {};
}

}  // namespace lhsm::archive
