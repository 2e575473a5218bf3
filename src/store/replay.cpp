// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/store/replay.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "journal_frame.hpp"
#include "manifest_seal.hpp"

namespace lhsm::store {

namespace {

// The place of a row's last result: the result above, then the number of the file, the offset in units of 8 below. No record stands
// at 0.
constexpr unsigned k_result_shift = 56;
constexpr unsigned k_file_shift = 55;
constexpr std::uint64_t k_place_mask = (std::uint64_t{1} << k_result_shift) - 1;
constexpr std::uint64_t k_offset_mask = (std::uint64_t{1} << k_file_shift) - 1;

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

Outcome<JournalState> JournalState::replay(const std::string& path) { return replay_all({path}); }

Outcome<JournalState> JournalState::replay(const std::string& rotated, const std::string& path) {
  return replay_all({rotated, path});
}

Outcome<JournalState> JournalState::replay_all(const std::vector<std::string>& paths) {
  JournalState state;
  std::vector<std::uint64_t> sizes;
  for (const std::string& path : paths) {
    File& file = state.m_files.emplace_back();
    file.path = path;
    LHSM_TRY_ASSIGN(file.fd, open_journal(path));
    LHSM_TRY_ASSIGN(file.base, read_base(*file.fd, path));
    file.seed = seed_of(file.base);
  }
  // The later file first: what is read of it has all before it in the earlier one then, however much is appended meanwhile.
  for (auto file = state.m_files.rbegin(); file != state.m_files.rend(); ++file) {
    struct stat status {};
    if (::fstat(*file->fd, &status) != 0) return errno_error("stat", file->path);
    sizes.insert(sizes.begin(), static_cast<std::uint64_t>(status.st_size));
  }
  state.m_base = state.m_files.back().base;
  for (std::size_t i = 0; i < paths.size(); ++i) LHSM_TRY(state.read(i, sizes[i]));
  state.m_way.drop_repeated();
  return state;
}

Status JournalState::read(std::size_t index, std::uint64_t size) {
  File& file = m_files[index];
  const auto visit = [&](const Frame& frame) -> Status {
    const auto record = decode(frame.type, frame.payload);
    if (!record || !take(*record, index, frame.offset))
      return corrupt(file.path, fmt::format("the record at byte {} makes no sense", frame.offset));
    ++m_records;
    return {};
  };
  LHSM_TRY_ASSIGN(const ScanEnd end, scan_frames(*file.fd, file.path, file.seed, size, visit));
  file.reach = {end.valid, end.size - end.valid, end.last_batch};
  return {};
}

bool JournalState::take(const JournalRecord& record, std::size_t file, std::uint64_t offset) {
  const bool has_row = std::visit(
      [this](const auto& one) {
        if constexpr (requires { one.row; })
          return one.row < m_base.item_count;
        else
          return true;
      },
      record);
  if (!has_row) return false;
  if (const auto* result = std::get_if<ItemResultRecord>(&record)) {
    set_place(result->row, result->outcome.result, file, offset);
    m_has_news = true;
  } else if (const auto* begun = std::get_if<RunBegunRecord>(&record)) {
    if (m_way.run == begun->run) return true;  // carried over from the journal before
    m_has_news = m_has_news || !m_runs.empty();
    m_runs.push_back(begun->run);
  } else if (const auto* ended = std::get_if<RunEndedRecord>(&record); ended != nullptr && m_way.run) {
    m_runs.back().end_ns = ended->end_ns;
    m_runs.back().exit_code = ended->exit_code;
    m_runs.back().totals = ended->totals;
    m_has_news = true;
  }
  m_way.take(record);
  return true;
}

void JournalState::set_place(std::uint64_t row, ItemResult result, std::size_t file, std::uint64_t offset) {
  assert(offset % 8 == 0 && offset / 8 <= k_offset_mask && file < 2);
  const auto page = static_cast<std::size_t>(row / k_slice_rows);
  if (m_pages.size() <= page) m_pages.resize(page + 1);
  if (!m_pages[page]) m_pages[page] = std::make_unique<Page>();
  (*m_pages[page])[row % k_slice_rows] =
      (static_cast<std::uint64_t>(result) << k_result_shift) | (std::uint64_t{file} << k_file_shift) | (offset / 8);
}

std::uint64_t JournalState::place(std::uint64_t row) const {
  const auto page = static_cast<std::size_t>(row / k_slice_rows);
  return page < m_pages.size() && m_pages[page] ? (*m_pages[page])[row % k_slice_rows] : 0;
}

const JournalState::File& JournalState::file_of(std::uint64_t place) const {
  return m_files.at(static_cast<std::size_t>((place & k_place_mask) >> k_file_shift));
}

std::optional<ItemResult> JournalState::result(std::uint64_t row) const {
  const std::uint64_t found = place(row);
  if (found == 0) return std::nullopt;
  return static_cast<ItemResult>(found >> k_result_shift);
}

Outcome<std::optional<ItemResultRecord>> JournalState::outcome(std::uint64_t row) const {
  if (place(row) == 0) return std::optional<ItemResultRecord>();
  const File& file = file_of(place(row));
  FileWindow window(*file.fd, file.path, file.reach.valid, k_one_result);
  return read_outcome(row, window);
}

Outcome<std::optional<ItemResultRecord>> JournalState::read_outcome(std::uint64_t row, FileWindow& window) const {
  const std::uint64_t found = place(row);
  if (found == 0) return std::optional<ItemResultRecord>();
  const std::uint64_t offset = (found & k_offset_mask) * 8;
  LHSM_TRY_ASSIGN(const Frame frame, read_frame(window, file_of(found).seed, offset));
  const auto record = decode(frame.type, frame.payload);
  const auto* result = record ? std::get_if<ItemResultRecord>(&*record) : nullptr;
  if (result == nullptr || result->row != row)
    return corrupt(window.path(), fmt::format("another record at byte {} than before", offset));
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
    if (const auto found = place(first + i); found != 0) places.emplace_back(found & k_place_mask, i);
  std::sort(places.begin(), places.end());
  if (places.empty()) return {};
  std::optional<FileWindow> window;
  const File* of = nullptr;
  for (const auto& [place, i] : places) {
    if (const File& file = file_of(place); &file != of) {
      window.emplace(*file.fd, file.path, file.reach.valid, k_some_results);
      of = &file;
    }
    LHSM_TRY_ASSIGN(const auto record, read_outcome(first + i, *window));
    slice.set_outcome(i, record->outcome);
    if (record->hsm_state && !slice.hsm_state.empty()) slice.hsm_state[i] = *record->hsm_state;
  }
  return {};
}

std::vector<RunRecord> JournalState::finished_runs() const {
  std::vector<RunRecord> runs = m_runs;
  if (m_way.run) runs.pop_back();
  return runs;
}

}  // namespace lhsm::store
