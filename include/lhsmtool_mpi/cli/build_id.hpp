// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

namespace lhsm::cli {

/// Return what tells this build from any other: the version and the linker's build id of the running
/// executable, as hex digits.
[[nodiscard]] std::string build_identity();

/// Return the text of --version: version, build options, libraries.
[[nodiscard]] std::string version_text();

}  // namespace lhsm::cli
