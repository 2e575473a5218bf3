// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <getopt.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "library/layout_object.hpp"
#include "library/striping.hpp"
#include "tools/lfs_commands.hpp"

extern "C" {
int llapi_file_open_param(const char* name, int flags, mode_t mode, const llapi_stripe_param* param);
int llapi_layout_file_open(const char* path, int open_flags, mode_t mode, const llapi_layout* layout);
int llapi_layout_comp_add(llapi_layout* layout);
int llapi_layout_comp_extent_set(llapi_layout* layout, std::uint64_t start, std::uint64_t end);
int llapi_layout_pattern_set(llapi_layout* layout, std::uint64_t pattern);
int llapi_layout_stripe_size_set(llapi_layout* layout, std::uint64_t size);
int llapi_layout_stripe_count_set(llapi_layout* layout, std::uint64_t count);
int llapi_layout_pool_name_set(llapi_layout* layout, const char* name);
int llapi_layout_comp_flags_set(llapi_layout* layout, std::uint32_t flags);
}

namespace lhsm::emulator {
namespace {

constexpr std::uint64_t k_min_stripe = LayoutHeader::k_min_stripe;
constexpr std::uint64_t k_largest_mdt_component = std::uint64_t{1} << 30U;

/// What the options so far say about the component that they describe, or about the only one.
struct Stripes {
  unsigned long long size = k_layout_default;
  long long count = 0;  ///< as the option has it
  bool has_count = false;
  long long offset = -1;
  std::uint64_t pattern = k_layout_raid0;
  const char* pool = nullptr;
  std::vector<std::uint32_t> osts;
  std::uint64_t end = 0;  ///< 0: there are no components

