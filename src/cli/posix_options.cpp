// SPDX-License-Identifier: LGPL-2.1-or-later
#include "posix_options.hpp"

#include <fmt/format.h>
#include <getopt.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdlib>

#include "lhsmtool_mpi/base/size.hpp"

namespace lhsm::cli {

namespace {

using namespace std::chrono_literals;

// lhsmtool_posix abandons what runs when it is told to stop, and its users wait for the end.
constexpr auto k_stop_timeout = 10s;
constexpr int k_info = 5;  // of liblustreapi's levels: 0 off, 2 error, 3 warning, 5 info, 6 debug

enum Value : int {
  k_abort_on_error = 256, k_daemon, k_dry_run, k_no_attr, k_no_shadow, k_no_xattr,
  // Ours; they begin like none of the above, so that its abbreviations mean what they did.
  k_slots, k_stripe_threshold, k_stop_timeout_option,
};

constexpr std::array k_options{
    option{"abort-on-error", no_argument, nullptr, k_abort_on_error},
    option{"abort_on_error", no_argument, nullptr, k_abort_on_error},
    option{"archive", required_argument, nullptr, 'A'},
    option{"bandwidth", required_argument, nullptr, 'b'},
    option{"config", required_argument, nullptr, 'C'},
    option{"chunk-size", required_argument, nullptr, 'c'},
    option{"chunk_size", required_argument, nullptr, 'c'},
    option{"daemon", no_argument, nullptr, k_daemon},
    option{"archive-format", required_argument, nullptr, 'F'},
    option{"archive-upgrade", required_argument, nullptr, 'U'},
    option{"event-fifo", required_argument, nullptr, 'f'},
    option{"event_fifo", required_argument, nullptr, 'f'},
    option{"dry-run", no_argument, nullptr, k_dry_run},
    option{"help", no_argument, nullptr, 'h'},
    option{"import", no_argument, nullptr, 'i'},
    option{"max-sequence", no_argument, nullptr, 'M'},
    option{"max_sequence", no_argument, nullptr, 'M'},
    option{"no-attr", no_argument, nullptr, k_no_attr},
    option{"no_attr", no_argument, nullptr, k_no_attr},
    option{"no-shadow", no_argument, nullptr, k_no_shadow},
    option{"no_shadow", no_argument, nullptr, k_no_shadow},
    option{"no-xattr", no_argument, nullptr, k_no_xattr},
    option{"no_xattr", no_argument, nullptr, k_no_xattr},
    option{"pid-file", required_argument, nullptr, 'P'},
    option{"hsm-root", required_argument, nullptr, 'p'},
    option{"hsm_root", required_argument, nullptr, 'p'},
    option{"quiet", no_argument, nullptr, 'q'},
    option{"rebind", no_argument, nullptr, 'r'},
    option{"update-interval", required_argument, nullptr, 'u'},
    option{"update_interval", required_argument, nullptr, 'u'},
    option{"verbose", no_argument, nullptr, 'v'},
    option{"slots", required_argument, nullptr, k_slots},
    option{"stripe-threshold", required_argument, nullptr, k_stripe_threshold},
    option{"stop-timeout", required_argument, nullptr, k_stop_timeout_option},
    option{nullptr, 0, nullptr, 0},
};

/// A number that fills all of `text`; nothing of what strtol would leave over.
long whole_number(const std::string& text, const char* what, long least, long most) {
  errno = 0;
  char* end = nullptr;
  const long value = std::strtol(text.c_str(), &end, 10);
  if (*end != '\0' || errno != 0 || value < least || value > most)
    throw UsageError(fmt::format("invalid {}: '{}'", what, text));
  return value;
}

std::uint64_t size_for(char letter, const std::string& text, std::uint64_t least, std::uint64_t most) {
  const auto size = parse_posix_size(text);
  if (!size || *size < least || *size > most) throw UsageError(fmt::format("bad value for -{} '{}'", letter, text));
  return *size;
}

archive::TreeFormat format_of(const std::string& text) {
  const auto format = parse_tree_format(text);
  if (!format) throw UsageError(fmt::format("invalid archive format '{}'", text));
  return *format;
}

log::Level level_of(int verbosity) {
  if (verbosity >= 6) return log::Level::debug;
  if (verbosity == 5) return log::Level::info;
  if (verbosity >= 3) return log::Level::warning;
  return verbosity >= 1 ? log::Level::error : log::Level::off;
}

/// What stands behind the options: what the mode needs, then the mount point.
void take_arguments(PosixCommand& command, std::vector<std::string> arguments) {
  std::size_t wanted = 0;
  if (command.mode == PosixMode::import) {
    if (arguments.size() != 3) throw UsageError("--import requires 2 arguments");
    wanted = 2;
  } else if (command.mode == PosixMode::rebind) {
    if (arguments.size() != 2 && arguments.size() != 3) throw UsageError("--rebind requires 1 or 2 arguments");
    wanted = arguments.size() - 1;
  }
  if (wanted > 0) command.source = arguments[0];
  if (wanted > 1) command.destination = arguments[1];
  if (command.mode == PosixMode::archive_upgrade) return;
  if (arguments.size() != wanted + 1) throw UsageError("no mount point specified");
  command.serve.mount_point = arguments.back();
  if (command.mode != PosixMode::import) return;
  if (command.source.starts_with('/')) throw UsageError("source path must be relative to HSM root");
  if (!command.destination.starts_with('/')) throw UsageError("destination path must be absolute");
}

void add_archive(ServeOptions& serve, bool& all, long id) {
  all = all || id == 0;
  if (all) {
    serve.archive_ids.clear();
    return;
  }
  const auto wanted = static_cast<std::uint32_t>(id);
  if (std::find(serve.archive_ids.begin(), serve.archive_ids.end(), wanted) == serve.archive_ids.end())
    serve.archive_ids.push_back(wanted);
}

}  // namespace

Outcome<archive::TreeFormat> parse_tree_format(const std::string& text) {
  if (text == "v1") return archive::TreeFormat::v1;
  if (text == "v2") return archive::TreeFormat::v2;
  return failure(ErrorKind::invalid, EINVAL, "archive format", text);
}

Outcome<std::uint64_t> parse_posix_size(const std::string& text) {
  const auto bad = [&] { return failure(ErrorKind::invalid, EINVAL, "parse size", text); };
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text[0])) == 0) return bad();
  errno = 0;
  char* end = nullptr;
  const unsigned long long whole = std::strtoull(text.c_str(), &end, 0);
  if (errno != 0) return bad();
  double fraction = 0;
  if (*end == '.') {
    const char* digit = end + 1;
    for (double weight = 0.1; std::isdigit(static_cast<unsigned char>(*digit)) != 0; ++digit, weight /= 10)
      fraction += weight * (*digit - '0');
    end = const_cast<char*>(digit);  // strtoull wants it so
  }
  std::uint64_t unit = k_MiB;
  if (*end != '\0') {
    constexpr std::string_view k_letters = "kmgtpe";
    const char letter = static_cast<char>(std::tolower(static_cast<unsigned char>(*end)));
    const auto power = k_letters.find(letter);
    if (letter == 'b') unit = 512;
    else if (letter == 'c') unit = 1;
    else if (power != std::string_view::npos) unit = std::uint64_t{1} << (10 * (power + 1));
    else return bad();
    std::string rest(end + 1);
    for (char& c : rest) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (!rest.empty() && rest != "i" && rest != "b" && rest != "ib") return bad();
  }
  if (whole > (~std::uint64_t{0} >> 1U) / unit) return bad();
  return whole * unit + static_cast<std::uint64_t>(std::llround(fraction * static_cast<double>(unit)));
}

