// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/store/journal_record.hpp"

#include <bit>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <utility>

namespace lhsm::store {

namespace {

static_assert(std::endian::native == std::endian::little,
              "journals are little-endian and written as they are in memory");

constexpr std::uint8_t k_has_digest = 1;
constexpr std::uint8_t k_has_hsm_state = 2;

class Out {
 public:
  explicit Out(std::string& out) : m_out(out) {}
  template <class T>
  requires std::is_arithmetic_v<T>
  void put(T value) { m_out.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void put(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    m_out += text;
  }
  void put(const Digest& digest) { m_out.append(reinterpret_cast<const char*>(digest.data()), digest.size()); }
  void put(const RunTotals& totals) {
    for (const auto count : totals.results) put(count);
    put(totals.bytes_copied);
  }

 private:
  std::string& m_out;
};

/// Reads until bytes run out; then ok() is false, and the rest reads as zeros.
class In {
 public:
  explicit In(std::span<const std::byte> bytes) : m_bytes(bytes) {}

  template <class T>
  requires std::is_arithmetic_v<T>
  void get(T& value) { copy(&value, sizeof value); }
  void get(std::string& text) {
    std::uint32_t size = 0;
    get(size);
    if (size > m_bytes.size()) {
      fail();
      return;
    }
    text.assign(reinterpret_cast<const char*>(m_bytes.data()), size);
    m_bytes = m_bytes.subspan(size);
  }
  void get(Digest& digest) { copy(digest.data(), digest.size()); }
  void get(RunTotals& totals) {
    for (auto& count : totals.results) get(count);
    get(totals.bytes_copied);
  }
  /// Return whether exactly all bytes were read.
  [[nodiscard]] bool is_whole() const { return m_ok && m_bytes.empty(); }

 private:
  void copy(void* to, std::size_t size) {
    if (size > m_bytes.size()) {
      fail();
      return;
    }
    std::memcpy(to, m_bytes.data(), size);
    m_bytes = m_bytes.subspan(size);
  }
  void fail() {
    m_ok = false;
    m_bytes = {};
  }

  std::span<const std::byte> m_bytes;
  bool m_ok = true;
};

void put(Out& out, const ItemResultRecord& record) {
  const ItemOutcome& outcome = record.outcome;
  const unsigned flags = (outcome.has_digest ? k_has_digest : 0U) | (record.hsm_state ? k_has_hsm_state : 0U);
  out.put(record.row);
  out.put(static_cast<std::uint8_t>(outcome.result));
  out.put(static_cast<std::uint8_t>(flags));
  out.put(std::uint16_t{0});
  out.put(outcome.sys_errno);
  out.put(outcome.attempts);
  out.put(outcome.rank);
  out.put(outcome.seconds);
  out.put(record.hsm_state.value_or(0));
  out.put(outcome.bytes_copied);
  out.put(outcome.first_start_ns);
  out.put(outcome.last_start_ns);
  out.put(outcome.end_ns);
  if (outcome.has_digest) out.put(outcome.digest);
}

bool get(In& in, ItemResultRecord& record) {
  ItemOutcome& outcome = record.outcome;
  std::uint8_t result = 0;
  std::uint8_t flags = 0;
  std::uint16_t reserved = 0;
  std::uint32_t hsm_state = 0;
  in.get(record.row);
  in.get(result);
  in.get(flags);
  in.get(reserved);
  in.get(outcome.sys_errno);
  in.get(outcome.attempts);
  in.get(outcome.rank);
  in.get(outcome.seconds);
  in.get(hsm_state);
  in.get(outcome.bytes_copied);
  in.get(outcome.first_start_ns);
  in.get(outcome.last_start_ns);
  in.get(outcome.end_ns);
  outcome.has_digest = (flags & k_has_digest) != 0;
  if (outcome.has_digest) in.get(outcome.digest);
  outcome.result = static_cast<ItemResult>(result);
  if ((flags & k_has_hsm_state) != 0) record.hsm_state = hsm_state;
  return result < k_item_results && flags <= (k_has_digest | k_has_hsm_state) && reserved == 0 &&
         (record.hsm_state || hsm_state == 0);
}

void put(Out& out, const RequestRecord& record) {
  out.put(record.row);
  out.put(record.time_ns);
  if (record.cookie) out.put(*record.cookie);
}

bool get(In& in, RequestRecord& record) {
  in.get(record.row);
  in.get(record.time_ns);
  if (!in.is_whole()) in.get(record.cookie.emplace());
  return true;
}

void put(Out& out, const ExtentRecord& record) {
  out.put(record.row);
  out.put(record.extent.offset);
  out.put(record.extent.length);
  out.put(record.version.data_version);
  out.put(record.version.object);
  out.put(record.leaves);
}

bool get(In& in, ExtentRecord& record) {
  in.get(record.row);
  in.get(record.extent.offset);
  in.get(record.extent.length);
  in.get(record.version.data_version);
  in.get(record.version.object);
  in.get(record.leaves);
  return record.extent.end() >= record.extent.offset;
}

void put(Out& out, const RunBegunRecord& record) {
  out.put(record.run.begin_ns);
  out.put(record.run.ranks);
  out.put(record.run.user);
  out.put(record.run.command_line);
  out.put(record.run.hosts);
}

bool get(In& in, RunBegunRecord& record) {
  in.get(record.run.begin_ns);
  in.get(record.run.ranks);
  in.get(record.run.user);
  in.get(record.run.command_line);
  in.get(record.run.hosts);
  return true;
}

void put(Out& out, const RunEndedRecord& record) {
  out.put(record.end_ns);
  out.put(record.exit_code);
  out.put(record.totals);
}

bool get(In& in, RunEndedRecord& record) {
  in.get(record.end_ns);
  in.get(record.exit_code);
  in.get(record.totals);
  return true;
}

template <std::size_t I>
std::optional<JournalRecord> decode_as(std::span<const std::byte> bytes) {
  std::variant_alternative_t<I, JournalRecord> record;
  In in(bytes);
  if (!get(in, record) || !in.is_whole()) return std::nullopt;
  return JournalRecord(std::in_place_index<I>, std::move(record));
}

}  // namespace

void encode(const JournalRecord& record, std::string& out) {
  Out to(out);
  std::visit([&](const auto& one) { put(to, one); }, record);
}

RecordType type_of(const JournalRecord& record) { return static_cast<RecordType>(record.index() + 1); }

std::optional<JournalRecord> decode(RecordType type, std::span<const std::byte> bytes) {
  static_assert(std::variant_size_v<JournalRecord> == 5);
  switch (type) {
    case RecordType::item_result: return decode_as<0>(bytes);
    case RecordType::request: return decode_as<1>(bytes);
    case RecordType::extent: return decode_as<2>(bytes);
    case RecordType::run_begun: return decode_as<3>(bytes);
    case RecordType::run_ended: return decode_as<4>(bytes);
  }
  return std::nullopt;
}

}  // namespace lhsm::store
