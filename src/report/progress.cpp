// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/report/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lhsmtool_mpi/base/say.hpp"
#include "lhsmtool_mpi/base/size.hpp"

namespace lhsm::report {

namespace {

using Seconds = std::chrono::duration<double>;

constexpr double k_memory_seconds = 20;
constexpr std::size_t k_error_lines = 12;

}  // namespace

void RateEstimator::sample(TimePoint now, std::uint64_t files, std::uint64_t bytes) {
  const double seconds = Seconds(now - m_last).count();
  if (m_begun && seconds > 0) {
    // An exponential mean whose memory is measured in time, not in samples, and which is never of more than there was.
    const double weight = 1 - std::exp(-seconds / k_memory_seconds);
    m_known += (1 - m_known) * weight;
    const auto files_now = static_cast<double>(files - m_files) / seconds;
    const auto bytes_now = static_cast<double>(bytes - m_bytes) / seconds;
    m_files_per_second += (files_now - m_files_per_second) * weight / m_known;
    m_bytes_per_second += (bytes_now - m_bytes_per_second) * weight / m_known;
  }
  if (!m_begun) m_first = now;
  m_begun = true;
  m_last = now;
  m_files = files;
  m_bytes = bytes;
}

static double percent(std::uint64_t part, std::uint64_t all) {
  return all == 0 ? 100 : 100 * static_cast<double>(part) / static_cast<double>(all);
}

std::optional<double> seconds_left(const run::JobCounts& job, Duration elapsed) {
  double seconds = 0;
  const auto consider = [&](std::uint64_t left, std::uint64_t done) {
    if (done > 0) seconds = std::max(seconds, Seconds(elapsed).count() * static_cast<double>(left) / static_cast<double>(done));
  };
  consider(job.items - job.final, job.done);
  consider(job.bytes - job.final_bytes, job.done_bytes);
  return seconds > 0 && job.final < job.items ? std::optional(seconds) : std::nullopt;
}

/// What both kinds of lines say of the run itself.
static std::string rates_and_queue(const run::RunState& state, const RateEstimator& rate, std::uint64_t failed) {
  return fmt::format("{}/s, {:.0f} files/s, {} running, {} queued, {} failed",
                     format_size(static_cast<std::uint64_t>(rate.bytes_per_second())), rate.files_per_second(), state.running,
                     state.queued, failed);
}

/// Of a job: how much of it is left, whatever of that is here already.
static std::string job_line(const run::RunState& state, const RateEstimator& rate) {
  const run::JobCounts& job = *state.job;
  std::string line = fmt::format("{}/{} items ({:.1f} %), ", job.final, job.items, percent(job.final, job.items));
  line += job.bytes == 0 ? format_size(state.bytes_copied)
                         : fmt::format("{} of {} ({:.1f} %)", format_size(job.final_bytes), format_size(job.bytes),
                                       percent(job.final_bytes, job.bytes));
  line += ", " + rates_and_queue(state, rate, job.unsuccessful);
  if (job.lacks_space)
    line += ", waits for space";
  else if (const auto left = seconds_left(job, rate.elapsed()))
    line += fmt::format(", {} left", format_estimate(*left));
  if (state.draining && job.final < job.items) line += ", stopping";
  return line;
}

/// Of a copytool: what it is still to be asked for nobody knows, nor how large what waits is.
std::string progress_line(const run::RunState& state, const RateEstimator& rate) {
  if (state.job) return job_line(state, rate);
  std::string line = fmt::format("{}/{} files, {}, {}", state.final(), state.received, format_size(state.bytes_copied),
                                 rates_and_queue(state, rate, state.failed));
  if (state.draining) line += ", stopping";
  return line;
}

std::string summary(const run::RunState& state, Seconds took, const std::map<std::string, std::uint64_t>& errors) {
  const double seconds = std::max(took.count(), 1e-3);
  std::string text;
  const auto add = [&text](std::string_view name, const std::string& value) {
    text += fmt::format("{:<11} {}\n", std::string(name) + ':', value);
  };
  add("Completed", local_time());
  add("Seconds", fmt::format("{:.1f}", took.count()));
  add("Ranks", fmt::format("{}", state.ranks));
  if (const double waited = Seconds(state.waited).count(); waited > 0)
    add("Idle", fmt::format("{:.1f} % at most, of one rank, of the {:.1f} s in which actions waited",
                            Seconds(state.most_idle).count() / waited * 100, waited));
  const std::string done = fmt::format("{} ({} archived, {} restored, {} removed)", state.done(), state.archived, state.restored,
                                       state.removed);
  if (!state.job) add("Files", done);
  if (state.unverified > 0)
    add("Unverified", fmt::format("{} restored from objects without a digest", state.unverified));
  add("Data", fmt::format("{} ({} bytes)", format_size(state.file_bytes), state.file_bytes));
  add("Rate", fmt::format("{}/s, {:.1f} files/s", format_size(static_cast<std::uint64_t>(
                                                       static_cast<double>(state.file_bytes) / seconds)),
                          static_cast<double>(state.done()) / seconds));
  if (state.job) {
    // The job tells of its files itself; these are others, and more.
    add("Actions", fmt::format("{}, {} failed, {} cancelled, {} not done: the copytool's, with each attempt and what others asked for",
                               done, state.failed, state.cancelled, state.put_back));
  } else {
    add("Failed", fmt::format("{}", state.failed));
    if (state.cancelled > 0) add("Cancelled", fmt::format("{}", state.cancelled));
    if (state.put_back > 0) add("Not done", fmt::format("{}", state.put_back));
  }
  std::size_t lines = 0;
  for (const auto& [what, count] : errors) {
    if (++lines > k_error_lines) {
      text += fmt::format("  and {} other kinds of failure\n", errors.size() - k_error_lines);
      break;
    }
    text += fmt::format("  {} x {}\n", count, what);
  }
  return text;
}

ProgressPrinter::ProgressPrinter(std::FILE* out, Style style, std::chrono::seconds interval)
    : m_out(out), m_lines(out, style, interval) {}

void ProgressPrinter::update(const run::RunState& state, TimePoint now) {
  m_failures.pass(now);
  m_job = state.job;
  if (!m_rate.has_begun()) m_rate.sample(now, state.final(), state.bytes_copied);
  if (!m_lines.due(now)) return;
  m_rate.sample(now, state.final(), state.bytes_copied);
  m_lines.print(progress_line(state, m_rate));
}

void ProgressPrinter::failed(const ActionItem& item, const Error& error) {
  const std::string kind = fmt::format("{}: {} ({})", to_string(item.kind), error.operation, errno_name(error.sys_errno));
  ++m_errors[kind];
  m_failures.failed(kind, fmt::format("{} failed: {}", item.describe(), error.describe()));
}

void ProgressPrinter::end() {
  m_lines.end();
  m_failures.close();
}

void ProgressPrinter::close(const run::RunState& state, TimePoint now) {
  end();
  run::RunState last = state;
  last.job = m_job;
  say(m_out, "{}", summary(last, now - state.started, m_errors));
  std::fflush(m_out);
}

}  // namespace lhsm::report
