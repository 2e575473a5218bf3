// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "lhsmtool_mpi/report/status.hpp"

namespace lhsm::report {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view k_format = "lhsmtool_mpi status";
constexpr int k_version = 1;

std::string iso_time(std::int64_t ms) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(ms / 1000)), ms % 1000);
}

/// Whole numbers: nobody has a use for the digits behind.
std::uint64_t rounded(double value) { return value > 0 ? static_cast<std::uint64_t>(std::min(value, 1e18) + 0.5) : 0; }

double hundredths(double value) { return static_cast<double>(rounded(value * 100)) / 100; }

Json json_of(const RankStatus& rank) {
  return {{"slots", rank.slots},
          {"running", rank.running},
          {"done", rank.done},
          {"failed", rank.failed},
          {"bytes_copied", rank.bytes_copied},
          {"bytes_per_second", rounded(rank.bytes_per_second)},
          {"files_per_second", hundredths(rank.files_per_second)}};
}

Json json_of(const FileStatus& file) {
  Json json{{"action", file.action}, {"fid", file.fid},          {"rank", file.rank},
            {"bytes", file.size},    {"bytes_done", file.done}, {"seconds", hundredths(file.seconds)}};
  if (file.is_striped) json["extents"] = {{"done", file.extents_done}, {"running", file.extents_running}};
  return json;
}

RankStatus rank_of(const Json& json) {
  RankStatus rank;
  rank.rank = json.value("rank", std::int64_t{0});
  rank.host = json.value("client_id", "");
  rank.slots = json.at("slots");
  rank.running = json.at("running");
  rank.done = json.at("done");
  rank.failed = json.at("failed");
  rank.bytes_copied = json.at("bytes_copied");
  rank.bytes_per_second = json.at("bytes_per_second");
  rank.files_per_second = json.at("files_per_second");
  return rank;
}

FileStatus file_of(const Json& json) {
  FileStatus file;
  file.action = json.at("action");
  file.fid = json.at("fid");
  file.rank = json.at("rank");
  file.size = json.at("bytes");
  file.done = json.at("bytes_done");
  file.seconds = json.at("seconds");
  file.is_striped = json.contains("extents");
  if (file.is_striped) {
    file.extents_done = json.at("extents").at("done");
    file.extents_running = json.at("extents").at("running");
  }
  return file;
}

/// Throws where the number is no time that a calendar has a day for.
std::int64_t time_of(const Json& json) {
  constexpr std::int64_t k_year_9999_ms = 253'370'764'800'000;
  const auto ms = json.get<std::int64_t>();
  if (ms < 0 || ms > k_year_9999_ms) throw std::out_of_range("a time that is none");
  return ms;
}

RunStatus read(const Json& json) {
  RunStatus status;
  status.state = json.at("state");
  status.command = json.at("command");
  status.mount_point = json.at("mount_point");
  status.version = json.at("tool_version");
  status.host = json.at("host");
  status.process = json.at("process");
  status.started_ms = time_of(json.at("started_ms"));
  status.updated_ms = time_of(json.at("updated_ms"));
  for (const char* name : {"archive", "restore", "remove", "release", "import"}) {
    if (!json.contains(std::string("done_") + name)) continue;
    const auto count = [&](const char* what) -> std::uint64_t { return json.at(std::string(what) + name); };
    status.kinds.push_back({name, count("pending_"), count("running_"), count("done_"), count("failed_"),
                            count("cancelled_"), count("not_done_")});
  }
  status.unverified = json.at("unverified");
  status.file_bytes = json.at("file_bytes");
  status.bytes_copied = json.at("bytes_copied");
  status.bytes_per_second = json.at("bytes_per_second");
  status.files_per_second = json.at("files_per_second");
  status.bandwidth_limit = json.at("bandwidth_limit");
  status.user_restores = json.at("user_restores");
  if (const Json& oldest = json.at("oldest_user_restore_seconds"); !oldest.is_null()) status.oldest_user_restore = oldest.get<double>();
  if (const Json& job = json.at("job"); !job.is_null()) {
    JobStatus& its = status.job.emplace(JobStatus{job.at("items"), job.at("final"), job.at("unsuccessful"), job.at("lacks_space"),
                                                  job.value("bytes", std::uint64_t{0}), job.value("final_bytes", std::uint64_t{0}), {}});
    if (const auto left = job.find("seconds_left"); left != job.end() && !left->is_null()) its.seconds_left = left->get<double>();
  }
  status.rank_count = json.at("rank_count");
  for (const Json& rank : json.at("ranks")) status.ranks.push_back(rank_of(rank));
  for (const Json& file : json.at("files")) status.files.push_back(file_of(file));
  for (const Json& error : json.at("errors")) status.errors.push_back({error.at("what"), error.at("count")});
  return status;
}

}  // namespace

