// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The command line of lhsmtool_posix (facts 6.1), read the way it reads its own: getopt_long, so that
// abbreviations and orders that it takes are taken here.
#pragma once

#include <string>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/cli/serve.hpp"

namespace lhsm::cli {

enum class PosixMode { serve, import, rebind, max_sequence, archive_upgrade, help };

struct PosixCommand {
  PosixMode mode = PosixMode::serve;
  ServeOptions serve;       ///< mount, archive, dry_run, abort_on_error: for the other modes too
  bool daemonize = false;
  std::string config_path;  ///< empty: none
  std::string source;       ///< of import and rebind
  std::string destination;  ///< empty: `source` of a rebind is a list
};

/// Read the options. Throws UsageError, whose text says what is wrong.
[[nodiscard]] PosixCommand parse_posix_options(int argc, char** argv);

/// Read a size as lhsmtool_posix does: a number (any base of C) with an optional fraction and one of b
/// (512 bytes), c (1 byte), k, m, g, t, p, e; a bare one counts MiB. Nothing when it is none, or does
/// not fit.
[[nodiscard]] Outcome<std::uint64_t> parse_posix_size(const std::string& text);

/// Let the mapping in the YAML file `path` override `archive_format` and `archive_path`. EINVAL: no YAML,
/// or no such format.
[[nodiscard]] Status read_posix_config(const std::string& path, archive::PosixOptions& options);

/// Nothing when it is neither v1 nor v2.
[[nodiscard]] Outcome<archive::TreeFormat> parse_tree_format(const std::string& text);

[[nodiscard]] std::string posix_usage(const std::string& program);

}  // namespace lhsm::cli
