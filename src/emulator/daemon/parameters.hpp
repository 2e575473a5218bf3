// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/coordinator.hpp"

namespace lhsm::emulator {

/// The tree of names behind `lctl get_param` and `set_param`: mdt.<fsname>-MDT<index>.hsm.*, hsm_control.
class Parameters {
 public:
  Parameters(std::string fsname, std::vector<std::unique_ptr<Coordinator>>& mdts)
      : m_fsname(std::move(fsname)), m_mdts(mdts) {}

  /// Return name and text of all parameters that match the glob.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> get(const std::string& pattern) const;

  /// Set all that match; the first error ends it. Names that were set are added to `done`.
  int set(const std::string& pattern, std::string_view value, TimePoint now, std::vector<std::string>& done);

 private:
  [[nodiscard]] std::string prefix(std::size_t mdt) const;
  [[nodiscard]] static std::string text_of(const Coordinator& mdt, std::string_view name);
  static int set_one(Coordinator& mdt, std::string_view name, std::string_view value, TimePoint now);

  std::string m_fsname;
  std::vector<std::unique_ptr<Coordinator>>& m_mdts;
};

}  // namespace lhsm::emulator
