// SPDX-License-Identifier: LGPL-2.1-or-later
#include <getopt.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "tools/lfs_commands.hpp"

namespace lhsm::emulator {
namespace {

using namespace abi;

constexpr std::array<std::pair<std::uint32_t, const char*>, 7> k_state_words{{
    {HS_RELEASED, "released"},
    {HS_EXISTS, "exists"},
    {HS_DIRTY, "dirty"},
    {HS_ARCHIVED, "archived"},
    {HS_NORELEASE, "never_release"},
    {HS_NOARCHIVE, "never_archive"},
    {HS_LOST, "lost_from_hsm"},
}};

const char* action_word(std::uint32_t action) {
  switch (action) {
    case HUA_NONE: return "NOOP";
    case HUA_ARCHIVE: return "ARCHIVE";
    case HUA_RESTORE: return "RESTORE";
    case HUA_RELEASE: return "RELEASE";
    case HUA_REMOVE: return "REMOVE";
    case HUA_CANCEL: return "CANCEL";
    default: return "Unknown";
  }
}

const char* progress_word(std::uint32_t state) {
  switch (state) {
    case HPS_WAITING: return "waiting";
    case HPS_RUNNING: return "running";
    case HPS_DONE: return "done";
    default: return "unknown";
  }
}

int change_flags(int argc, char** argv, bool sets) {
  static const option options[] = {{"archived", no_argument, nullptr, 'A'},
                                   {"noarchive", no_argument, nullptr, 'a'},
                                   {"dirty", no_argument, nullptr, 'd'},
                                   {"exists", no_argument, nullptr, 'e'},
                                   {"help", no_argument, nullptr, 'h'},
                                   {"archive-id", required_argument, nullptr, 'i'},
                                   {"lost", no_argument, nullptr, 'l'},
                                   {"norelease", no_argument, nullptr, 'r'},
                                   {nullptr, 0, nullptr, 0}};
  if (argc < 3) return k_show_help;
  std::uint64_t mask = 0;
  std::uint32_t archive_id = 0;
  for (int letter = 0; (letter = ::getopt_long(argc, argv, "aAdehi:lr", options, nullptr)) != -1;) {
    switch (letter) {
      case 'l': mask |= HS_LOST; break;
      case 'a': mask |= HS_NOARCHIVE; break;
      case 'A': mask |= HS_ARCHIVED; break;
      case 'r': mask |= HS_NORELEASE; break;
      case 'd': mask |= HS_DIRTY; break;
      case 'e': mask |= HS_EXISTS; break;
      case 'i': {
        char* end = nullptr;
        const auto number = std::strtol(::optarg, &end, 10);
        if (end == ::optarg || *end != '\0' || number < 0) {
          std::fprintf(stderr, "lfs: invalid archive_id: '%s'\n", end);
          return k_show_help;
        }
        archive_id = static_cast<std::uint32_t>(number);
        break;
      }
      default: return k_show_help;
    }
  }
  if (mask == 0) return k_show_help;
  int first_error = 0;
  for (int i = ::optind; i < argc; ++i) {
    const int rc = sets ? llapi_hsm_state_set(argv[i], mask, 0, archive_id) : llapi_hsm_state_set(argv[i], 0, mask, 0);
    if (rc == 0) continue;
    std::fprintf(stderr, "lfs %s: change hsm flags for '%s' failed: %s\n", argv[0], argv[i], std::strerror(-rc));
    if (first_error == 0) first_error = rc;
  }
  return first_error;
}

}  // namespace

int lfs_hsm_set(int argc, char** argv) { return change_flags(argc, argv, true); }
int lfs_hsm_clear(int argc, char** argv) { return change_flags(argc, argv, false); }

int lfs_hsm_state(int argc, char** argv) {
  if (argc < 2) return k_show_help;
  int first_error = 0;
  for (int i = 1; i < argc; ++i) {
    hsm_user_state state{};
    if (const int rc = llapi_hsm_state_get(argv[i], &state); rc != 0) {
      std::fprintf(stderr, "lfs %s: get HSM state for '%s' failed: %s\n", argv[0], argv[i], std::strerror(-rc));
      if (first_error == 0) first_error = rc;
      continue;
    }
    std::printf("%s: (0x%08x)", argv[i], state.hus_states);
    for (const auto& [bit, word] : k_state_words)
      if ((state.hus_states & bit) != 0) std::printf(" %s", word);
    if (state.hus_archive_id != 0) std::printf(", archive_id:%u", state.hus_archive_id);
    std::printf("\n");
  }
  return first_error;
}

int lfs_hsm_action(int argc, char** argv) {
  if (argc < 2) return k_show_help;
  int first_error = 0;
  for (int i = 1; i < argc; ++i) {
    hsm_current_action current{};
    if (const int rc = llapi_hsm_current_action(argv[i], &current); rc != 0) {
      std::fprintf(stderr, "lfs %s: get hsm action for '%s' failed: %s\n", argv[0], argv[i], std::strerror(-rc));
      if (first_error == 0) first_error = rc;
      continue;
    }
    std::printf("%s: %s", argv[i], action_word(current.hca_action));
    if (current.hca_action == HUA_NONE) {
      std::printf("\n");
      continue;
    }
    const auto offset = static_cast<unsigned long long>(current.hca_location.offset);
    const auto length = static_cast<unsigned long long>(current.hca_location.length);
    std::printf(" %s ", progress_word(current.hca_state));
    const bool moves_data = current.hca_action == HUA_ARCHIVE || current.hca_action == HUA_RESTORE;
    if (current.hca_state == HPS_RUNNING && moves_data)
      std::printf("(%llu bytes moved)\n", length);
    else if (offset + length == k_whole_file)
      std::printf("(from %llu to EOF)\n", offset);
    else
      std::printf("(from %llu to %llu)\n", offset, offset + length);
  }
  return first_error;
}

}  // namespace lhsm::emulator
