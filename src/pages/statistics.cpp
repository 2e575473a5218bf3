// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/pages/statistics.hpp"

#include <algorithm>
#include <limits>

#include "lhsmtool_mpi/bulk/row_walk.hpp"
#include "lhsmtool_mpi/bulk/run_work.hpp"

namespace lhsm::pages {

using store::Column;
using store::ItemResult;
using store::ItemSlice;

namespace {

/// What the first pass finds: when the job was at work, and on how many ranks.
struct Extents {
  std::int64_t first_ns = std::numeric_limits<std::int64_t>::max();
  std::int64_t last_ns = 0;
  std::int32_t last_rank = -1;
  store::ItemAction action = store::ItemAction::none;
  std::vector<std::int64_t> last_in_run;  ///< 0: the run ended no item
};

// A manifest may hold any number; what is reckoned with below is one that makes sense.

std::int64_t moment(std::int64_t ns) {
  constexpr std::int64_t k_latest = 4'000'000'000'000'000'000;  // in 2096
  return std::clamp<std::int64_t>(ns, 0, k_latest);
}

double seconds_of(const ItemSlice& slice, std::size_t i) {
  constexpr float k_longest = 1e8F;  // three years
  return slice.seconds[i] > 0 ? static_cast<double>(std::min(slice.seconds[i], k_longest)) : 0;
}

std::int64_t end_of(const ItemSlice& slice, std::size_t i) { return moment(slice.end[i]); }

std::int64_t begin_of(const ItemSlice& slice, std::size_t i) {
  return moment(end_of(slice, i) - static_cast<std::int64_t>(seconds_of(slice, i) * 1e9));
}

Outcome<Extents> find_extents(store::SeenJob& job, const std::vector<store::RunRecord>& runs) {
  Extents found;
  found.last_in_run.assign(runs.size(), 0);
  const store::Columns columns{Column::action, Column::result, Column::end, Column::seconds, Column::rank};
  LHSM_TRY(bulk::for_each_slice(job.manifest, job.state, columns, [&](std::uint64_t, const ItemSlice& slice) -> Status {
    for (std::size_t i = 0; i < slice.result.size(); ++i) {
      found.last_rank = std::max(found.last_rank, slice.rank[i]);
      found.action = slice.action[i];  // all have the same
      if (end_of(slice, i) == 0) continue;
      found.first_ns = std::min(found.first_ns, begin_of(slice, i));
      found.last_ns = std::max(found.last_ns, end_of(slice, i));
      if (const std::size_t run = bulk::run_at(runs, end_of(slice, i)); run < runs.size())
        found.last_in_run[run] = std::max(found.last_in_run[run], end_of(slice, i));
    }
    return {};
  }));
  return found;
}

/// The times in which the job was at work: runs that gave items their results, and those beside them that came to an end without.
std::vector<Span> spans_of(const Extents& extents, const std::vector<store::RunRecord>& runs,
                           std::int64_t running_until_ns) {
  std::vector<Span> spans;
  const std::size_t first = bulk::first_run_of(runs, extents.action);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const bool goes_on = i + 1 == runs.size() && runs[i].end_ns == 0 && running_until_ns != 0;
    if (extents.last_in_run[i] == 0 && (i < first || (runs[i].end_ns == 0 && !goes_on))) continue;
    std::int64_t end = std::max(runs[i].end_ns, extents.last_in_run[i]);
    if (goes_on) end = std::max(end, moment(running_until_ns));  // else it was killed after its last result
    if (i + 1 < runs.size()) end = std::min(end, runs[i + 1].begin_ns);
    spans.push_back({runs[i].begin_ns, std::max(end, runs[i].begin_ns)});
  }
  if (spans.empty() && extents.last_ns > 0) spans.push_back({extents.first_ns, extents.last_ns});
  return spans;
}

class Gatherer {
 public:
  Gatherer(Statistics& statistics, std::int32_t last_rank) : m_statistics(statistics) {
    constexpr std::int32_t k_most_ranks = 1 << 24;  // whatever a manifest says
    const std::int32_t ranks = std::clamp(last_rank, -1, k_most_ranks) + 1;
    const auto rows = static_cast<std::int32_t>(Statistics::k_most_rank_rows);
    m_ranks_in_row = std::max(1, (ranks + rows - 1) / rows);
    for (std::int32_t first = 0; first < ranks; first += m_ranks_in_row)
      m_statistics.ranks.push_back({first, std::min(first + m_ranks_in_row, ranks) - 1, 0, 0,
                                    std::vector<double>(m_statistics.timeline.bins().size())});
  }

  void add(const ItemSlice& slice, std::size_t i) {
    const ItemResult result = slice.result[i];
    bulk::Census& census = m_statistics.census;
    ++census.actions.at(static_cast<std::size_t>(slice.action[i]));
    ++census.results.at(static_cast<std::size_t>(result));
    census.bytes += slice.size[i];
    census.result_bytes.at(static_cast<std::size_t>(result)) += slice.size[i];
    if (result == ItemResult::pending) census.largest_left = std::max(census.largest_left, slice.size[i]);
    m_statistics.sizes.add(slice.size[i]);
    m_statistics.bytes_copied += slice.bytes_copied[i];
    m_statistics.attempts += slice.attempts[i];
    if (slice.attempts[i] > 1) ++m_statistics.retried;
    if (bulk::is_unsuccessful(result)) add_error(slice, i);
    if (result == ItemResult::done) add_latency(slice, i);
    if (end_of(slice, i) != 0) add_time(slice, i);
    add_slow(slice, i);
  }

