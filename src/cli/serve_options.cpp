// SPDX-License-Identifier: LGPL-2.1-or-later
#include "serve_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include "lhsmtool_mpi/base/size.hpp"
#include "watch_options.hpp"

namespace lhsm::cli {

namespace {

/// Sizes as lhsmtool_posix reads them where it has the option (a bare number counts MiB), else bytes.
template <class T>
CLI::Option* add_size(CLI::App& app, const std::string& names, T& value, const std::string& help,
                      std::uint64_t bare_unit = 1, std::uint64_t most = ~std::uint64_t{0}) {
  const auto read = [&value, bare_unit, most](const std::string& text) {
    const auto size = parse_size(text, bare_unit);
    if (!size || *size == 0) throw CLI::ValidationError("'" + text + "' is not a size such as 64M or 1.5G");
    if (*size > most) throw CLI::ValidationError("'" + text + "' is more than " + format_size(most));
    value = static_cast<T>(*size);
  };
  return app.add_option_function<std::string>(names, read, help)->default_str(format_size(value))->type_name("SIZE");
}

}  // namespace

void add_seconds(CLI::App& app, const std::string& names, std::chrono::seconds& value, const std::string& standard,
                 const std::string& help) {
  app.add_option_function<unsigned>(names, [&value](unsigned s) { value = std::chrono::seconds(s); }, help)
      ->default_str(standard)
      ->check(CLI::Range(1U, 86400U))
      ->type_name("S");
}

void add_serve_options(CLI::App& app, ServeOptions& options, RawServeOptions& raw, Service service) {
  if (service == Service::live)
    app.add_option("MNT", options.mount_point, "Mount point of the Lustre file system")->required()->type_name("");
  app.add_option("-p,--hsm-root,--hsm_root", options.archive.root, "Root directory of the archive")
      ->required(service == Service::live)
      ->type_name("DIR");
  app.add_option("-A,--archive", options.archive_ids, "Archive id to serve; may be repeated (none, or 0: all)")
      ->type_name("N")
      ->allow_extra_args(false);  // else it would swallow the mount point
  app.add_option("-F,--archive-format,--archive_format", options.archive.format, "Directory tree of the archive: v1 or v2")
      ->transform(CLI::Transformer(std::map<std::string, archive::TreeFormat>{
          {"v1", archive::TreeFormat::v1}, {"v2", archive::TreeFormat::v2}}).description(""))
      ->default_str("v1")
      ->type_name("v1|v2");
  add_size(app, "-c,--chunk-size,--chunk_size", options.copy.buffer_bytes, "Bytes per read and write", k_MiB,
           k_GiB);
  add_size(app, "-b,--bandwidth", options.bandwidth_bytes_per_second,
           "Bytes per second that all ranks together may read; a bare number counts MiB", k_MiB)
      ->default_str("no limit");
  app.add_option("--control", options.control_file,
                 service == Service::live
                     ? "File that is read again when it changes; its line bandwidth=SIZE replaces -b"
                     : "File that is read again when it changes; its lines bandwidth, max-files-per-second, limit-action hold")
      ->type_name("FILE");
  app.add_option("-u,--update-interval,--update_interval", raw.update_interval,
                 "Seconds between reports of progress to the coordinator")
      ->check(CLI::Range(0.0, 86400.0))
      ->check([](const std::string& text) {  // a range does not mind
        return std::isnan(std::strtod(text.c_str(), nullptr)) ? std::string("not a number of seconds") : std::string();
      })
      ->capture_default_str()
      ->type_name("S");
  app.add_option("--slots", options.slots, "Copies at once on each rank")
      ->check(CLI::Range(1U, 1024U))
      ->capture_default_str()
      ->type_name("N");
  add_size(app, "--stripe-threshold,--stripe_threshold", options.copy.stripe_threshold,
           "Files of this size and over are copied by several ranks");
  add_size(app, "--extent-size,--extent_size", options.scheduler.extent_bytes,
           "Longest piece of such a file that one slot copies at a time");
  app.add_flag_callback("--direct", [&options] {
       options.copy.direct = options.archive.direct = copy::Direct::yes;
     }, "Go round the page cache (O_DIRECT)");
  app.add_flag_callback("--no-attr,--no_attr", [&options] { options.copy.keep_attributes = false; },
                        "Do not keep owner, mode and times in the archive");
  app.add_flag_callback("--no-xattr,--no_xattr", [&options] { options.copy.keep_xattrs = false; },
                        "Do not keep extended attributes in the archive");
  app.add_flag_callback("--no-shadow,--no_shadow", [&options] { options.copy.keep_shadow = false; },
                        "Do not keep links by path in the archive");
  app.add_option_function<unsigned>("--progress", [&options](unsigned s) { options.progress = std::chrono::seconds(s); },
                                    "Seconds between lines of progress (0: none)")
      ->default_str("10")
      ->type_name("S");
  app.add_option_function<unsigned>(
         "--drain-timeout,--drain_timeout",
         [&options](unsigned s) { options.drain_timeout = std::chrono::seconds(s); },
         "Seconds that running copies may take to finish after a signal to stop")
      ->default_str("60")
      ->type_name("S");
  add_seconds(app, "--renew-interval,--renew_interval", options.renew_interval, "60",
              "Seconds without a message after which the registration is renewed");
  add_seconds(app, "--keep-alive,--keep_alive", options.keep_alive, "600",
              "Seconds between signs of life to the coordinator for actions that wait here");
  app.add_option("-f,--event-fifo,--event_fifo", options.event_fifo, "Write events as lines of JSON into this fifo")
      ->type_name("FILE");
  app.add_option("-P,--pid-file,--pid_file", options.pid_file, "Lock this file and write rank 0's process id into it")
      ->type_name("FILE");
  add_watch_options(app, options);
  app.add_flag("--abort-on-error,--abort_on_error", options.abort_on_error, "Stop at the first file that fails");
}

void finish(ServeOptions& options, const RawServeOptions& raw) {
  options.copy.update_interval = std::chrono::milliseconds(static_cast<std::int64_t>(raw.update_interval * 1000));
  // 0 stands for all archives, whatever else is asked for.
  if (std::find(options.archive_ids.begin(), options.archive_ids.end(), 0U) != options.archive_ids.end())
    options.archive_ids.clear();
}

}  // namespace lhsm::cli
