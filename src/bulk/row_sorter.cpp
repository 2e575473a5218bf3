// SPDX-License-Identifier: LGPL-2.1-or-later
#include "row_sorter.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <queue>

namespace lhsm::bulk {

namespace {

/// A row in a file; its key follows.
struct Head {
  std::uint64_t row;
  std::uint64_t seq;
  std::int64_t first_start_ns;
  std::uint64_t size;
  std::uint32_t oid;
  std::uint32_t ver;
  std::uint32_t mdt_index;
  std::uint32_t attempts;
  std::uint32_t group;
  std::uint32_t key_bytes;
};
static_assert(sizeof(Head) == 56);

constexpr std::size_t k_write_bytes = std::size_t{1} << 20;
constexpr std::uint64_t k_rows_between_looks = 65536;  // whether to stop

Head head_at(const char* bytes) {
  Head head{};
  std::memcpy(&head, bytes, sizeof head);
  return head;
}

std::string_view key_at(const char* bytes) { return {bytes + sizeof(Head), head_at(bytes).key_bytes}; }
std::string_view record_at(const char* bytes) { return {bytes, sizeof(Head) + head_at(bytes).key_bytes}; }

/// Whether one record comes before another.
bool is_before(const char* a, const char* b) {
  const Head x = head_at(a);
  const Head y = head_at(b);
  if (x.group != y.group) return x.group < y.group;
  if (const int order = key_at(a).compare(key_at(b)); order != 0) return order < 0;
  return x.row < y.row;
}

}  // namespace

std::optional<Row> take_row(std::string_view& bytes) {
  if (bytes.size() < sizeof(Head)) return std::nullopt;
  const Head head = head_at(bytes.data());
  if (bytes.size() - sizeof head < head.key_bytes) return std::nullopt;
  bytes.remove_prefix(sizeof head + head.key_bytes);
  return Row{head.row, {head.seq, head.oid, head.ver}, head.mdt_index, head.attempts, head.first_start_ns, head.size, head.group, {}};
}

/// Appends records to a file, and notes where groups begin.
class RowSorter::Writer {
 public:
  Writer(int fd, const std::string& path, std::uint64_t at) : m_fd(fd), m_path(path), m_at(at) {}

  Status add(std::string_view record) {
    const std::uint64_t place = m_at + m_text.size();
    const std::uint32_t group = head_at(record.data()).group;
    if (m_sections.empty() || m_sections.back().group != group) m_sections.push_back({group, place, place});
    m_sections.back().end = place + record.size();
    m_text += record;
    return m_text.size() < k_write_bytes ? Status{} : flush();
  }
  Status flush() {
    for (std::string_view left = m_text; !left.empty();) {
      const ssize_t n = ::pwrite(m_fd, left.data(), left.size(), static_cast<off_t>(m_at));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno_error("write order beside", m_path);
      left.remove_prefix(static_cast<std::size_t>(n));
      m_at += static_cast<std::uint64_t>(n);
    }
    m_text.clear();
    return {};
  }
  [[nodiscard]] std::uint64_t at() const { return m_at; }
  [[nodiscard]] std::vector<RowSection> take_sections() { return std::exchange(m_sections, {}); }

 private:
  int m_fd;
  const std::string& m_path;
  std::uint64_t m_at;
  std::string m_text;
  std::vector<RowSection> m_sections;
};

/// Reads the records of a run one after the other.
class RowSorter::Reader {
 public:
  Reader(int fd, const std::string& path, Run run, std::size_t buffer)
      : m_fd(fd), m_path(path), m_at(run.begin), m_end(run.end), m_bytes(buffer) {}

  /// Go to the next record. Return whether there is one.
  Outcome<bool> next() {
    if (!m_record.empty()) m_left.remove_prefix(m_record.size());
    m_record = {};
    while (m_at < m_end && !has_whole_record()) LHSM_TRY(fill());
    if (m_left.empty()) return false;
    m_record = record_at(m_left.data());
    return true;
  }
  [[nodiscard]] const char* front() const { return m_record.data(); }
  [[nodiscard]] std::string_view record() const { return m_record; }

 private:
  [[nodiscard]] bool has_whole_record() const {
    return m_left.size() >= sizeof(Head) && m_left.size() - sizeof(Head) >= head_at(m_left.data()).key_bytes;
  }
  Status fill() {
    std::string text(m_left);
    const std::size_t least = text.size() >= sizeof(Head) ? record_at(text.data()).size() : sizeof(Head);
    const std::uint64_t want = std::min<std::uint64_t>(m_end - m_at, std::max(m_bytes, least + k_longest_key));
    const std::size_t kept = text.size();
    text.resize(kept + static_cast<std::size_t>(want));
    for (std::size_t got = 0; got < want;) {
      const ssize_t n = ::pread(m_fd, text.data() + kept + got, static_cast<std::size_t>(want) - got, static_cast<off_t>(m_at));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno_error("read order beside", m_path);
      if (n == 0) return failure(ErrorKind::corrupt, EIO, "read order beside", m_path);
      got += static_cast<std::size_t>(n);
      m_at += static_cast<std::uint64_t>(n);
    }
    m_text = std::move(text);
    m_left = m_text;
    return {};
  }

