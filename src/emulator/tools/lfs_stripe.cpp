// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <getopt.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "client/layout.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "tools/lfs_commands.hpp"

// The emulator library's, by their libc names.
extern "C" {
ssize_t fgetxattr(int fd, const char* name, void* value, std::size_t size) noexcept;
int fsetxattr(int fd, const char* name, const void* value, std::size_t size, int flags) noexcept;
}

namespace lhsm::emulator {
namespace {

constexpr const char* k_lustre_lov = "lustre.lov";

void print_whole(const char* path, const LayoutHeader& header, const std::string& layout) {
  const std::uint16_t count = header.stripe_count;
  const std::uint32_t size = header.stripe_size;
  OstObject first;
  const auto fixed = sizeof header + (header.magic == LayoutHeader::k_v3 ? LayoutHeader::k_pool_size : 0);
  if (layout.size() >= fixed + sizeof first)
    std::memcpy(static_cast<void*>(&first), layout.data() + fixed, sizeof first);
  const std::uint32_t index = first.ost_index;
  const bool released = (header.pattern & LayoutHeader::k_released) != 0;
  std::printf("%s\nlmm_stripe_count:  %u\nlmm_stripe_size:   %u\nlmm_pattern:       raid0%s\n", path, count, size,
              released ? ",released" : "");
  std::printf("lmm_layout_gen:    %u\nlmm_stripe_offset: %u\n", static_cast<unsigned>(header.stripe_offset), index);
  if (!released) {
    std::printf("\tobdidx\t\t objid\t\t objid\t\t group\n");
    for (unsigned i = 0; i < count; ++i) {
      OstObject object;
      if (layout.size() < fixed + (i + 1) * sizeof object) break;
      std::memcpy(static_cast<void*>(&object), layout.data() + fixed + i * sizeof object, sizeof object);
      std::printf("\t%6u\t%14u\t%#13x\t%14u\n", static_cast<unsigned>(object.ost_index), 0U, 0U, 0U);
    }
  }
  std::printf("\n");
}

}  // namespace

int lfs_setstripe(int argc, char** argv) {
  static const option options[] = {{"stripe-count", required_argument, nullptr, 'c'},
                                   {"stripe-size", required_argument, nullptr, 'S'},
                                   {"stripe-index", required_argument, nullptr, 'i'},
                                   {nullptr, 0, nullptr, 0}};
  LayoutHeader header;
  header.stripe_offset = 0xffff;
  for (int letter = 0; (letter = ::getopt_long(argc, argv, "c:S:i:", options, nullptr)) != -1;) {
    switch (letter) {
      case 'c': header.stripe_count = static_cast<std::uint16_t>(std::strtol(::optarg, nullptr, 0)); break;
      case 'i': header.stripe_offset = static_cast<std::uint16_t>(std::strtol(::optarg, nullptr, 0)); break;
      case 'S': {
        unsigned long long size = 0;
        unsigned long long units = 1;
        if (llapi_parse_size(::optarg, &size, &units, 0) != 0 || size == 0 || size % 65536 != 0 || size >> 32U != 0) {
          std::fprintf(stderr, "lfs setstripe: invalid stripe size '%s'\n", ::optarg);
          return k_show_help;
        }
        header.stripe_size = static_cast<std::uint32_t>(size);
        break;
      }
      default: return k_show_help;
    }
  }
  if (::optind >= argc) return k_show_help;
  int first_error = 0;
  for (int i = ::optind; i < argc; ++i) {
    struct stat st {};
    const bool is_directory = ::stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);
    const Fd fd(is_directory ? ::open(argv[i], O_RDONLY | O_DIRECTORY) : ::open(argv[i], O_WRONLY | O_CREAT, 0666));
    if (fd && fsetxattr(*fd, k_lustre_lov, &header, sizeof header, 0) == 0) continue;
    const int rc = -errno;
    std::fprintf(stderr, "lfs setstripe: setstripe error for '%s': %s\n", argv[i],
                 rc == -EEXIST ? "stripe already set" : std::strerror(-rc));
    if (first_error == 0) first_error = rc;
  }
  return first_error;
}

int lfs_getstripe(int argc, char** argv) {
  static const option options[] = {{"stripe-count", no_argument, nullptr, 'c'},
                                   {"stripe-size", no_argument, nullptr, 'S'},
                                   {"stripe-index", no_argument, nullptr, 'i'},
                                   {"layout", no_argument, nullptr, 'L'},
                                   {"mdt-index", no_argument, nullptr, 'm'},
                                   {"directory", no_argument, nullptr, 'd'},
                                   {nullptr, 0, nullptr, 0}};
  char what = 0;
  for (int letter = 0; (letter = ::getopt_long(argc, argv, "cSiLmd", options, nullptr)) != -1;) {
    if (letter == '?') return k_show_help;
    if (letter != 'd') what = static_cast<char>(letter);
  }
  if (::optind >= argc) return k_show_help;
  int first_error = 0;
  for (int i = ::optind; i < argc; ++i) {
    const Fd fd(::open(argv[i], O_RDONLY | O_NONBLOCK));
    if (what == 'm') {
      abi::lu_fid fid{};
      const int rc = llapi_path2fid(argv[i], &fid);
      // The MDT is in the sequence; the root's is the first.
      const std::uint64_t seq = fid.f_seq;
      if (rc == 0) std::printf("%llu\n", seq < 0x200000400 ? 0ULL : (seq - 0x200000400ULL) / 0x40000000ULL);
      if (first_error == 0) first_error = rc;
      continue;
    }
    std::string layout(64 * 1024, '\0');
    const auto size = fd ? fgetxattr(*fd, k_lustre_lov, layout.data(), layout.size()) : -1;
    if (size < 0) {
      const int rc = -errno;
      if (rc == -ENODATA) {
        std::printf("%s has no stripe info\n", argv[i]);
        continue;
      }
      std::fprintf(stderr, "lfs getstripe: error: getstripe failed for %s: %s\n", argv[i], std::strerror(-rc));
      if (first_error == 0) first_error = rc;
      continue;
    }
    layout.resize(static_cast<std::size_t>(size));
    const auto header = layout_header(layout);
    if (!header) {
      std::printf("%s: composite layout of %zd bytes\n", argv[i], size);
    } else if (what == 'c') {
      std::printf("%u\n", static_cast<unsigned>(header->stripe_count));
    } else if (what == 'S') {
      std::printf("%u\n", static_cast<unsigned>(header->stripe_size));
    } else if (what == 'L') {
      std::printf("raid0%s\n", (header->pattern & LayoutHeader::k_released) != 0 ? ",released" : "");
    } else {
      print_whole(argv[i], *header, layout);
    }
  }
  return first_error;
}

}  // namespace lhsm::emulator
