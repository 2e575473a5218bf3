// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/report/metrics.hpp"

#include <fmt/format.h>

#include <cctype>
#include <functional>
#include <utility>
#include <vector>

namespace lhsm::report {

namespace {

using Labels = std::vector<std::pair<std::string_view, std::string>>;

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) out.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
  return out;
}

std::string escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

/// Writes families one after the other, each with the labels of the run.
class Families {
 public:
  explicit Families(const RunStatus& status) : m_run{{"command", status.command}, {"mount", status.mount_point}} {}

  void begin(std::string_view name, std::string_view type, std::string_view help) {
    m_name = fmt::format("lhsmtool_mpi_{}", name);
    m_text += fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", m_name, type, help);
  }
  template <class Value>
  void sample(const Labels& labels, Value value, std::string_view suffix = "") {
    std::string all;
    for (const Labels* const some : {&std::as_const(m_run), &labels})
      for (const auto& [label, text] : *some) all += fmt::format("{}{}=\"{}\"", all.empty() ? "" : ",", label, escaped(text));
    m_text += fmt::format("{}{}{{{}}} {}\n", m_name, suffix, all, value);
  }
  void histogram(const Labels& labels, const Histogram& values) {
    Labels with_bound = labels;
    with_bound.emplace_back("le", "");
    for (std::size_t i = 0; i < values.bounds().size(); ++i) {
      with_bound.back().second = fmt::format("{}", values.bounds()[i]);
      sample(with_bound, values.up_to(i), "_bucket");
    }
    with_bound.back().second = "+Inf";
    sample(with_bound, values.count(), "_bucket");
    sample(labels, values.sum(), "_sum");
    sample(labels, values.count(), "_count");
  }
  /// A family of one sample.
  template <class Value>
  void one(std::string_view name, std::string_view type, std::string_view help, Value value) {
    begin(name, type, help);
    sample({}, value);
  }
  [[nodiscard]] std::string take() { return std::move(m_text); }

 private:
  Labels m_run;
  std::string m_name;
  std::string m_text;
};

void add_actions(Families& families, const RunStatus& status, const Tally& tally) {
  families.begin("actions_total", "counter", "Actions that ended, by what they asked for and how they ended.");
  for (const KindStatus& kind : status.kinds) {
    families.sample({{"action", kind.name}, {"result", "done"}}, kind.done);
    families.sample({{"action", kind.name}, {"result", "failed"}}, kind.failed);
    families.sample({{"action", kind.name}, {"result", "cancelled"}}, kind.cancelled);
    families.sample({{"action", kind.name}, {"result", "not_done"}}, kind.put_back);
  }
  families.begin("actions_pending", "gauge", "Actions that no rank has yet.");
  for (const KindStatus& kind : status.kinds) families.sample({{"action", kind.name}}, kind.pending);
  families.begin("actions_running", "gauge", "Actions that a rank has.");
  for (const KindStatus& kind : status.kinds) families.sample({{"action", kind.name}}, kind.running);
  if (!tally.errnos.empty()) {
    families.begin("action_errors_total", "counter", "Actions that failed, by errno.");
    for (const auto& [key, count] : tally.errnos)
      families.sample({{"action", lower(to_string(key.first))}, {"errno", errno_name(key.second)}}, count);
  }
  families.begin("action_latency_seconds", "histogram", "Time from the arrival of an action to its end, of those that succeeded.");
  for (std::size_t i = 0; i < Tally::k_kinds.size(); ++i)
    families.histogram({{"action", lower(to_string(Tally::k_kinds.at(i)))}}, tally.kinds.at(i).seconds);
  families.begin("file_size_bytes", "histogram", "Sizes of files that were archived or restored.");
  for (std::size_t i = 0; i < Tally::k_kinds.size(); ++i)
    if (Tally::k_kinds.at(i) != ActionKind::remove)
      families.histogram({{"action", lower(to_string(Tally::k_kinds.at(i)))}}, tally.kinds.at(i).bytes);
}

void add_hosts(Families& families, const std::vector<HostStatus>& hosts) {
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help,
                        const std::function<std::uint64_t(const HostStatus&)>& value) {
    families.begin(name, type, help);
    for (const HostStatus& host : hosts) families.sample({{"host", host.name}}, value(host));
  };
  if (hosts.empty()) return;
  each("host_ranks", "gauge", "Ranks on a host.", [](const HostStatus& host) { return host.ranks; });
  each("host_slots", "gauge", "Copies that the ranks of a host can run at once.", [](const HostStatus& host) { return host.sum.slots; });
  each("host_slots_busy", "gauge", "Copies that the ranks of a host run.", [](const HostStatus& host) { return host.sum.running; });
  each("host_copied_bytes_total", "counter", "Bytes that the ranks of a host have copied, holes and running copies included.",
       [](const HostStatus& host) { return host.sum.bytes_copied; });
  families.begin("host_actions_total", "counter", "Actions that the ranks of a host have ended.");
  for (const HostStatus& host : hosts) {
    families.sample({{"host", host.name}, {"result", "done"}}, host.sum.done);
    families.sample({{"host", host.name}, {"result", "failed"}}, host.sum.failed);
  }
}

}  // namespace

std::string metrics_text(const RunStatus& status, const Tally& tally) {
  Families families(status);
  families.one("up", "gauge", "Whether the run goes on; 0: it has ended.", status.state == "ended" ? 0 : 1);
  families.begin("build_info", "gauge", "The version of lhsmtool_mpi; always 1.");
  families.sample({{"version", status.version}}, 1);
  families.one("start_timestamp_seconds", "gauge", "When the run began.", static_cast<double>(status.started_ms) / 1000);
  families.one("update_timestamp_seconds", "gauge", "When this was written.", static_cast<double>(status.updated_ms) / 1000);
  families.one("ranks", "gauge", "Ranks of the run.", status.rank_count);
  add_actions(families, status, tally);
  families.one("copied_bytes_total", "counter", "Bytes that all ranks have copied, holes and running copies included.",
               status.bytes_copied);
  families.one("finished_file_bytes_total", "counter",
               "Sizes of the files that were archived or restored, without what earlier runs had copied.", status.file_bytes);
  families.one("unverified_files_total", "counter", "Files that were restored from objects without a digest.", status.unverified);
  families.one("bandwidth_limit_bytes_per_second", "gauge", "What all ranks may read together; 0: no limit.", status.bandwidth_limit);
  families.one("user_restores", "gauge", "Restores that are not the job's own, pending or running.", status.user_restores);
  families.one("oldest_user_restore_seconds", "gauge", "How long the oldest of them has waited; 0: there is none.",
               status.oldest_user_restore.value_or(0));
  if (const auto& job = status.job) {
    families.one("job_items", "gauge", "Items of the job.", job->items);
    families.one("job_items_final", "gauge", "Items of the job that have a result, in whatever run.", job->final);
    families.one("job_items_unsuccessful", "gauge", "Items of the job that failed, were refused or cancelled.", job->unsuccessful);
    families.one("job_lacks_space", "gauge", "Whether the job waits for space.", job->lacks_space ? 1 : 0);
  }
  add_hosts(families, status.hosts());
  return families.take();
}

}  // namespace lhsm::report
