// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "lhsmtool_mpi/archive/beneath.hpp"

namespace lhsm::archive {

/// Return the text of the link at shadow/`path` to `object`: "../" for each level, then the object.
[[nodiscard]] std::string shadow_target(const std::string& path, const std::string& object);

/// Make the link shadow/`path` to the object; one that leads elsewhere is replaced at once. What is no
/// link is left alone (EEXIST). `unique` names the link in the making. Not durable by itself.
[[nodiscard]] Status note_in_shadow(const Beneath& tree, const std::string& path, const std::string& object,
                                    const std::string& unique);

}  // namespace lhsm::archive