  [[nodiscard]] bool are_given() const { return size != k_layout_default || has_count || offset != -1 || end != 0; }
};

using LayoutPointer = std::unique_ptr<llapi_layout, void (*)(llapi_layout*)>;

int complain(const char* what, const char* value) {
  std::fprintf(stderr, "lfs setstripe: invalid %s '%s'\n", what, value);
  return k_show_help;
}

bool parse_size(const char* argument, unsigned long long& size) {
  unsigned long long units = 1;
  if (llapi_parse_size(argument, &size, &units, 0) != 0) return false;
  if (size < 4096) size *= 1024;  // a small number means KiB
  return size % k_min_stripe == 0;
}

bool parse_number(const char* argument, long long least, long long most, long long& number) {
  char* end = nullptr;
  errno = 0;
  number = std::strtoll(argument, &end, 0);
  return errno == 0 && end != argument && *end == '\0' && number >= least && number <= most;
}

/// "0,2-3,5"
bool parse_osts(const char* argument, std::vector<std::uint32_t>& osts) {
  for (const char* at = argument;;) {
    char* end = nullptr;
    const auto first = std::strtoul(at, &end, 0);
    if (end == at) return false;
    auto last = first;
    if (*end == '-') {
      at = end + 1;
      last = std::strtoul(at, &end, 0);
      if (end == at || last < first) return false;
    }
    if (last > 65531) return false;
    for (auto index = first; index <= last; ++index) osts.push_back(static_cast<std::uint32_t>(index));
    if (*end == '\0') return true;
    if (*end != ',') return false;
    at = end + 1;
  }
}

int refuse_with_mdt(const char* option) {
  std::fprintf(stderr, "Option '%s' can't be specified with Data-on-MDT component\n", option);
  return -EINVAL;
}

/// Add the component that the options describe. -EINVAL
int add_component(LayoutPointer& layout, const Stripes& stripes, std::uint64_t start) {
  if (!layout) {
    layout.reset(llapi_layout_alloc());
  } else if (llapi_layout_comp_add(layout.get()) != 0) {
    std::fprintf(stderr, "Add component failed. %s\n", std::strerror(errno));
    return -EINVAL;
  }
  auto* made = layout.get();
  if (llapi_layout_comp_extent_set(made, start, stripes.end) != 0) {
    std::fprintf(stderr, "Set extent [%llu, %llu) failed. %s\n", static_cast<unsigned long long>(start),
                 static_cast<unsigned long long>(stripes.end), std::strerror(errno));
    return -EINVAL;
  }
  auto size = stripes.size;
  if (stripes.pattern == k_layout_mdt) {
    if (stripes.has_count) return refuse_with_mdt("stripe-count");
    if (size != k_layout_default && size != stripes.end) return refuse_with_mdt("stripe-size");
    if (!stripes.osts.empty()) return refuse_with_mdt("ost-list");
    if (stripes.offset > 0) return refuse_with_mdt("stripe-offset");
    if (stripes.pool != nullptr) return refuse_with_mdt("pool");
    size = stripes.end;  // one stripe up to its end
  }
  std::uint64_t count = k_layout_default;
  if (stripes.has_count && stripes.count < 0)
    count = k_layout_wide_min + static_cast<std::uint64_t>(-stripes.count - 1);
  else if (stripes.has_count && stripes.count > 0)
    count = static_cast<std::uint64_t>(stripes.count);
  bool is_set = llapi_layout_pattern_set(made, stripes.pattern) == 0 && llapi_layout_stripe_size_set(made, size) == 0 &&
                llapi_layout_stripe_count_set(made, count) == 0 &&
                llapi_layout_pool_name_set(made, stripes.pool != nullptr ? stripes.pool : "") == 0;
  for (std::size_t i = 0; is_set && i < stripes.osts.size(); ++i)
    is_set = llapi_layout_ost_index_set(made, static_cast<int>(i), stripes.osts[i]) == 0;
  if (is_set && stripes.osts.empty() && stripes.offset >= 0 && stripes.pattern != k_layout_mdt)
    is_set = llapi_layout_ost_index_set(made, 0, static_cast<std::uint64_t>(stripes.offset)) == 0;
  if (is_set) return 0;
  std::fprintf(stderr, "Set stripes failed: %s\n", std::strerror(errno));
  return -EINVAL;
}

int create_plain(const char* name, const Stripes& stripes) {
  // The OSTs follow the structure.
  std::vector<char> memory(sizeof(llapi_stripe_param) + stripes.osts.size() * sizeof(std::uint32_t));
  llapi_stripe_param param{};
  param.lsp_stripe_size = stripes.size == k_layout_default ? 0 : stripes.size;
  param.lsp_stripe_count =
      static_cast<int>(stripes.osts.empty() ? stripes.count : static_cast<long long>(stripes.osts.size()));
  param.lsp_stripe_offset = static_cast<int>(stripes.offset);
  param.lsp_stripe_pattern = stripes.pattern == k_layout_mdt ? static_cast<int>(LayoutHeader::k_mdt) : 1;
  if (stripes.pattern == k_layout_overstriping)
    param.lsp_stripe_pattern |= static_cast<int>(LayoutHeader::k_overstriped);
  std::string pool = stripes.pool != nullptr ? stripes.pool : "";
  param.lsp_pool = stripes.pool != nullptr ? pool.data() : nullptr;
  param.lsp_is_specific = !stripes.osts.empty();
  std::memcpy(memory.data(), &param, sizeof param);
  if (!stripes.osts.empty())
    std::memcpy(memory.data() + offsetof(llapi_stripe_param, lsp_max_inherit_rr) + 1, stripes.osts.data(),
                stripes.osts.size() * sizeof(std::uint32_t));
  const int fd =
      llapi_file_open_param(name, O_CREAT | O_WRONLY, 0666, reinterpret_cast<const llapi_stripe_param*>(memory.data()));
  if (fd < 0) return fd;
  ::close(fd);
  return 0;
}

int create_composite(const char* name, const llapi_layout* layout) {
  struct stat st {};
  const bool is_directory = ::lstat(name, &st) == 0 && S_ISDIR(st.st_mode);
  const int fd = llapi_layout_file_open(name, is_directory ? O_DIRECTORY | O_RDONLY : O_CREAT | O_WRONLY, 0666, layout);
  if (fd >= 0) {
    ::close(fd);
    return 0;
  }
  const int rc = -errno;
  std::fprintf(stderr, "lfs: cannot %s '%s': %s\n",
               is_directory ? "set default composite layout for" : "create composite file", name, std::strerror(-rc));
  return rc;
}

}  // namespace

int lfs_setstripe(int argc, char** argv) {
  static const option options[] = {{"stripe-count", required_argument, nullptr, 'c'},
                                   {"overstripe-count", required_argument, nullptr, 'C'},
                                   {"stripe-size", required_argument, nullptr, 'S'},
                                   {"stripe-index", required_argument, nullptr, 'i'},
                                   {"ost", required_argument, nullptr, 'o'},
                                   {"ost-list", required_argument, nullptr, 'o'},
                                   {"pool", required_argument, nullptr, 'p'},
                                   {"component-end", required_argument, nullptr, 'E'},
                                   {"comp-end", required_argument, nullptr, 'E'},
                                   {"layout", required_argument, nullptr, 'L'},
                                   {"delete", no_argument, nullptr, 'd'},
                                   {nullptr, 0, nullptr, 0}};
  LayoutPointer layout(nullptr, &llapi_layout_free);
  Stripes stripes;
  std::uint64_t start = 0;
  bool deletes = false;
  for (int letter = 0; (letter = ::getopt_long(argc, argv, "c:C:S:i:o:p:E:L:d", options, nullptr)) != -1;) {
    switch (letter) {
      case 'C':
      case 'c':
        stripes.has_count = true;
        if (letter == 'C') stripes.pattern = k_layout_overstriping;
        if (!parse_number(::optarg, letter == 'C' ? -32 : -1, static_cast<long long>(k_most_stripes), stripes.count))
          return complain("stripe count", ::optarg);
        break;
      case 'i':
        if (!parse_number(::optarg, -1, 65531, stripes.offset)) return complain("stripe offset", ::optarg);
        break;
      case 'S':
        if (!parse_size(::optarg, stripes.size)) return complain("stripe size", ::optarg);
        break;
      case 'o':
        if (!parse_osts(::optarg, stripes.osts)) return complain("OST target(s)", ::optarg);
        if (stripes.offset == -1) stripes.offset = stripes.osts[0];
        break;
      case 'p': {
        const std::string_view pool(::optarg);
        stripes.pool = pool.empty() || pool == "none" || pool == "inherit" ? nullptr : ::optarg;
        break;
      }
      case 'E': {
        if (stripes.end != 0) {
          if (const int rc = add_component(layout, stripes, start); rc != 0) {
            std::fprintf(stderr, "lfs: invalid layout\n");
            return k_show_help;
          }
          start = stripes.end;
          // Size, count and pool hold for the next component too, the size even of one on an MDT.
          Stripes next;
          next.size = stripes.pattern == k_layout_mdt ? stripes.end : stripes.size;
          next.count = stripes.count;
          next.has_count = stripes.has_count;
          next.pool = stripes.pool;
          stripes = next;
        }
        unsigned long long end = 0;
        if (std::strcmp(::optarg, "-1") == 0 || ::strcasecmp(::optarg, "eof") == 0)
          end = CompositeEntry::k_eof;
        else if (!parse_size(::optarg, end) || end == 0)
          return complain("component end", ::optarg);
        stripes.end = end;
        break;
      }
      case 'L':
        if (std::strcmp(::optarg, "mdt") == 0) {
          if (layout) {
            std::fprintf(stderr, "error: 'mdt' layout can be only the first one\n");
            return -EINVAL;
          }
          if (stripes.end > k_largest_mdt_component) {
            std::fprintf(stderr, "error: 'mdt' layout size is too big\n");
            return -EFBIG;
          }
          stripes.pattern = k_layout_mdt;
          stripes.size = k_layout_default;
        } else if (std::strcmp(::optarg, "raid0") != 0) {
          std::fprintf(stderr, "error: layout '%s' is unknown, supported layouts are: 'mdt', 'raid0'\n", ::optarg);
          return -EINVAL;
        }
        break;
      case 'd': deletes = true; break;
      default: return k_show_help;
    }
  }
  if (::optind >= argc) {
    std::fprintf(stderr, "lfs setstripe: FILE must be specified\n");
    return k_show_help;
  }
  if (deletes && (stripes.are_given() || layout)) {
    std::fprintf(stderr, "lfs setstripe: option -d is mutually exclusive with -s, -c, -o, -p, -I, -F and -E options\n");
    return k_show_help;
  }
  if (!stripes.osts.empty() && stripes.has_count && stripes.count > 0 &&
      stripes.count != static_cast<long long>(stripes.osts.size())) {
    std::fprintf(stderr, "stripe_count(%lld) != nr_tgts(%zu)\n", stripes.count, stripes.osts.size());
    return k_show_help;
  }
  if (stripes.end != 0 && add_component(layout, stripes, start) != 0) {
    std::fprintf(stderr, "error: lfs: invalid layout\n");
    return -EINVAL;
  }
  int first_error = 0;
  for (int i = ::optind; i < argc; ++i) {
    const int rc = layout ? create_composite(argv[i], layout.get()) : create_plain(argv[i], stripes);
    if (first_error == 0) first_error = rc;
  }
  return first_error;
}

}  // namespace lhsm::emulator
