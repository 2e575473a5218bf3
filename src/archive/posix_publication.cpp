// SPDX-License-Identifier: LGPL-2.1-or-later
#include "posix_publication.hpp"

#include <tuple>

namespace lhsm::archive {

PosixPublication::PosixPublication(std::shared_ptr<const ObjectPlace> place, Fd object, std::string old_name,
                                   std::vector<Companion> companions, std::shared_ptr<Making> record)
    : m_place(std::move(place)),
      m_record(std::move(record)),
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
  m_making = making;
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
  LHSM_TRY_ASSIGN(const auto predecessor, m_place->identity(m_place->name()));
  if (!predecessor) return {};
  // The object last: once it has its second name, it is seen that all companions have theirs (leftovers.cpp).
  for (Companion& companion : m_companions) {
    LHSM_TRY_ASSIGN(companion.kept, m_place->link(name(companion), old_name(companion)));
  }
  LHSM_TRY_ASSIGN(m_kept, m_place->link(m_place->name(), m_old_name));
  return {};
}

Status PosixPublication::commit() {
  m_finished = true;
  Status first;
  const auto drop = [&](const std::string& entry) {
    if (const auto dropped = m_place->unlink(entry); !dropped && first) first = Failure(dropped.error());
  };
  // The object last: while it has its second name, it is seen that the new one is to stay (leftovers.cpp).
  for (const Companion& companion : m_companions)
    if (companion.kept) drop(old_name(companion));
  if (m_kept) drop(m_old_name);
  if (!first) m_record->keep();
  return first;
}

Status PosixPublication::roll_back() {
  m_finished = true;
  // Somebody may have published a later version meanwhile: that one stays.
  const bool superseded = m_in_place && !m_place->names(m_place->name(), m_object);
  m_object.reset();
  Status first;
  bool any = false;
  const auto note = [&](Status status) {
    any = true;
    if (!status && first) first = std::move(status);
  };
  const auto back = [&](std::string_view suffix, bool kept, bool changed) {
    const std::string name = m_place->name() + std::string(suffix);
    if (!changed || superseded) return;
    note(kept ? m_place->put_back(m_old_name + std::string(suffix), m_making + std::string(suffix), name)
              : m_place->unlink(name).map([](bool) {}));
  };
  back("", m_kept, m_in_place);
  for (const Companion& companion : m_companions) back(companion.suffix, companion.kept, companion.changed);
  // All second names stay until everything is back, and that of the object goes first: so it is seen how far
  // this came (leftovers.cpp). Where nothing comes back it goes last.
  const auto drop = [&](const std::string& old) { note(m_place->unlink(old).map([](bool) {})); };
  if (first && m_kept && !superseded) drop(m_old_name);
  for (const Companion& companion : m_companions)
    if (first && companion.kept) drop(old_name(companion));
  if (first && m_kept && superseded) drop(m_old_name);
  if (!first) m_record->keep();
  if (!any) return first;
  Status synced = m_place->sync();
  return first ? synced : first;
}

}  // namespace lhsm::archive
