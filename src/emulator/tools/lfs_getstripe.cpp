// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "client/file_layout.hpp"
#include "core/fid_space.hpp"
#include "tools/layout_text.hpp"
#include "tools/lfs_commands.hpp"

namespace lhsm::emulator {
namespace {

enum LongOption { k_component_count = 1000, k_component_flags, k_component_start };

struct Question {
  LayoutText text;
  bool asks_mdt = false;
  bool is_quiet = false;
  bool is_recursive = false;
  int depth = 1;  ///< of directories that are looked into, -1: all
};

constexpr std::uint32_t k_of_components = k_show_component_count | k_show_component_flags | k_show_component_start |
                                          k_show_component_end | k_show_component_id;

/// Ask for one thing; everything (-v) is not made less by it.
void ask(Question& question, std::uint32_t what) {
  if ((what & k_of_components) == 0 && (question.text.shown & k_show_detail) != 0) return;
  question.text.shown |= what;
  question.depth = 0;
}

bool parse_end(const char* argument, std::optional<std::uint64_t>& end) {
  if (std::strcmp(argument, "-1") == 0 || strcasecmp(argument, "eof") == 0) {
    end = CompositeEntry::k_eof;
    return true;
  }
  unsigned long long size = 0;
  unsigned long long units = 1;
  if (llapi_parse_size(argument, &size, &units, 0) != 0) return false;
  end = size < 4096 ? size * 1024 : size;  // a small number means KiB
  return true;
}

bool parse_flags(const char* argument, std::optional<std::pair<std::uint32_t, std::uint32_t>>& only) {
  static constexpr std::pair<std::string_view, std::uint32_t> names[] = {
      {"init", 0x10}, {"stale", 0x1}, {"prefer", 0x6}, {"nosync", 0x20}, {"extension", 0x40}};
  only.emplace(0, 0);
  for (std::string_view left(argument); !left.empty();) {
    auto word = left.substr(0, left.find(','));
    left.remove_prefix(std::min(left.size(), word.size() + 1));
    const bool is_negated = word.starts_with('^');
    if (is_negated) word.remove_prefix(1);
    std::uint32_t flag = 0;
    for (const auto& [name, value] : names)
      if (name == word) flag = value;
    if (flag == 0) return false;
    (is_negated ? only->second : only->first) |= flag;
  }
  return true;
}

int print_mdt(const char* path) {
  abi::lu_fid fid{};
  if (const int rc = llapi_path2fid(path, &fid); rc != 0) return rc;
  // The MDT is in the sequence; the root's is the first.
  const std::uint64_t seq = fid.f_seq;
  std::printf("%llu\n", seq < 0x200000400 ? 0ULL : (seq - 0x200000400ULL) / 0x40000000ULL);
  return 0;
}

int show(const std::string& path, Question& question, int depth);

int show_entries(const std::string& path, Question& question, int depth) {
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(path.c_str()), &::closedir);
  if (!listing) return -errno;
  int first_error = 0;
  while (const dirent* entry = ::readdir(listing.get())) {
    const std::string_view name(entry->d_name);
    if (name == "." || name == ".." || name == ".lustre") continue;
    const int rc = show((path.ends_with('/') ? path : path + "/") + entry->d_name, question, depth + 1);
    if (first_error == 0) first_error = rc;
  }
  return first_error;
}

int show(const std::string& path, Question& question, int depth) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat st {};
  if (!fd || ::fstat(*fd, &st) != 0) {
    if (depth > 0) return 0;  // a dangling link, say
    const int rc = -errno;
    std::fprintf(stderr, "lfs getstripe: error: getstripe failed for %s: %s\n", path.c_str(), std::strerror(-rc));
    return rc;
  }
  std::string relative;
  Mount* mount = find_mount(*fd, &relative);
  if (mount == nullptr) {
    std::fprintf(stderr, "lfs getstripe: '%s' not on a Lustre fs?: %s\n", path.c_str(), std::strerror(ENOTTY));
    return -ENOTTY;
  }
  auto& text = question.text;
  text.path = path.c_str();
  text.is_directory = S_ISDIR(st.st_mode);
  // A file's FID is in its layout from the moment that it has one.
  if ((text.shown & (k_show_detail | k_show_fid)) != 0) text.directory_fid = mount->fid_of(*fd).value_or(Fid());
  if (const auto layout = seen_layout(*mount, *fd, relative))
    print_layout(*layout, text);
  else if (layout.error().sys_errno == ENODATA)
    std::printf("%s has no stripe info\n", path.c_str());
  else
    return -layout.error().sys_errno;
  if (S_ISDIR(st.st_mode) && (question.depth < 0 || depth < question.depth)) return show_entries(path, question, depth);
  return 0;
}

}  // namespace

