// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/forecast.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#include "lhsmtool_mpi/bulk/import.hpp"
#include "lhsmtool_mpi/bulk/judge.hpp"
#include "lhsmtool_mpi/bulk/row_walk.hpp"

namespace lhsm::bulk {

using store::Column;
using store::ItemAction;
using store::ItemResult;
using store::ItemSlice;

namespace {

constexpr std::uint32_t k_all_osts = 65535;
constexpr std::size_t k_piece = 64;  // rows that a thread takes at a time

enum class Fate : std::uint8_t { to_do, already, finished, given_up, hindered };

/// What is found of one item.
struct Finding {
  Fate fate = Fate::to_do;
  std::uint64_t size = 0;
  std::optional<std::uint32_t> states;  ///< when the run would look at it
  std::string reason;                   ///< of hindered
};

class Prophet {
 public:
  Prophet(const ForecastOptions& options, ItemAction action, ItemAction former, bool is_anew)
      : m_options(options), m_action(action), m_former(former), m_is_anew(is_anew) {}

  [[nodiscard]] Finding find(const ItemSlice& slice, std::size_t i) const {
    Finding finding;
    finding.size = slice.size[i];
    if (!m_is_anew && slice.result[i] != ItemResult::pending) {
      if (!is_unsuccessful(slice.result[i])) {
        finding.fate = Fate::finished;
        return finding;
      }
      if (!m_options.takes_up_failed) {
        finding.fate = Fate::given_up;
        return finding;
      }
    }
    const Fid fid{slice.fid_seq[i], slice.fid_oid[i], slice.fid_ver[i]};
    lustre::HsmState state{slice.hsm_state[i], slice.archive_id[i]};
    if (m_options.client == nullptr) {
      // What the manifest's results tell is newer than what the scan saw.
      state.states = states_after(m_former, slice.result[i], state.states);
    } else if (const Status seen = look(fid, state, finding.size); !seen) {
      hinder(finding, seen.error());
      return finding;
    }
    finding.states = state.states;
    judge_state(state, finding);
    if (finding.fate == Fate::to_do) look_for_object(fid, state.states, slice.mtime[i], finding);
    return finding;
  }

 private:
  /// As the run does it before it asks.
  Status look(const Fid& fid, lustre::HsmState& state, std::uint64_t& size) const {
    LHSM_TRY_ASSIGN(const Fd fd, m_options.client->open_by_fid(fid, O_RDONLY | O_NONBLOCK | O_NOFOLLOW));
    LHSM_TRY_ASSIGN(state, m_options.client->hsm_state(*fd));
    struct stat now {};
    if (::fstat(*fd, &now) != 0) return errno_error("fstat", fid.bracketed());
    size = static_cast<std::uint64_t>(now.st_size);
    return {};
  }

  void judge_state(const lustre::HsmState& state, Finding& finding) const {
    switch (judge(m_action, state, m_options.archives)) {
      case Verdict::already: finding.fate = Fate::already; return;
      case Verdict::refused:
        finding.fate = Fate::hindered;
        finding.reason = why_refused(m_action, state);
        return;
      case Verdict::ask: break;
    }
  }

  void look_for_object(const Fid& fid, std::uint32_t hsm_state, std::int64_t mtime_ns, Finding& finding) const {
    if ((m_action != ItemAction::restore && m_action != ItemAction::import) || !m_options.object) return;
    const auto object = m_options.object(fid);
    if (!object) {
      hinder(finding, object.error().sys_errno == ENOENT
                          ? Error{ErrorKind::not_found, ENOENT, "no object in the archive", ""}
                          : object.error());
    } else if (m_action == ItemAction::import) {
      const auto stale = why_stale(has_newer_data(hsm_state), mtime_ns, finding.size, object->mtime, object->size);
      if (!stale.empty()) hinder(finding, {ErrorKind::invalid, ESTALE, std::string(stale.substr(0, stale.rfind(','))), ""});
      finding.size = object->size;
    } else if (finding.size == 0) {
      finding.size = object->size;  // which a restore gives it
    } else if (object->size != finding.size) {
      hinder(finding, {ErrorKind::corrupt, EIO, "the object has another size than the file", ""});
    }
  }

  /// Reasons are few: without the file's name.
  static void hinder(Finding& finding, const Error& error) {
    finding.fate = Fate::hindered;
    finding.reason = fmt::format("{} ({})", error.operation, errno_name(error.sys_errno));
  }