PosixCommand parse_posix_options(int argc, char** argv) {
  PosixCommand command;
  ServeOptions& serve = command.serve;
  serve.drain_timeout = k_stop_timeout;
  serve.last_signal_is_second = true;
  serve.progress = 0s;
  serve.item_level = log::Level::info;
  int verbosity = k_info;
  bool all_archives = false;

  optind = 0;  // glibc: begin anew
  int c = 0;
  while ((c = ::getopt_long(argc, argv, "A:b:C:c:F:f:hiMp:P:qrU:u:v", k_options.data(), nullptr)) != -1) {
    const std::string value = optarg != nullptr ? optarg : "";
    switch (c) {
      case 'A': add_archive(serve, all_archives, whole_number(value, "archive-id", 0, 0x7fffffff)); break;
      case 'b': serve.bandwidth_bytes_per_second = size_for('b', value, 0, ~std::uint64_t{0}); break;
      case 'c': serve.copy.buffer_bytes = static_cast<std::size_t>(size_for('c', value, 1, k_GiB)); break;
      case 'C': command.config_path = value; break;
      case 'F': serve.archive.format = format_of(value); break;
      case 'U':
        serve.archive.format = format_of(value);
        command.mode = PosixMode::archive_upgrade;
        break;
      case 'f': serve.event_fifo = value; break;
      case 'h': command.mode = PosixMode::help; return command;
      case 'i': command.mode = PosixMode::import; break;
      case 'M': command.mode = PosixMode::max_sequence; break;
      case 'P': serve.pid_file = value; break;
      case 'p': serve.archive.root = value; break;
      case 'q': --verbosity; break;
      case 'r': command.mode = PosixMode::rebind; break;
      case 'u': {
        const int seconds = std::atoi(value.c_str());  // as it does: what is no number is 0
        if (seconds < 0) throw UsageError(fmt::format("bad value for -u '{}'", value));
        serve.copy.update_interval = std::chrono::seconds(seconds);
        break;
      }
      case 'v': ++verbosity; break;
      case k_abort_on_error: serve.abort_on_error = true; break;
      case k_daemon: command.daemonize = true; break;
      case k_dry_run: serve.dry_run = true; break;
      case k_no_attr: serve.copy.keep_attributes = false; break;
      case k_no_shadow: serve.copy.keep_shadow = false; break;
      case k_no_xattr: serve.copy.keep_xattrs = false; break;
      case k_slots: serve.slots = static_cast<std::uint32_t>(whole_number(value, "number of slots", 1, 1024)); break;
      case k_stripe_threshold: serve.copy.stripe_threshold = size_for('-', value, 1, ~std::uint64_t{0}); break;
      case k_stop_timeout_option:
        serve.drain_timeout = std::chrono::seconds(whole_number(value, "time to stop", 0, 86400));
        break;
      default: throw UsageError("unknown option, or one without its argument");  // getopt has named it
    }
  }
  serve.log.level = level_of(verbosity);
  take_arguments(command, {argv + optind, argv + argc});
  return command;
}