int lfs_getstripe(int argc, char** argv) {
  static const option options[] = {{"stripe-count", no_argument, nullptr, 'c'},
                                   {"stripe-size", no_argument, nullptr, 'S'},
                                   {"stripe-index", no_argument, nullptr, 'i'},
                                   {"layout", no_argument, nullptr, 'L'},
                                   {"pool", no_argument, nullptr, 'p'},
                                   {"generation", no_argument, nullptr, 'g'},
                                   {"fid", no_argument, nullptr, 'F'},
                                   {"mirror-count", no_argument, nullptr, 'N'},
                                   {"mdt-index", no_argument, nullptr, 'm'},
                                   {"mdt", no_argument, nullptr, 'm'},
                                   {"directory", no_argument, nullptr, 'd'},
                                   {"recursive", no_argument, nullptr, 'r'},
                                   {"raw", no_argument, nullptr, 'R'},
                                   {"quiet", no_argument, nullptr, 'q'},
                                   {"verbose", no_argument, nullptr, 'v'},
                                   {"extension-size", no_argument, nullptr, 'z'},
                                   {"component-end", optional_argument, nullptr, 'E'},
                                   {"comp-end", optional_argument, nullptr, 'E'},
                                   {"component-id", optional_argument, nullptr, 'I'},
                                   {"comp-id", optional_argument, nullptr, 'I'},
                                   {"component-count", no_argument, nullptr, k_component_count},
                                   {"comp-count", no_argument, nullptr, k_component_count},
                                   {"component-flags", optional_argument, nullptr, k_component_flags},
                                   {"comp-flags", optional_argument, nullptr, k_component_flags},
                                   {"component-start", no_argument, nullptr, k_component_start},
                                   {"comp-start", no_argument, nullptr, k_component_start},
                                   {nullptr, 0, nullptr, 0}};
  Question question;
  auto& text = question.text;
  text.shown = 0;
  for (int letter = 0; (letter = ::getopt_long(argc, argv, "cSiLpgFNmdrRqvzE::I::", options, nullptr)) != -1;) {
    switch (letter) {
      case 'c': ask(question, k_show_count); break;
      case 'S': ask(question, k_show_size); break;
      case 'i': ask(question, k_show_offset); break;
      case 'L': ask(question, k_show_pattern); break;
      case 'p': ask(question, k_show_pool); break;
      case 'g': ask(question, k_show_generation); break;
      case 'F': ask(question, k_show_fid); break;
      case 'N': ask(question, k_show_mirror_count); break;
      case 'z': ask(question, k_show_extension_size); break;
      case k_component_count: ask(question, k_show_component_count); break;
      case k_component_start: ask(question, k_show_component_start); break;
      case k_component_flags:
        if (::optarg == nullptr)
          ask(question, k_show_component_flags);
        else if (!parse_flags(::optarg, text.only_flags))
          return k_show_help;
        break;
      case 'E':
        if (::optarg == nullptr)
          ask(question, k_show_component_end);
        else if (!parse_end(::optarg, text.only_end))
          return k_show_help;
        break;
      case 'I':
        if (::optarg == nullptr)
          ask(question, k_show_component_id);
        else
          text.only_id = static_cast<std::uint32_t>(std::strtoul(::optarg, nullptr, 0));
        break;
      case 'm': question.asks_mdt = true; break;
      case 'd': question.depth = 0; break;
      case 'r': question.is_recursive = true; break;
      case 'R': text.is_raw = true; break;
      case 'q': question.is_quiet = true; break;
      case 'v': text.shown = k_show_all | k_show_detail; break;
      default: return k_show_help;
    }
  }
  if (::optind >= argc) return k_show_help;
  if (question.is_recursive)
    question.depth = -1;
  else if ((text.shown & k_show_detail) != 0 && question.depth != 0)
    question.depth = 1;
  if (text.shown == 0) text.shown = k_show_all;
  if (question.is_quiet) text.shown = k_show_objects;
  text.has_paths = question.depth != 0;
  int first_error = 0;
  for (int i = ::optind; i < argc; ++i) {
    const int rc = question.asks_mdt ? print_mdt(argv[i]) : show(argv[i], question, 0);
    if (first_error == 0) first_error = rc;
  }
  return first_error;
}

}  // namespace lhsm::emulator
