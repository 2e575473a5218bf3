// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <fcntl.h>

#include <cstdint>
#include <string>

#include "client/mount.hpp"
#include "lhsmtool_mpi/lustre/abi.hpp"

/// As lustreapi.h declares it; lsp_stripe_count OSTs follow when lsp_is_specific.
struct llapi_stripe_param {
  unsigned long long lsp_stripe_size;
  char* lsp_pool;
  int lsp_stripe_offset;
  int lsp_stripe_pattern;
  int lsp_stripe_count;
  bool lsp_is_specific;
  bool lsp_is_create;
  std::uint8_t lsp_max_inherit;
  std::uint8_t lsp_max_inherit_rr;
};

namespace lhsm::emulator {

/// Return whether open(2)'s flags ask for a file without a layout, as Lustre 2.15 and 2.16 say it or as
/// 2.17 does.
[[nodiscard]] constexpr bool delays_layout(int flags) {
  constexpr int short_form = O_NOCTTY | O_ASYNC;
  return (flags & abi::O_LOV_DELAY_CREATE) == abi::O_LOV_DELAY_CREATE || (flags & short_form) == short_form;
}

/// Return the bytes of the layout that the parameters describe, after liblustreapi's own checks, which
/// print what is wrong. EINVAL.
Outcome<std::string> striping_of(const llapi_stripe_param& param, const Mount& mount);

}  // namespace lhsm::emulator
