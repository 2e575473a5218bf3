// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lhsmtool_mpi/archive/backend.hpp"
#include "making_table.hpp"
#include "object_place.hpp"

namespace lhsm::archive {

/// A file that is kept beside the object and belongs to one version of it.
struct Companion {
  std::string_view suffix;
  bool fresh = false;    ///< the new version has one; otherwise that of the old version goes
  bool of_predecessor_only = false;  ///< one that is left over from nobody does no harm
  bool kept = false;     ///< the old version's has its second name
  bool changed = false;  ///< the final name was given to the new one, or taken away
};

/// Replaces an object in steps; whatever step the process dies at, the final name is that of a complete
/// object, the old or the new one. Companions go before the object, so that an object that was not
/// there before appears with them.
class PosixPublication final : public Publication {
 public:
  /// `object` is the open new object, `old_name` the name under which the predecessor is kept.
  PosixPublication(std::shared_ptr<const ObjectPlace> place, Fd object, std::string old_name,
                   std::vector<Companion> companions, std::shared_ptr<Making> record);
  ~PosixPublication() override;
  PosixPublication(const PosixPublication&) = delete;
  PosixPublication& operator=(const PosixPublication&) = delete;

  /// Give `making` and its companions their final names. After an error nothing is changed once this
  /// is dropped.
  [[nodiscard]] Status replace(const std::string& making);

  [[nodiscard]] Status commit() override;
  [[nodiscard]] Status roll_back() override;

 private:
  [[nodiscard]] std::string name(const Companion& companion) const;
  [[nodiscard]] std::string old_name(const Companion& companion) const;
  [[nodiscard]] Status keep_predecessor();

  std::shared_ptr<const ObjectPlace> m_place;
  std::shared_ptr<Making> m_record;
  Fd m_object;
  std::string m_old_name;
  std::string m_making;
  std::vector<Companion> m_companions;
  bool m_kept = false;
  bool m_in_place = false;
  bool m_finished = false;
};

}  // namespace lhsm::archive
