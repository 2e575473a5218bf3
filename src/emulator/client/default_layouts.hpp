// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "client/mount.hpp"

namespace lhsm::emulator {

/// Write down the layout that a directory gives, "" for none, after all that has the present one
/// without saying so was given it: what lies in the directory; below the root, the whole tree.
Status change_directory_layout(const Mount& mount, int fd, const std::string& relative, const std::string& bytes);

}  // namespace lhsm::emulator