  void finish() { std::sort(m_statistics.slowest.begin(), m_statistics.slowest.end(), is_slower); }

 private:
  static bool is_slower(const SlowItem& a, const SlowItem& b) { return a.seconds > b.seconds; }
  static std::string name_of(const ItemSlice& slice, std::size_t i) {
    if (!slice.path(i).empty()) return std::string(slice.path(i));
    return Fid{slice.fid_seq[i], slice.fid_oid[i], slice.fid_ver[i]}.bracketed();
  }

  void add_error(const ItemSlice& slice, std::size_t i) {
    ++m_statistics.census.errnos[slice.sys_errno[i]];
    ErrorGroup& group = m_statistics.errors[{slice.result[i], slice.sys_errno[i]}];
    ++group.items;
    group.bytes += slice.size[i];
    if (group.examples.size() < ErrorGroup::k_most_examples) group.examples.push_back(name_of(slice, i));
  }

  void add_latency(const ItemSlice& slice, std::size_t i) {
    if (slice.rank[i] >= 0) m_statistics.copying.add(seconds_of(slice, i));
    const std::int64_t first = moment(slice.first_start[i]);
    if (first != 0 && end_of(slice, i) != 0)
      m_statistics.waiting.add(static_cast<double>(end_of(slice, i) - first) * 1e-9);
  }

  void add_time(const ItemSlice& slice, std::size_t i) {
    Timeline& timeline = m_statistics.timeline;
    const std::size_t bin = timeline.bin_of(end_of(slice, i));
    if (bin < timeline.bins().size()) {
      if (slice.result[i] == ItemResult::done) timeline.bins()[bin].done += 1;
      if (bulk::is_unsuccessful(slice.result[i])) timeline.bins()[bin].failed += 1;
    }
    RankActivity* const rank = row_of(slice.rank[i]);
    if (rank != nullptr) {
      ++rank->items;
      rank->bytes += slice.bytes_copied[i];
    }
    const auto bytes = static_cast<double>(slice.bytes_copied[i]);
    const double seconds = seconds_of(slice, i);
    timeline.spread(begin_of(slice, i), end_of(slice, i), [&](std::size_t at, double share) {
      timeline.bins()[at].bytes += share * bytes;
      if (rank != nullptr) rank->busy[at] += share * seconds;
    });
  }

  RankActivity* row_of(std::int32_t rank) {
    if (rank < 0) return nullptr;
    const auto row = static_cast<std::size_t>(rank / m_ranks_in_row);
    return row < m_statistics.ranks.size() ? &m_statistics.ranks[row] : nullptr;
  }

  void add_slow(const ItemSlice& slice, std::size_t i) {
    auto& slowest = m_statistics.slowest;  // a heap with the fastest of them on top
    const double seconds = seconds_of(slice, i);
    if (seconds <= 0) return;
    if (slowest.size() == Statistics::k_most_slow) {
      if (seconds <= slowest.front().seconds) return;
      std::pop_heap(slowest.begin(), slowest.end(), is_slower);
      slowest.pop_back();
    }
    slowest.push_back({seconds, slice.size[i], slice.rank[i], slice.attempts[i], slice.result[i], name_of(slice, i)});
    std::push_heap(slowest.begin(), slowest.end(), is_slower);
  }

  Statistics& m_statistics;
  std::int32_t m_ranks_in_row = 1;
};

}  // namespace

Outcome<Statistics> gather(store::SeenJob& job, std::int64_t running_until_ns) {
  Statistics statistics;
  statistics.census.items = job.manifest.item_count();
  statistics.runs = bulk::runs_of(job);  // what follows counts on the order
  for (store::RunRecord& run : statistics.runs) {
    run.begin_ns = moment(run.begin_ns);
    run.end_ns = moment(run.end_ns);
  }
  LHSM_TRY_ASSIGN(const Extents extents, find_extents(job, statistics.runs));
  statistics.timeline = Timeline(spans_of(extents, statistics.runs, running_until_ns));
  Gatherer gatherer(statistics, extents.last_rank);
  const store::Columns columns{Column::fid_seq, Column::fid_oid,     Column::fid_ver, Column::path,
                               Column::size,    Column::action,      Column::result,  Column::sys_errno,
                               Column::rank,    Column::attempts,    Column::seconds, Column::first_start,
                               Column::end,     Column::bytes_copied};
  LHSM_TRY(bulk::for_each_slice(job.manifest, job.state, columns, [&](std::uint64_t, const ItemSlice& slice) -> Status {
    for (std::size_t i = 0; i < slice.result.size(); ++i) gatherer.add(slice, i);
    return {};
  }));
  gatherer.finish();
  return statistics;
}

}  // namespace lhsm::pages