std::string posix_usage(const std::string& program) {
  return fmt::format(
      "Usage: {0} [OPTION...] MNT                             serve the file system mounted at MNT\n"
      "       {0} [OPTION...] --import SRC DST MNT            make what is archived at SRC (a FID, or a path\n"
      "                                                        below the archive's root) a released file DST, or\n"
      "                                                        a tree of them\n"
      "       {0} [OPTION...] --rebind OLD NEW MNT            give the object of FID OLD the FID NEW\n"
      "       {0} [OPTION...] --rebind LIST MNT               the same for each line 'OLD NEW' of a file\n"
      "       {0} [OPTION...] --max-sequence MNT              show the highest FID sequence in the archive\n"
      "       {0} [OPTION...] --archive-upgrade=v1|v2         bring the archive into this format\n\n"
      "  -p, --hsm-root DIR          root of the archive\n"
      "  -A, --archive N             archive id to serve; may be repeated (none, or 0: any)\n"
      "  -F, --archive-format v1|v2  directory tree of the archive (v1)\n"
      "  -C, --config FILE           YAML with archive_format and archive_path, which override -F and -p\n"
      "  -b, --bandwidth SIZE        bytes per second at most (a bare number counts MiB)\n"
      "  -c, --chunk-size SIZE       bytes per read and write (1 MiB; a bare number counts MiB)\n"
      "  -u, --update-interval S     seconds between reports of progress (30)\n"
      "  -f, --event-fifo FILE       write events as lines of JSON into this fifo\n"
      "  -P, --pid-file FILE         lock this file and write the process id into it\n"
      "      --daemon                run in the background; returns once it has registered\n"
      "      --no-attr, --no-xattr, --no-shadow\n"
      "                              do not keep attributes, extended attributes, links by path\n"
      "      --abort-on-error        stop at the first failure\n"
      "      --dry-run               say what would be done; actions end with EAGAIN\n"
      "  -q, --quiet; -v, --verbose  log less, or more; may be repeated\n"
      "      --slots N               copies at once on each rank (4)\n"
      "      --stripe-threshold SIZE files from this size on are copied by several ranks (1G)\n"
      "      --stop-timeout S        seconds that running copies may take after a signal to stop (10)\n",
      program);
}

}  // namespace lhsm::cli
