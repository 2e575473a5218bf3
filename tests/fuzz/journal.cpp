// SPDX-License-Identifier: LGPL-2.1-or-later
// The input as one record, as a whole journal, and as records of a journal whose checksums are right.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "../../src/store/journal_frame.hpp"
#include "check.hpp"
#include "lhsmtool_mpi/base/fd.hpp"

using namespace lhsm::store;

namespace {

constexpr std::uint64_t k_items = 1000;

lhsm::Outcome<JournalState> replay(std::string_view bytes) {
  const lhsm::Fd file(::memfd_create("journal", MFD_CLOEXEC));
  FUZZ_CHECK(file && ::write(*file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  return JournalState::replay("/proc/self/fd/" + std::to_string(*file));
}

std::optional<JournalRecord> decode_text(std::uint8_t type, std::string_view text) {
  auto record = decode(static_cast<RecordType>(type), std::as_bytes(std::span(text)));
  if (record) {
    std::string again;
    encode(*record, again);
    FUZZ_CHECK(again == text);
    FUZZ_CHECK(static_cast<std::uint8_t>(type_of(*record)) == type);
  }
  return record;
}

bool is_of_the_manifest(const JournalRecord& record) {
  return std::visit(
      [](const auto& one) {
        if constexpr (requires { one.row; })
          return one.row < k_items;
        else
          return true;
      },
      record);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = as_text(data, size);
  std::ignore = replay(input);
  JournalBase base;
  base.item_count = k_items;
  std::string journal = base_bytes(base);
  FUZZ_CHECK(replay(journal + std::string(input))->record_count() == 0);
  // Pieces of a type, a length and so many bytes.
  std::uint64_t records = 0;
  bool all_known = true;
  for (auto rest = input; rest.size() >= 2;) {
    const auto type = static_cast<std::uint8_t>(rest[0]);
    const auto record = decode_text(type, rest.substr(2, static_cast<std::uint8_t>(rest[1])));
    rest.remove_prefix(std::min<std::size_t>(rest.size(), 2U + static_cast<std::uint8_t>(rest[1])));
    if (!record) continue;
    all_known = all_known && is_of_the_manifest(*record);
    FUZZ_CHECK(append_frame(*record, records % 3 == 0, seed_of(base), journal.size(), journal));
    ++records;
  }
  const auto state = replay(journal);
  FUZZ_CHECK(state.has_value() == all_known);
  if (!state) return 0;
  FUZZ_CHECK(state->record_count() == records && state->torn_bytes() == 0);
  for (std::uint64_t row = 0; row < k_items; row += 7) FUZZ_CHECK(!state->result(row) || *state->outcome(row));
  // What is carried over into the next journal says the same.
  std::string next = base_bytes(base);
  for (const JournalRecord& record : state->unfinished())
    FUZZ_CHECK(append_frame(record, false, seed_of(base), next.size(), next));
  const auto carried = replay(next);
  FUZZ_CHECK(carried && carried->unfinished() == state->unfinished() && !carried->has_news());
  // Without its last bytes it has one record less.
  if (records > 0)
    FUZZ_CHECK(replay(std::string_view(journal).substr(0, journal.size() - 1))->record_count() == records - 1);
  return 0;
}
