// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "lhsmtool_mpi/base/process_identity.hpp"
#include "lhsmtool_mpi/base/size.hpp"
#include "lhsmtool_mpi/report/status.hpp"

namespace lhsm::report {

namespace {

constexpr std::int64_t k_long_ms = 30'000;
constexpr std::size_t k_most_errors = 8;

/// The file may say anything.
std::uint64_t whole(double value) { return value > 0 ? static_cast<std::uint64_t>(std::min(value, 1e18)) : 0; }

std::string rate(double bytes_per_second) { return format_size(whole(bytes_per_second)) + "/s"; }

std::string duration(double seconds) { return format_duration(whole(seconds)); }

double percent(std::uint64_t part, std::uint64_t all) {
  return all == 0 ? 100 : 100 * static_cast<double>(part) / static_cast<double>(all);
}

std::string extents(const FileStatus& file) {
  return file.is_striped ? fmt::format("{} done, {} running", file.extents_done, file.extents_running) : "whole";
}

/// Say that rows are left out, if any are.
void add_rest(std::string& text, std::size_t all, std::size_t most) {
  if (all > most) text += fmt::format("  and {} more\n", all - most);
}

void add_load(std::string& text, const std::string& name, const RankStatus& load) {
  text += fmt::format("  {:<24} {:>5}/{:<5} {:>12} {:>10.1f} {:>12} {:>8}\n", name, load.running, load.slots,
                      rate(load.bytes_per_second), load.files_per_second, load.done, load.failed);
}

std::string state_and_times(const RunStatus& status) {
  const auto time = [](std::int64_t ms) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::localtime(static_cast<std::time_t>(ms / 1000)));
  };
  if (status.state == "ended") return fmt::format("ended {}, begun {}", time(status.updated_ms), time(status.started_ms));
  if (status.state == "stopping") return "stopping, begun " + time(status.started_ms);
  return status.state + " since " + time(status.started_ms);
}

constexpr std::string_view k_load_columns = "  {:<24} {:>11} {:>12} {:>10} {:>12} {:>8}\n";

}  // namespace

std::vector<HostStatus> RunStatus::hosts() const {
  std::vector<HostStatus> hosts;
  std::map<std::string_view, std::size_t> places;
  for (const RankStatus& rank : ranks) {
    const auto [place, is_new] = places.emplace(rank.host, hosts.size());
    if (is_new) hosts.push_back({rank.host, 0, {}});
    HostStatus& its = hosts[place->second];
    ++its.ranks;
    its.sum.slots += rank.slots;
    its.sum.running += rank.running;
    its.sum.done += rank.done;
    its.sum.failed += rank.failed;
    its.sum.bytes_copied += rank.bytes_copied;
    its.sum.bytes_per_second += rank.bytes_per_second;
    its.sum.files_per_second += rank.files_per_second;
  }
  return hosts;
}

bool is_gone(const RunStatus& status) {
  if (status.state == "ended") return false;
  const auto process = ProcessIdentity::parse(status.process);
  return process && process->is_running() == false;
}

std::optional<std::string> staleness(const RunStatus& status, std::int64_t now_ms) {
  if (status.state == "ended") return std::nullopt;
  if (is_gone(status)) return fmt::format("its process {} is gone", ProcessIdentity::parse(status.process)->pid);
  // To find out what is to be done may take long.
  if (const auto process = ProcessIdentity::parse(status.process); status.state == "starting" && process && process->is_running() == true)
    return std::nullopt;
  if (const std::int64_t age = now_ms - status.updated_ms; age > k_long_ms)
    return fmt::format("it was not updated for {}", duration(static_cast<double>(age) / 1000));
  return std::nullopt;
}

std::string status_table(const RunStatus& status, std::int64_t now_ms, std::size_t most_rows) {
  std::string text = fmt::format("{} {}, {}, rank 0 on {}\n", status.command, status.mount_point, state_and_times(status), status.host);
  if (const auto stale = staleness(status, now_ms)) text += fmt::format("STALE: {}; this is how it stood then\n", *stale);
  text += fmt::format("{}, {:.1f} files/s, {} copied, limit {}\n", rate(status.bytes_per_second), status.files_per_second,
                      format_size(status.bytes_copied),
                      status.bandwidth_limit == 0 ? "none" : format_size(status.bandwidth_limit) + "/s");
  if (const auto& job = status.job) {
    text += fmt::format("job: {}/{} items ({:.1f} %), {} unsuccessful", job->final, job->items, percent(job->final, job->items),
                        job->unsuccessful);
    if (job->bytes > 0)
      text += fmt::format(", {} of {} ({:.1f} %)", format_size(job->final_bytes), format_size(job->bytes),
                          percent(job->final_bytes, job->bytes));
    if (job->lacks_space) text += ", waits for space";
    if (job->seconds_left) text += fmt::format(", {} left", format_estimate(*job->seconds_left));
    text += '\n';
  }
  text += status.oldest_user_restore
              ? fmt::format("restores of users: {}, the oldest waits for {}\n", status.user_restores,
                            duration(*status.oldest_user_restore))
              : "restores of users: none\n";

  text += fmt::format("\n  {:<10} {:>10} {:>10} {:>12} {:>8} {:>10} {:>9}\n", "ACTION", "pending", "running", "done", "failed",
                      "cancelled", "not done");
  for (const KindStatus& kind : status.kinds)
    text += fmt::format("  {:<10} {:>10} {:>10} {:>12} {:>8} {:>10} {:>9}\n", kind.name, kind.pending, kind.running, kind.done,
                        kind.failed, kind.cancelled, kind.put_back);

  const auto hosts = status.hosts();
  if (!hosts.empty()) {
    text += '\n' + fmt::format(k_load_columns, "HOST (ranks)", "slots busy", "rate", "files/s", "done", "failed");
    for (std::size_t i = 0; i < std::min(hosts.size(), most_rows); ++i)
      add_load(text, fmt::format("{} ({})", hosts[i].name, hosts[i].ranks), hosts[i].sum);
    add_rest(text, hosts.size(), most_rows);
    text += '\n' + fmt::format(k_load_columns, "RANK", "slots busy", "rate", "files/s", "done", "failed");
    for (std::size_t i = 0; i < std::min(status.ranks.size(), most_rows); ++i)
      add_load(text, fmt::format("{} {}", status.ranks[i].rank, status.ranks[i].host), status.ranks[i]);
    add_rest(text, status.ranks.size(), most_rows);
  }
  if (!status.files.empty()) {
    text += fmt::format("\n  {:<8} {:<38} {:>5} {:>10} {:>7} {:>8}  {}\n", "FILE", "", "rank", "size", "done", "since", "extents");
    for (std::size_t i = 0; i < std::min(status.files.size(), most_rows); ++i) {
      const FileStatus& file = status.files[i];
      text += fmt::format("  {:<8} {:<38} {:>5} {:>10} {:>5.1f} % {:>8}  {}\n", file.action, file.fid, file.rank,
                          format_size(file.size), percent(file.done, file.size), duration(file.seconds), extents(file));
    }
    add_rest(text, status.files.size(), most_rows);
  }
  if (!status.errors.empty()) {
    text += "\n  ERRORS\n";
    for (std::size_t i = 0; i < std::min(status.errors.size(), k_most_errors); ++i)
      text += fmt::format("  {} x {}\n", status.errors[i].count, status.errors[i].what);
    add_rest(text, status.errors.size(), k_most_errors);
  }
  return text;
}

}  // namespace lhsm::report
