// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/store/on_the_way.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace lhsm::store {

void OnTheWay::take(const JournalRecord& record) {
  if (const auto* result = std::get_if<ItemResultRecord>(&record)) {
    if (result->outcome.result == ItemResult::pending) return;
    requests.erase(result->row);
    partial.erase(result->row);
  } else if (const auto* request = std::get_if<RequestRecord>(&record)) {
    requests.insert_or_assign(request->row, *request);
  } else if (const auto* extent = std::get_if<ExtentRecord>(&record)) {
    PartialFile& file = partial[extent->row];
    if (!(file.version == extent->version)) file = {extent->version, {}};
    file.extents.push_back(*extent);
  } else if (const auto* begun = std::get_if<RunBegunRecord>(&record)) {
    run = begun->run;
  } else {
    run.reset();
  }
}

void OnTheWay::drop_repeated() {
  for (auto& [row, file] : partial) {
    std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
    std::erase_if(file.extents, [&seen](const ExtentRecord& record) {
      return !seen.emplace(record.extent.offset, record.extent.length).second;
    });
  }
}

std::vector<JournalRecord> OnTheWay::records() const {
  std::vector<JournalRecord> records;
  if (run) records.emplace_back(RunBegunRecord{*run});
  for (const auto& [row, request] : requests) records.emplace_back(request);
  for (const auto& [row, file] : partial) records.insert(records.end(), file.extents.begin(), file.extents.end());
  return records;
}

}  // namespace lhsm::store
