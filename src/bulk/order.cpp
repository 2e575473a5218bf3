// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/order.hpp"

#include <limits>
#include <unordered_map>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/bulk/row_walk.hpp"
#include "object_locator.hpp"
#include "ordered_rows.hpp"

namespace lhsm::bulk {

using store::Column;
using store::Columns;
using store::ItemSlice;

namespace {

/// Calls of a command for locations that fail in a row before it is given up: each may take as long as it is allowed to.
constexpr unsigned k_most_failed_calls = 3;
constexpr std::uint32_t k_unknown_volume = k_no_group - 1;  // the last one

/// A number as a key that orders as it does.
std::string as_key(std::uint64_t number) {
  std::string key(sizeof number, '\0');
  for (std::size_t i = key.size(); i > 0; --i, number >>= 8U) key[i - 1] = static_cast<char>(number & 0xffU);
  return key;
}

Columns columns_for(const OrderOptions& options) {
  Columns columns = k_row_columns;
  switch (options.order) {
    case Order::list: break;
    case Order::size:
    case Order::size_desc: columns.add(Column::size); break;
    case Order::path: columns.add(Column::path); break;
    case Order::archive_location:
      columns.add(Column::volume);
      columns.add(Column::position);
      break;
  }
  if (options.fair == Fairness::uid) columns.add(Column::uid);
  if (options.fair == Fairness::projid) columns.add(Column::projid);
  return columns;
}

/// Puts rows into the sorter with the volume and position of their objects.
class LocatedRows {
 public:
  LocatedRows(RowSorter& sorter, const OrderOptions& options, const std::vector<std::string>& volumes)
      : m_sorter(sorter), m_options(options) {
    for (const std::string& name : volumes) std::ignore = number_of(name);
  }

  Status add(Row row, std::uint32_t volume, std::uint64_t position) {
    if (volume != store::k_no_volume) return put(row, volume, position);
    if (m_options.location.command.empty()) return put_unknown(row);
    m_rows.push_back(row);
    m_paths.push_back(m_options.object_path(row.fid));
    return m_rows.size() < m_options.location.batch ? Status{} : ask();
  }

  Status finish() {
    if (!m_rows.empty()) LHSM_TRY(ask());
    if (m_unknown > 0) log::warning("{} objects have no known location: they go last", m_unknown);
    log::info("{} volumes", m_numbers.size());
    return {};
  }

 private:
  Status ask() {
    Outcome<std::vector<std::optional<Location>>> found = std::vector<std::optional<Location>>(m_rows.size());
    if (m_failed_calls < k_most_failed_calls) found = locate(m_options.location, m_paths, m_options.is_stopped);
    if (!found) {
      if (found.error().kind == ErrorKind::cancelled) return Failure(found.error());
      log::warning("locations are not known: {}", found.error().describe());
      if (++m_failed_calls == k_most_failed_calls) log::warning("the command for locations is not asked any more");
    } else if (m_failed_calls < k_most_failed_calls) {
      m_failed_calls = 0;
    }
    for (std::size_t i = 0; i < m_rows.size(); ++i) {
      const bool is_known = found && (*found)[i].has_value();
      LHSM_TRY(is_known ? put(m_rows[i], number_of((*found)[i]->volume), (*found)[i]->position) : put_unknown(m_rows[i]));
    }
    m_rows.clear();
    m_paths.clear();
    return {};
  }
  Status put(Row row, std::uint32_t volume, std::uint64_t position) {
    row.group = volume;
    return m_sorter.add(as_key(position), row);
  }
  Status put_unknown(Row row) {
    ++m_unknown;
    row.group = k_unknown_volume;
    return m_sorter.add({}, row);
  }
  std::uint32_t number_of(const std::string& volume) {
    return m_numbers.try_emplace(volume, static_cast<std::uint32_t>(m_numbers.size())).first->second;
  }

  RowSorter& m_sorter;
  const OrderOptions& m_options;
  std::unordered_map<std::string, std::uint32_t> m_numbers;
  std::vector<Row> m_rows;  // that are to be asked about
  std::vector<std::string> m_paths;
  std::uint64_t m_unknown = 0;
  unsigned m_failed_calls = 0;  // in a row
};

std::string key_of(const ItemSlice& slice, std::size_t i, Order order) {
  switch (order) {
    case Order::size: return as_key(slice.size[i]);
    case Order::size_desc: return as_key(~slice.size[i]);
    case Order::path: return std::string(slice.path(i));
    default: return {};  // the row's number decides
  }
}

std::uint32_t group_of(const ItemSlice& slice, std::size_t i, Fairness fair) {
  if (fair == Fairness::none) return 0;
  return fair == Fairness::uid ? slice.uid[i] : slice.projid[i];
}

GroupPolicy policy_of(const OrderOptions& options) {
  GroupPolicy policy;
  if (options.fair != Fairness::none) {
    policy.at_once = std::numeric_limits<std::size_t>::max();
    policy.weight = [weights = options.weights](std::uint32_t owner) {
      const auto found = weights.find(owner);
      return found != weights.end() ? found->second : 1U;
    };
  } else if (options.order == Order::archive_location && options.max_volumes > 0) {
    policy.at_once = options.max_volumes;
    policy.until_final = true;
  }
  return policy;
}

}  // namespace

Outcome<std::unique_ptr<RowSource>> rows_in_order(store::ManifestReader& manifest, const store::JournalState& state,
                                                  const std::string& path, const OrderOptions& options) {
  if (options.is_the_manifests()) {
    const auto details = options.with_details ? ManifestRows::Details::yes : ManifestRows::Details::no;
    return std::make_unique<ManifestRows>(manifest, state, details);
  }
  const bool by_location = options.order == Order::archive_location;
  if (by_location && options.location.command.empty() && manifest.volumes().empty())
    return failure(ErrorKind::invalid, EINVAL, "find out where the objects lie (--location-command) of", path);
  SorterLimits limits;
  limits.memory = options.sorted_at_once;
  RowSorter sorter(path, limits, options.is_stopped);
  LocatedRows located(sorter, options, manifest.volumes());
  const auto sort = [&](std::uint64_t first, const ItemSlice& slice) -> Status {
    if (options.is_stopped && options.is_stopped()) return failure(ErrorKind::cancelled, ECANCELED, "order the files of", path);
    for (std::size_t i = 0; i < slice.result.size(); ++i) {
      if (slice.result[i] != store::ItemResult::pending) continue;
      Row row = row_of(slice, i, first);
      if (by_location) {
        LHSM_TRY(located.add(row, slice.volume[i], slice.position[i]));
      } else {
        row.group = group_of(slice, i, options.fair);
        LHSM_TRY(sorter.add(key_of(slice, i, options.order), row));
      }
    }
    return {};
  };
  LHSM_TRY(for_each_slice(manifest, state, columns_for(options), sort));
  if (by_location) LHSM_TRY(located.finish());
  LHSM_TRY_ASSIGN(SortedRows sorted, sorter.finish());
  return std::make_unique<OrderedRows>(std::move(sorted), policy_of(options));
}

}  // namespace lhsm::bulk