  const ForecastOptions& m_options;
  ItemAction m_action;
  ItemAction m_former;
  bool m_is_anew;
};

std::string name_of(const ItemSlice& slice, std::size_t i) {
  return !slice.path(i).empty() ? std::string(slice.path(i))
                                : Fid{slice.fid_seq[i], slice.fid_oid[i], slice.fid_ver[i]}.bracketed();
}

void count_to_do(Forecast& forecast, std::uint64_t size, const ItemSlice& slice, std::size_t i) {
  forecast.to_do.add(size);
  forecast.largest = std::max(forecast.largest, size);
  forecast.owners[slice.uid[i]] += size;
  forecast.groups[slice.gid[i]] += size;
  forecast.projects[slice.projid[i]] += size;
  Striped& striped = forecast.striped[std::min(slice.stripe_count[i], k_all_osts)];
  striped.amount.add(size);
  if (size > striped.largest) {
    striped.largest = size;
    striped.largest_path = name_of(slice, i);
  }
}

void count(Forecast& forecast, const Finding& finding, const ItemSlice& slice, std::size_t i) {
  forecast.all.add(finding.size);
  if (finding.states) forecast.states[*finding.states].add(finding.size);
  switch (finding.fate) {
    case Fate::to_do: count_to_do(forecast, finding.size, slice, i); break;
    case Fate::already: forecast.already.add(finding.size); break;
    case Fate::finished: forecast.finished.add(finding.size); break;
    case Fate::given_up: forecast.given_up.add(finding.size); break;
    case Fate::hindered: {
      Obstacle& obstacle = forecast.obstacles[finding.reason];
      obstacle.amount.add(finding.size);
      if (obstacle.examples.size() < Obstacle::k_most_examples) obstacle.examples.push_back(name_of(slice, i));
      break;
    }
  }
}

}  // namespace

std::uint64_t Forecast::hindered() const {
  std::uint64_t items = 0;
  for (const auto& [reason, obstacle] : obstacles) items += obstacle.amount.items;
  return items;
}

Outcome<Forecast> forecast(store::SeenJob& job, const std::string& manifest_path, const ForecastOptions& options) {
  LHSM_TRY_ASSIGN(const Census census, take_census(job.manifest, job.state));
  const ItemAction former = action_of(census);
  Forecast result;
  result.action = options.action == ItemAction::none ? former : options.action;
  if (result.action == ItemAction::none && census.items > 0)
    return failure(ErrorKind::invalid, EINVAL, "find what is to be done with the items of", manifest_path);
  LHSM_TRY_ASSIGN(const ActionChange change, change_to(census, result.action, manifest_path));
  const Prophet prophet(options, result.action, former, change == ActionChange::anew);
  const bool does_wait = options.client != nullptr || options.object;  // for servers
  std::vector<Finding> findings;
  const store::Columns columns{Column::fid_seq, Column::fid_oid, Column::fid_ver,      Column::path,
                               Column::size,    Column::uid,     Column::gid,          Column::projid,
                               Column::result,  Column::hsm_state, Column::archive_id, Column::stripe_count,
                               Column::mtime};
  LHSM_TRY(for_each_slice(job.manifest, job.state, columns, [&](std::uint64_t, const ItemSlice& slice) -> Status {
    findings.assign(slice.result.size(), {});
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      for (std::size_t begin = next.fetch_add(k_piece); begin < findings.size(); begin = next.fetch_add(k_piece))
        for (std::size_t i = begin; i < std::min(begin + k_piece, findings.size()); ++i)
          findings[i] = prophet.find(slice, i);
    };
    {
      std::vector<std::jthread> threads;
      for (unsigned i = 1; does_wait && i < options.threads; ++i) threads.emplace_back(work);
      work();
    }
    for (std::size_t i = 0; i < findings.size(); ++i) count(result, findings[i], slice, i);
    return {};
  }));
  return result;
}

std::optional<Rates> rates_of(const std::vector<store::RunRecord>& runs, const std::vector<RunWork>& works, ItemAction action) {
  Rates rates;
  std::uint64_t bytes = 0;
  const std::size_t first = first_run_of(runs, action);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    // Of a run that goes on, or was killed, the items tell, as long as their results are of this action.
    const bool has_end = runs[i].end_ns != 0;
    if (i < first && (!has_end || !is_run_of(runs[i], action))) continue;
    const std::uint64_t files =
        has_end ? runs[i].totals.results.at(static_cast<std::size_t>(ItemResult::done)) : works.at(i).files;
    const std::int64_t end_ns = has_end ? runs[i].end_ns : works.at(i).last_end_ns;
    if (files == 0 || end_ns <= runs[i].begin_ns) continue;
    ++rates.runs;
    rates.files += files;
    bytes += has_end ? runs[i].totals.bytes_copied : works.at(i).bytes;
    rates.seconds += static_cast<double>(end_ns - runs[i].begin_ns) * 1e-9;
  }
  if (rates.runs == 0) return std::nullopt;
  rates.files_per_second = static_cast<double>(rates.files) / rates.seconds;
  rates.bytes_per_second = static_cast<double>(bytes) / rates.seconds;
  return rates;
}

std::optional<double> seconds_for(const Amount& amount, const Rates& rates) {
  if (rates.files_per_second <= 0 && rates.bytes_per_second <= 0) return std::nullopt;
  double seconds = 0;
  if (rates.files_per_second > 0) seconds = static_cast<double>(amount.items) / rates.files_per_second;
  if (rates.bytes_per_second > 0)
    seconds = std::max(seconds, static_cast<double>(amount.bytes) / rates.bytes_per_second);
  return seconds;
}

}  // namespace lhsm::bulk
