// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/store/replay.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "journal_frame.hpp"
#include "manifest_seal.hpp"

namespace lhsm::store {

namespace {

// The place of a row's last result: the result above, the offset in units of 8 below. No record stands at 0.
constexpr unsigned k_result_shift = 56;
constexpr std::uint64_t k_offset_mask = (std::uint64_t{1} << k_result_shift) - 1;

// What is read at once: cheap also where the next result is elsewhere.
constexpr std::size_t k_one_result = 256;
constexpr std::size_t k_some_results = 16384;

Outcome<Fd> open_journal(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_error("open", path);
  return fd;
}

}  // namespace

Outcome<JournalBase> read_journal_base(const std::string& path) {
  LHSM_TRY_ASSIGN(const Fd fd, open_journal(path));
  return read_base(*fd, path);
}

JournalState JournalState::none(const JournalBase& base) {
  JournalState state;
  state.m_base = base;
  return state;
}

Outcome<JournalState> JournalState::replay(const std::string& path) {
  JournalState state;
  state.m_path = path;
  LHSM_TRY_ASSIGN(state.m_file, open_journal(path));
  LHSM_TRY_ASSIGN(state.m_base, read_base(*state.m_file, path));
  state.m_seed = seed_of(state.m_base);
  const auto visit = [&](const Frame& frame) -> Status {
    auto record = decode(frame.type, frame.payload);
    if (!record || !state.take(std::move(*record), frame.offset))
      return corrupt(path, fmt::format("the record at byte {} makes no sense", frame.offset));
    ++state.m_records;
    return {};
  };
  LHSM_TRY_ASSIGN(const ScanEnd end, scan_frames(*state.m_file, path, state.m_seed, visit));
  state.m_valid = end.valid;
  state.m_torn = end.size - end.valid;
  state.m_last_batch = end.last_batch;
  return state;
}

bool JournalState::take(JournalRecord record, std::uint64_t offset) {
  const auto knows = [&](std::uint64_t row) { return row < m_base.item_count; };
  if (auto* result = std::get_if<ItemResultRecord>(&record)) {
    if (!knows(result->row)) return false;
    set_place(result->row, result->outcome.result, offset);
    if (result->outcome.result != ItemResult::pending) {
      m_requests.erase(result->row);
      m_partial.erase(result->row);
    }
    m_has_news = true;
  } else if (auto* request = std::get_if<RequestRecord>(&record)) {
    if (!knows(request->row)) return false;
    m_requests.insert_or_assign(request->row, *request);
  } else if (auto* extent = std::get_if<ExtentRecord>(&record)) {
    if (!knows(extent->row)) return false;
    PartialFile& file = m_partial[extent->row];
    if (!(file.version == extent->version)) file = {extent->version, {}};
    file.extents.push_back(std::move(*extent));
  } else if (auto* begun = std::get_if<RunBegunRecord>(&record)) {
    m_has_news = m_has_news || !m_runs.empty();
    m_runs.push_back(std::move(begun->run));
    m_run_is_open = true;
  } else if (auto* ended = std::get_if<RunEndedRecord>(&record); ended != nullptr && m_run_is_open) {
    m_runs.back().end_ns = ended->end_ns;
    m_runs.back().exit_code = ended->exit_code;
    m_runs.back().totals = ended->totals;
    m_run_is_open = false;
    m_has_news = true;
  }
  return true;
}

void JournalState::set_place(std::uint64_t row, ItemResult result, std::uint64_t offset) {
  assert(offset % 8 == 0 && offset / 8 <= k_offset_mask);
  const auto page = static_cast<std::size_t>(row / k_slice_rows);
  if (m_pages.size() <= page) m_pages.resize(page + 1);
  if (!m_pages[page]) m_pages[page] = std::make_unique<Page>();
  (*m_pages[page])[row % k_slice_rows] = (static_cast<std::uint64_t>(result) << k_result_shift) | (offset / 8);
}

std::uint64_t JournalState::place(std::uint64_t row) const {
  const auto page = static_cast<std::size_t>(row / k_slice_rows);
  return page < m_pages.size() && m_pages[page] ? (*m_pages[page])[row % k_slice_rows] : 0;
}

std::optional<ItemResult> JournalState::result(std::uint64_t row) const {
  const std::uint64_t found = place(row);
  if (found == 0) return std::nullopt;
  return static_cast<ItemResult>(found >> k_result_shift);
}

Outcome<std::optional<ItemResultRecord>> JournalState::outcome(std::uint64_t row) const {
  if (place(row) == 0) return std::optional<ItemResultRecord>();
  FileWindow window(*m_file, m_path, m_valid, k_one_result);
  return read_outcome(row, window);
}

Outcome<std::optional<ItemResultRecord>> JournalState::read_outcome(std::uint64_t row, FileWindow& window) const {
  const std::uint64_t found = place(row);
  if (found == 0) return std::optional<ItemResultRecord>();
  const std::uint64_t offset = (found & k_offset_mask) * 8;
  LHSM_TRY_ASSIGN(const Frame frame, read_frame(window, m_seed, offset));
  const auto record = decode(frame.type, frame.payload);
  const auto* result = record ? std::get_if<ItemResultRecord>(&*record) : nullptr;
  if (result == nullptr || result->row != row)
    return corrupt(m_path, fmt::format("another record at byte {} than before", offset));
  return std::optional(*result);
}

Status JournalState::overlay(std::uint64_t first, ItemSlice& slice) const {
  std::size_t count = slice.path_end.size();
  bool needs_records = false;
  for_each_column(slice, [&](Column id, const char*, const auto& column) {
    count = std::max(count, column.size());
    if (id > Column::result || id == Column::hsm_state) needs_records = needs_records || !column.empty();
  });
  if (!needs_records) {
    for (std::size_t i = 0; i < slice.result.size(); ++i) slice.result[i] = result(first + i).value_or(slice.result[i]);
    return {};
  }
  // In the order of the file: mostly one place after the other.
  std::vector<std::pair<std::uint64_t, std::size_t>> places;
  for (std::size_t i = 0; i < count; ++i)
    if (const auto found = place(first + i); found != 0) places.emplace_back(found & k_offset_mask, i);
  std::sort(places.begin(), places.end());
  if (places.empty()) return {};
  FileWindow window(*m_file, m_path, m_valid, k_some_results);
  for (const auto& [offset, i] : places) {
    LHSM_TRY_ASSIGN(const auto record, read_outcome(first + i, window));
    slice.set_outcome(i, record->outcome);
    if (record->hsm_state && !slice.hsm_state.empty()) slice.hsm_state[i] = *record->hsm_state;
  }
  return {};
}

std::vector<JournalRecord> JournalState::unfinished() const {
  std::vector<JournalRecord> records;
  if (m_run_is_open) records.emplace_back(RunBegunRecord{m_runs.back()});
  for (const auto& [row, request] : m_requests) records.emplace_back(request);
  for (const auto& [row, file] : m_partial) records.insert(records.end(), file.extents.begin(), file.extents.end());
  return records;
}

std::vector<RunRecord> JournalState::finished_runs() const {
  std::vector<RunRecord> runs = m_runs;
  if (m_run_is_open) runs.pop_back();
  return runs;
}

}  // namespace lhsm::store
