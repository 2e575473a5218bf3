// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "lhsmtool_mpi/bulk/row_walk.hpp"
#include "lhsmtool_mpi/pages/report.hpp"
#include "lhsmtool_mpi/pages/text.hpp"
#include "remedies.hpp"

namespace lhsm::pages {

using nlohmann::json;

namespace {

std::string text_of(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

void add_path(json& item, std::string_view path) {
  item["path"] = path;
  if (is_utf8(path)) return;
  std::string hex;
  for (const char c : path) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  item["path_hex"] = hex;
}

json latencies_json(const Latencies& latencies) {
  return {{"count", latencies.count()},     {"mean", latencies.mean()},        {"p50", latencies.quantile(0.5)},
          {"p90", latencies.quantile(0.9)}, {"p99", latencies.quantile(0.99)}, {"longest", latencies.longest()}};
}

json errors_json(const Statistics& statistics) {
  json errors = json::array();
  for (const auto& [key, group] : statistics.errors) {
    const auto& [result, sys_errno] = key;
    json error{{"result", bulk::to_string(result)},
               {"errno", sys_errno == 0 ? "" : errno_name(sys_errno)},
               {"kind", to_string(kind_of_errno(sys_errno))},
               {"items", group.items},
               {"bytes", group.bytes},
               {"remedy", remedy_for(statistics.action(), result, sys_errno)},
               {"examples", json::array()}};
    for (const std::string& path : group.examples) {
      json example;
      add_path(example, path);
      error["examples"].push_back(std::move(example));
    }
    errors.push_back(std::move(error));
  }
  return errors;
}

json runs_json(const Statistics& statistics) {
  json runs = json::array();
  for (const store::RunRecord& run : statistics.runs) {
    json results;
    for (std::size_t i = 0; i < store::k_item_results; ++i)
      results[std::string(bulk::to_string(static_cast<store::ItemResult>(i)))] = run.totals.results.at(i);
    json record{{"user", run.user},
                {"command_line", run.command_line},
                {"hosts", run.hosts},
                {"ranks", run.ranks},
                {"results", results},
                {"bytes_copied", run.totals.bytes_copied},
                {"begin", iso_time(run.begin_ns)}};
    record["end"] = run.end_ns == 0 ? json() : json(iso_time(run.end_ns));
    record["exit_code"] = run.end_ns == 0 ? json() : json(run.exit_code);
    runs.push_back(std::move(record));
  }
  return runs;
}

json timeline_json(const Timeline& timeline) {
  json spans = json::array();
  for (const Span& span : timeline.spans())
    spans.push_back({{"begin", iso_time(span.begin_ns)}, {"end", iso_time(span.end_ns)}});
  json done = json::array();
  json failed = json::array();
  json bytes = json::array();
  for (const Timeline::Bin& bin : timeline.bins()) {
    done.push_back(bin.done);
    failed.push_back(bin.failed);
    bytes.push_back(static_cast<std::uint64_t>(bin.bytes));
  }
  return {
      {"spans", spans}, {"bin_seconds", timeline.bin_seconds()}, {"done", done}, {"failed", failed}, {"bytes", bytes}};
}

json head_json(const store::SeenJob& job, const Subject& subject, const Statistics& statistics) {
  const store::ManifestAttributes& attributes = job.manifest.attributes();
  const bulk::Census& census = statistics.census;
  json head{{"manifest", subject.manifest},
            {"uuid", job.manifest.identity().uuid_text()},
            {"generation", job.manifest.identity().generation},
            {"file_system", attributes.file_system},
            {"mount_point", attributes.mount_point},
            {"archive_root", attributes.archive_root},
            {"created", iso_time(attributes.created_ns)},
            {"reported", iso_time(subject.now_ns)},
            {"running", subject.is_running},
            {"action", bulk::to_string(statistics.action())},
            {"items", census.items},
            {"bytes", census.bytes},
            {"bytes_copied", statistics.bytes_copied},
            {"attempts", statistics.attempts},
            {"retried", statistics.retried},
            {"seconds", statistics.timeline.seconds()}};
  for (std::size_t i = 0; i < store::k_item_results; ++i)
    head["results"][std::string(bulk::to_string(static_cast<store::ItemResult>(i)))] = {
        {"items", census.results.at(i)}, {"bytes", census.result_bytes.at(i)}};
  head["errors"] = errors_json(statistics);
  head["runs"] = runs_json(statistics);
  head["latencies"] = {{"last_attempt", latencies_json(statistics.copying)},
                       {"request_to_end", latencies_json(statistics.waiting)}};
  head["timeline"] = timeline_json(statistics.timeline);
  return head;
}

json item_json(const store::ItemSlice& slice, std::size_t i) {
  const store::Item item = slice.item(i);
  json out{{"fid", item.fid.bracketed()},
           {"size", item.size},
           {"action", bulk::to_string(item.action)},
           {"result", bulk::to_string(item.outcome.result)},
           {"errno", item.outcome.sys_errno == 0 ? "" : errno_name(item.outcome.sys_errno)},
           {"attempts", item.outcome.attempts},
           {"rank", item.outcome.rank},
           {"seconds", item.outcome.seconds},
           {"bytes_copied", item.outcome.bytes_copied},
           {"first_start", iso_time(item.outcome.first_start_ns)},
           {"last_start", iso_time(item.outcome.last_start_ns)},
           {"end", iso_time(item.outcome.end_ns)},
           {"hsm_state", item.hsm_state},
           {"archive_id", item.archive_id},
           {"uid", item.uid},
           {"gid", item.gid},
           {"projid", item.projid},
           {"mtime", iso_time(item.mtime_ns)}};
  add_path(out, item.path);
  return out;
}

}  // namespace

Status write_json(store::SeenJob& job, const Subject& subject, const Statistics& statistics, bool items, Output& out) {
  std::string head = text_of(head_json(job, subject, statistics), 2);
  if (!items) return out.write(head + "\n");
  head.resize(head.rfind('\n'));  // the last brace comes behind the items
  LHSM_TRY(out.write(head + ",\n  \"item_list\": ["));
  bool is_first = true;
  const auto write_items = [&](std::uint64_t, const store::ItemSlice& slice) -> Status {
    for (std::size_t i = 0; i < slice.result.size(); ++i) {
      LHSM_TRY(out.write((is_first ? "\n" : ",\n") + text_of(item_json(slice, i), -1)));
      is_first = false;
    }
    return {};
  };
  LHSM_TRY(bulk::for_each_slice(job.manifest, job.state, store::Columns::all(), write_items));
  return out.write("\n  ]\n}\n");
}

}  // namespace lhsm::pages