  static constexpr std::size_t k_longest_key = 65536;

  int m_fd;
  const std::string& m_path;
  std::uint64_t m_at;
  std::uint64_t m_end;
  std::size_t m_bytes;
  std::string m_text;
  std::string_view m_left;
  std::string_view m_record;
};

RowSorter::RowSorter(std::string path, SorterLimits limits, std::function<bool()> is_stopped)
    : m_path(std::move(path)), m_limits(limits), m_is_stopped(std::move(is_stopped)) {}

Status RowSorter::check_stop() const {
  if (m_is_stopped && m_is_stopped()) return failure(ErrorKind::cancelled, ECANCELED, "order the files of", m_path);
  return {};
}

/// A file that goes away with its descriptor, whatever becomes of us.
Outcome<Fd> RowSorter::make_file() const {
  std::string name = m_path + ".order-XXXXXX";
  Fd fd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd) return errno_error("make", name);
  if (::unlink(name.c_str()) != 0) return errno_error("unlink", name);
  return fd;
}

Status RowSorter::add(std::string_view key, const Row& row) {
  const Head head{row.row,       row.fid.seq,   row.first_start_ns, row.size,  row.fid.oid, row.fid.ver,
                  row.mdt_index, row.attempts,  row.group,          static_cast<std::uint32_t>(key.size())};
  m_places.push_back(m_rows.size());
  m_rows.append(reinterpret_cast<const char*>(&head), sizeof head).append(key);
  return m_rows.size() < m_limits.memory ? Status{} : spill();
}

Status RowSorter::spill() {
  LHSM_TRY(check_stop());
  if (!m_file) {
    LHSM_TRY_ASSIGN(m_file, make_file());
  }
  std::sort(m_places.begin(), m_places.end(),
            [this](std::uint64_t a, std::uint64_t b) { return is_before(m_rows.data() + a, m_rows.data() + b); });
  Writer writer(*m_file, m_path, m_size);
  for (const std::uint64_t place : m_places) LHSM_TRY(writer.add(record_at(m_rows.data() + place)));
  LHSM_TRY(writer.flush());
  m_runs.push_back({m_size, writer.at()});
  m_size = writer.at();
  m_sections = writer.take_sections();
  m_rows.clear();
  m_places.clear();
  return {};
}

Status RowSorter::merge(std::size_t first, std::size_t count, Writer& writer) const {
  std::vector<Reader> readers;
  for (std::size_t i = first; i < first + count; ++i) readers.emplace_back(*m_file, m_path, m_runs[i], m_limits.buffer);
  const auto after = [](const Reader* a, const Reader* b) { return is_before(b->front(), a->front()); };
  std::priority_queue<Reader*, std::vector<Reader*>, decltype(after)> next(after);
  for (Reader& reader : readers) {
    LHSM_TRY_ASSIGN(const bool has_one, reader.next());
    if (has_one) next.push(&reader);
  }
  for (std::uint64_t done = 0; !next.empty(); ++done) {
    if (done % k_rows_between_looks == 0) LHSM_TRY(check_stop());
    Reader* const least = next.top();
    next.pop();
    LHSM_TRY(writer.add(least->record()));
    LHSM_TRY_ASSIGN(const bool has_one, least->next());
    if (has_one) next.push(least);
  }
  return writer.flush();
}

Outcome<SortedRows> RowSorter::finish() {
  if (!m_rows.empty() || m_runs.empty()) LHSM_TRY(spill());
  m_rows = {};
  m_places = {};
  while (m_runs.size() > 1) {
    LHSM_TRY_ASSIGN(Fd file, make_file());
    std::vector<Run> runs;
    std::uint64_t size = 0;
    for (std::size_t first = 0; first < m_runs.size(); first += m_limits.merged) {
      Writer writer(*file, m_path, size);
      LHSM_TRY(merge(first, std::min(m_limits.merged, m_runs.size() - first), writer));
      runs.push_back({size, writer.at()});
      size = writer.at();
      m_sections = writer.take_sections();
    }
    m_file = std::move(file);
    m_runs = std::move(runs);
  }
  return SortedRows{std::move(m_file), m_path, std::move(m_sections)};
}

}  // namespace lhsm::bulk