bool looks_like_status(std::string_view bytes) { return !bytes.empty() && bytes.front() == '{'; }

std::string to_json(const RunStatus& status) {
  Json json{{"format", k_format},
            {"version", k_version},
            {"state", status.state},
            {"command", status.command},
            {"mount_point", status.mount_point},
            {"tool_version", status.version},
            {"host", status.host},
            {"process", status.process},
            {"started", iso_time(status.started_ms)},
            {"started_ms", status.started_ms},
            {"updated", iso_time(status.updated_ms)},
            {"updated_ms", status.updated_ms}};
  for (const KindStatus& kind : status.kinds) {
    json["running_" + kind.name] = kind.running;
    json["pending_" + kind.name] = kind.pending;
    json["done_" + kind.name] = kind.done;
    json["failed_" + kind.name] = kind.failed;
    json["cancelled_" + kind.name] = kind.cancelled;
    json["not_done_" + kind.name] = kind.put_back;
  }
  json["unverified"] = status.unverified;
  json["file_bytes"] = status.file_bytes;
  json["bytes_copied"] = status.bytes_copied;
  json["bytes_per_second"] = rounded(status.bytes_per_second);
  json["files_per_second"] = hundredths(status.files_per_second);
  json["bandwidth_limit"] = status.bandwidth_limit;
  json["user_restores"] = status.user_restores;
  json["oldest_user_restore_seconds"] = status.oldest_user_restore ? Json(hundredths(*status.oldest_user_restore)) : Json();
  json["job"] = nullptr;
  if (status.job)
    json["job"] = {{"items", status.job->items},
                   {"final", status.job->final},
                   {"unsuccessful", status.job->unsuccessful},
                   {"lacks_space", status.job->lacks_space},
                   {"bytes", status.job->bytes},
                   {"final_bytes", status.job->final_bytes},
                   {"seconds_left", status.job->seconds_left ? Json(rounded(*status.job->seconds_left)) : Json()}};
  const auto hosts = status.hosts();
  json["clients_connected"] = hosts.size();
  json["clients"] = Json::array();
  for (const HostStatus& host : hosts) {
    Json client{{"client_id", host.name}, {"ranks", host.ranks}};
    client.update(json_of(host.sum));
    json["clients"].push_back(std::move(client));
  }
  json["rank_count"] = status.rank_count;
  json["ranks"] = Json::array();
  for (const RankStatus& rank : status.ranks) {
    Json one{{"rank", rank.rank}, {"client_id", rank.host}};
    one.update(json_of(rank));
    json["ranks"].push_back(std::move(one));
  }
  json["files"] = Json::array();
  for (const FileStatus& file : status.files) json["files"].push_back(json_of(file));
  json["errors"] = Json::array();
  for (const ErrorStatus& error : status.errors) json["errors"].push_back({{"what", error.what}, {"count", error.count}});
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + '\n';
}

Outcome<RunStatus> status_of_json(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    if (json.is_object() && json.value("format", "") == k_format && json.at("version") == k_version) return read(json);
    return failure(ErrorKind::invalid, EINVAL, "read status", "a file of another kind or version");
  } catch (const std::exception& error) {  // of the library, or of time_of()
    return failure(ErrorKind::invalid, EINVAL, "read status", error.what());
  }
}

}  // namespace lhsm::report
