// SPDX-License-Identifier: LGPL-2.1-or-later
#include "hdf5_tables.hpp"

#include <array>

#include "lhsmtool_mpi/store/manifest.hpp"

namespace lhsm::store {

namespace {

constexpr std::array<const char*, k_item_results> k_total_names = {"pending", "done",      "already", "skipped",
                                                                   "failed",  "cancelled", "refused"};

/// Call f(name, member) for the columns of /runs by kind.
template <class F>
bool each_number(F f) {
  bool ok = f(
                "begin", H5T_STD_I64LE, [](auto& run) -> auto& { return run.begin_ns; }) &&
            f(
                "end", H5T_STD_I64LE, [](auto& run) -> auto& { return run.end_ns; }) &&
            f(
                "ranks", H5T_STD_U32LE, [](auto& run) -> auto& { return run.ranks; }) &&
            f(
                "exit_code", H5T_STD_I32LE, [](auto& run) -> auto& { return run.exit_code; }) &&
            f(
                "bytes_copied", H5T_STD_U64LE, [](auto& run) -> auto& { return run.totals.bytes_copied; });
  for (std::size_t i = 0; ok && i < k_total_names.size(); ++i)
    ok = f(
        k_total_names[i], H5T_STD_U64LE, [i](auto& run) -> auto& { return run.totals.results[i]; });
  return ok;
}

template <class F>
bool each_text(F f) {
  return f(
             "user", [](auto& run) -> auto& { return run.user; }) &&
         f(
             "command_line", [](auto& run) -> auto& { return run.command_line; }) &&
         f(
             "hosts", [](auto& run) -> auto& { return run.hosts; });
}

}  // namespace

bool write_head(hid_t file, const ManifestHead& head) {
  const Handle root(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose);
  const ManifestAttributes& attributes = head.attributes;
  return root && write_attribute(*root, "format_version", H5T_STD_U32LE, &k_manifest_version) &&
         write_text(*root, "uuid", head.identity.uuid_text()) &&
         write_attribute(*root, "generation", H5T_STD_U64LE, &head.identity.generation) &&
         write_attribute(*root, "item_count", H5T_STD_U64LE, &head.item_count) &&
         write_attribute(*root, "created", H5T_STD_I64LE, &attributes.created_ns) &&
         write_text(*root, "creator", attributes.creator) && write_text(*root, "file_system", attributes.file_system) &&
         write_text(*root, "mount_point", attributes.mount_point) &&
         write_text(*root, "archive_root", attributes.archive_root);
}

bool read_head(hid_t file, ManifestHead& head) {
  const Handle root(H5Gopen2(file, "/", H5P_DEFAULT), H5Gclose);
  ManifestAttributes& attributes = head.attributes;
  return root && read_attribute(*root, "item_count", H5T_STD_U64LE, &head.item_count) &&
         read_attribute(*root, "created", H5T_STD_I64LE, &attributes.created_ns) &&
         read_text(*root, "creator", attributes.creator) && read_text(*root, "file_system", attributes.file_system) &&
         read_text(*root, "mount_point", attributes.mount_point) &&
         read_text(*root, "archive_root", attributes.archive_root);
}

bool write_volumes(hid_t file, const std::vector<std::string>& volumes) {
  return write_texts(file, "volumes", volumes);
}
bool read_volumes(hid_t file, std::vector<std::string>& volumes) { return read_texts(file, "volumes", volumes); }

bool write_runs(hid_t file, const std::vector<RunRecord>& runs) {
  const Handle group(H5Gcreate2(file, "runs", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose);
  if (!group) return false;
  const auto number = [&](const char* name, hid_t type, auto member) {
    std::vector<std::remove_cvref_t<decltype(member(runs[0]))>> values;
    for (const RunRecord& run : runs) values.push_back(member(run));
    return write_array(*group, name, type, values.size(), values.data());
  };
  const auto text = [&](const char* name, auto member) {
    std::vector<std::string> values;
    for (const RunRecord& run : runs) values.push_back(member(run));
    return write_texts(*group, name, values);
  };
  return each_number(number) && each_text(text);
}

bool read_runs(hid_t file, std::vector<RunRecord>& runs) {
  const Handle group(H5Gopen2(file, "runs", H5P_DEFAULT), H5Gclose);
  const std::int64_t length = group ? array_length(*group, "begin") : -1;
  if (length < 0) return false;
  runs.assign(static_cast<std::size_t>(length), {});
  const auto number = [&](const char* name, hid_t type, auto member) {
    std::vector<std::remove_cvref_t<decltype(member(runs[0]))>> values(runs.size());
    if (!read_array(*group, name, type, values.size(), values.data())) return false;
    for (std::size_t i = 0; i < runs.size(); ++i) member(runs[i]) = values[i];
    return true;
  };
  const auto text = [&](const char* name, auto member) {
    std::vector<std::string> values;
    if (!read_texts(*group, name, values) || values.size() != runs.size()) return false;
    for (std::size_t i = 0; i < runs.size(); ++i) member(runs[i]) = values[i];
    return true;
  };
  return each_number(number) && each_text(text);
}

}  // namespace lhsm::store
