// SPDX-License-Identifier: LGPL-2.1-or-later
#include <getopt.h>
#include <grp.h>
#include <pwd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "tools/lfs_commands.hpp"

extern "C" int llapi_quotactl(const char* path, lhsm::abi::if_quotactl* query);

namespace lhsm::emulator {
namespace {

constexpr std::uint32_t k_no_kind = 255;

std::optional<std::uint32_t> id_of(char letter, const char* text) {
  char* end = nullptr;
  const auto number = std::strtoull(text, &end, 10);
  if (end != text && *end == '\0' && number < 0xffffffffULL) return static_cast<std::uint32_t>(number);
  if (letter == 'u')
    if (const passwd* const user = ::getpwnam(text)) return user->pw_uid;
  if (letter == 'g')
    if (const group* const found = ::getgrnam(text)) return found->gr_gid;
  return std::nullopt;
}

}  // namespace

int lfs_setquota(int argc, char** argv) {
  abi::if_quotactl query{};
  query.qc_cmd = abi::LUSTRE_Q_SETQUOTA;
  query.qc_type = k_no_kind;
  for (int letter = 0; (letter = ::getopt(argc, argv, "u:g:p:b:B:i:I:")) != -1;) {
    const std::string_view kinds = "ugp";
    if (const auto kind = kinds.find(static_cast<char>(letter)); kind != std::string_view::npos) {
      const auto id = id_of(static_cast<char>(letter), ::optarg);
      if (query.qc_type != k_no_kind || !id) {
        std::fprintf(stderr, "lfs setquota: %s\n", id ? "-u/-g/-p cannot be used more than once" : "unknown id");
        return k_show_help;
      }
      query.qc_type = static_cast<std::uint32_t>(kind);
      query.qc_id = *id;
      continue;
    }
    if (letter == '?') return k_show_help;
    const bool is_bytes = letter == 'b' || letter == 'B';
    unsigned long long limit = 0;
    unsigned long long units = is_bytes ? 1024 : 1;
    if (llapi_parse_size(::optarg, &limit, &units, 1) != 0) {
      std::fprintf(stderr, "lfs setquota: invalid limit '%s'\n", ::optarg);
      return k_show_help;
    }
    query.qc_dqblk.dqb_valid |= is_bytes ? abi::QIF_BLIMITS : abi::QIF_ILIMITS;
    if (letter == 'b') query.qc_dqblk.dqb_bsoftlimit = limit / 1024;
    if (letter == 'B') query.qc_dqblk.dqb_bhardlimit = limit / 1024;
    if (letter == 'i') query.qc_dqblk.dqb_isoftlimit = limit;
    if (letter == 'I') query.qc_dqblk.dqb_ihardlimit = limit;
  }
  if (query.qc_type == k_no_kind || query.qc_dqblk.dqb_valid == 0 || ::optind != argc - 1) return k_show_help;
  const int rc = llapi_quotactl(argv[::optind], &query);
  if (rc != 0) std::fprintf(stderr, "lfs: setquota failed: %s\n", std::strerror(-rc));
  return rc;
}

}  // namespace lhsm::emulator
