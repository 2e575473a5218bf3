// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "lhsmtool_mpi/check/judge.hpp"

namespace lhsm::check {

namespace {

// What a coordinator does with a value: docs/tuning.md.
constexpr std::uint64_t k_least_requests = 100;   // small files: about so many a second and MDT
constexpr std::uint64_t k_usual_requests = 1000;
constexpr std::uint64_t k_least_grace_s = 10;
constexpr std::uint64_t k_longest_period_s = 60;

/// A parameter of all MDTs.
struct Tunable {
  std::string name;  // below mdt.<fsname>-MDT*.
  std::string subject;
  const std::vector<Parameter>& seen;
  const Plan& plan;

  [[nodiscard]] std::string pattern() const { return fmt::format("mdt.{}-MDT*.{}", plan.fsname, name); }

  /// The MDTs that show it, by value.
  [[nodiscard]] std::map<std::string, std::string> by_value() const {
    std::map<std::string, std::string> found;
    for (const Parameter& parameter : seen) {
      const std::string prefix = fmt::format("mdt.{}-", plan.fsname);
      const std::string suffix = "." + name;
      if (!parameter.name.starts_with(prefix) || !parameter.name.ends_with(suffix)) continue;
      if (parameter.name.size() < prefix.size() + suffix.size()) continue;
      std::string& mdts = found[parameter.value];
      const std::string mdt = parameter.name.substr(prefix.size(), parameter.name.size() - prefix.size() - suffix.size());
      if ((", " + mdts + ", ").find(", " + mdt + ", ") != std::string::npos) continue;
      mdts += (mdts.empty() ? "" : ", ") + mdt;
    }
    return found;
  }

  [[nodiscard]] CheckFinding invisible() const {
    return {CheckVerdict::warn, subject, "not visible from here", fmt::format("on the MDS: lctl get_param {}", pattern())};
  }
  [[nodiscard]] std::string command(const std::string& value) const {
    return fmt::format("on the MDS: lctl set_param {}={}", pattern(), value);
  }
};

std::optional<std::uint64_t> number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// What speaks against a value, and the value that it should be.
struct Objection {
  std::string reason;
  std::string better;  // empty: no value can be told
};

template <class Judge>
void judge_numbers(const Tunable& tunable, std::vector<CheckFinding>& findings, Judge judge) {
  const auto values = tunable.by_value();
  if (values.empty()) findings.push_back(tunable.invisible());
  for (const auto& [value, mdts] : values) {
    const auto parsed = number(value);
    const std::string shown = fmt::format("{} on {}", value, mdts);
    if (!parsed) {
      findings.push_back({CheckVerdict::warn, tunable.subject, fmt::format("'{}', which is no number, on {}", value, mdts),
                          fmt::format("on the MDS: lctl get_param {}", tunable.pattern())});
      continue;
    }
    const std::optional<Objection> objection = judge(*parsed);
    if (!objection)
      findings.push_back({CheckVerdict::ok, tunable.subject, shown, ""});
    else
      findings.push_back({CheckVerdict::warn, tunable.subject, shown + ": " + objection->reason,
                          objection->better.empty() ? "" : tunable.command(objection->better)});
  }
}

void judge_control(const Tunable& tunable, std::vector<CheckFinding>& findings) {
  const auto values = tunable.by_value();
  if (values.empty()) findings.push_back(tunable.invisible());
  for (const auto& [value, mdts] : values) {
    if (value == "enabled")
      findings.push_back({CheckVerdict::ok, tunable.subject, "enabled on " + mdts, ""});
    else
      findings.push_back({CheckVerdict::fail, tunable.subject, fmt::format("{} on {}: no request is carried out", value, mdts),
                          fmt::format("{}    (set_param -P keeps it)", tunable.command("enabled"))});
  }
}

}  // namespace

std::vector<CheckFinding> judge_tunables(const std::vector<Parameter>& seen, const Plan& plan) {
  std::vector<CheckFinding> findings;
  judge_control({"hsm_control", "hsm_control", seen, plan}, findings);
  judge_numbers({"hsm.max_requests", "max_requests", seen, plan}, findings, [&](std::uint64_t value) -> std::optional<Objection> {
    const std::uint64_t wanted = std::max(k_least_requests, 2 * plan.copies);
    if (value >= wanted) return std::nullopt;
    return Objection{fmt::format("so many requests run at once, and about so many small files a second; this run can copy {} files at once",
                                 plan.copies),
                     std::to_string(std::max(k_usual_requests, 4 * plan.copies))};
  });
  judge_numbers({"hsm.active_request_timeout", "active_request_timeout", seen, plan}, findings,
                [&](std::uint64_t value) -> std::optional<Objection> {
                  if (value >= 3 * plan.keep_alive_s) return std::nullopt;
                  return Objection{fmt::format("seconds; requests that wait in the run show a sign of life each {} s only (--keep-alive)",
                                               plan.keep_alive_s),
                                   std::to_string(std::max<std::uint64_t>(3600, 6 * plan.keep_alive_s))};
                });
  judge_numbers({"hsm.grace_delay", "grace_delay", seen, plan}, findings, [](std::uint64_t value) -> std::optional<Objection> {
    if (value >= k_least_grace_s) return std::nullopt;
    return Objection{"seconds; what failed is gone from the list before anybody can look at it", "60"};
  });
  judge_numbers({"hsm.loop_period", "loop_period", seen, plan}, findings, [](std::uint64_t value) -> std::optional<Objection> {
    if (value <= k_longest_period_s) return std::nullopt;
    return Objection{"seconds between the passes that find timeouts, and requests which were put back", "10"};
  });
  judge_numbers({"hsm.default_archive_id", "default_archive_id", seen, plan}, findings,
                [&](std::uint64_t value) -> std::optional<Objection> {
                  const auto& ids = plan.archive_ids;
                  if (ids.empty() || std::find(ids.begin(), ids.end(), value) != ids.end()) return std::nullopt;
                  return Objection{"an archive request without an id goes there, which this run does not serve", std::to_string(ids.front())};
                });
  return findings;
}

}  // namespace lhsm::check
