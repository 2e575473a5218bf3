// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/model_settings.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>

#include "lhsmtool_mpi/base/size.hpp"

namespace lhsm::emulator {
namespace {

constexpr std::uint64_t k_longest = 3600ULL * 1'000'000'000ULL;  ///< latency or jitter

Failure wrong(const std::string& reason, const std::string& word) {
  return failure(ErrorKind::invalid, EINVAL, reason, word);
}

Outcome<std::uint64_t> parse_bandwidth(const std::string& value, const std::string& word) {
  if (value == "unlimited") return std::uint64_t{0};
  const auto size = parse_size(value);
  if (!size || *size == 0) return wrong("not a bandwidth (like 50M, bytes a second, or \"unlimited\")", word);
  return *size;
}

Outcome<std::uint64_t> parse_time(const std::string& value, const std::string& word) {
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const std::string unit(end, value.data() + value.size());
  const double scale = unit == "s" ? 1e9 : unit == "ms" ? 1e6 : unit == "us" ? 1e3 : unit == "ns" ? 1 : 0;
  const bool is_zero = unit.empty() && number == 0;
  if (error != std::errc() || !(number >= 0) || (scale == 0 && !is_zero) ||
      number * scale > static_cast<double>(k_longest))
    return wrong("not a time up to an hour (like 0.5ms; units are s, ms, us, ns)", word);
  return static_cast<std::uint64_t>(std::llround(number * scale));
}

Outcome<std::uint64_t> parse_number(const std::string& text, const std::string& reason, const std::string& word) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return wrong(reason, word);
  return number;
}

Outcome<OstSetting> parse_ost(const std::string& value, const std::string& word) {
  OstSetting ost;
  if (value == "ok") return ost;
  if (value == "full") return OstSetting{OstCondition::full, 0};
  if (value == "inactive") return OstSetting{OstCondition::inactive, 0};
  if (!value.starts_with("slow:")) return wrong("an OST is ok, slow:BANDWIDTH, full or inactive", word);
  ost.condition = OstCondition::slow;
  LHSM_TRY_ASSIGN(ost.bandwidth, parse_bandwidth(value.substr(5), word));
  if (ost.bandwidth == 0) return wrong("a slow OST needs a bandwidth", word);
  return ost;
}

}  // namespace

ModelSettings ModelSettings::read_from(const ClusterState& state) {
  ModelSettings settings;
  settings.is_on = state.is_paced != 0;
  settings.client_bandwidth = state.client_bandwidth;
  settings.ost_bandwidth = state.ost_bandwidth;
  settings.rpc_latency = state.rpc_latency;
  settings.jitter = state.jitter;
  settings.seed = state.seed == 0 ? 1 : state.seed.load();
  settings.osts.resize(std::min<std::uint32_t>(state.ost_count, k_most_osts));
  for (std::size_t i = 0; i < settings.osts.size(); ++i)
    settings.osts[i] = {state.osts[i].condition, state.osts[i].bandwidth};
  return settings;
}

void ModelSettings::write_to(ClusterState& state) const {
  state.client_bandwidth = client_bandwidth;
  state.ost_bandwidth = ost_bandwidth;
  state.rpc_latency = rpc_latency;
  state.jitter = jitter;
  state.seed = seed;
  for (std::size_t i = 0; i < osts.size(); ++i) {
    state.osts[i].bandwidth = osts[i].bandwidth;
    state.osts[i].condition = osts[i].condition;
  }
  state.is_paced = is_on ? 1 : 0;
  restart_lines(state);
}

Status ModelSettings::apply(const std::string& word) {
  if (word == "off") {
    const auto count = osts.size();
    *this = {};
    osts.resize(count);
    return {};
  }
  const auto equals = word.find('=');
  if (equals == std::string::npos) return wrong("neither NAME=VALUE nor \"off\"", word);
  const auto name = word.substr(0, equals);
  const auto value = word.substr(equals + 1);
  if (name == "client-bandwidth") {
    LHSM_TRY_ASSIGN(client_bandwidth, parse_bandwidth(value, word));
  } else if (name == "ost-bandwidth") {
    LHSM_TRY_ASSIGN(ost_bandwidth, parse_bandwidth(value, word));
  } else if (name == "rpc-latency") {
    LHSM_TRY_ASSIGN(rpc_latency, parse_time(value, word));
  } else if (name == "jitter") {
    LHSM_TRY_ASSIGN(jitter, parse_time(value, word));
  } else if (name == "seed") {
    LHSM_TRY_ASSIGN(seed, parse_number(value, "not a number", word));
    if (seed == 0) return wrong("a seed is at least 1", word);
  } else if (name == "ost.*") {
    LHSM_TRY_ASSIGN(const auto ost, parse_ost(value, word));
    for (auto& each : osts) each = ost;
  } else if (name.starts_with("ost.")) {
    const auto range = osts.empty() ? "there are no OSTs" : "OSTs are 0 to " + std::to_string(osts.size() - 1);
    LHSM_TRY_ASSIGN(const auto index, parse_number(name.substr(4), range, word));
    if (index >= osts.size()) return wrong(range, word);
    LHSM_TRY_ASSIGN(osts[index], parse_ost(value, word));
  } else {
    return wrong("unknown setting (client-bandwidth, ost-bandwidth, rpc-latency, jitter, seed, ost.N)", word);
  }
  is_on = true;
  return {};
}

std::string bandwidth_text(std::uint64_t bytes_per_second) {
  if (bytes_per_second == 0) return "unlimited";
  for (const auto& [unit, letter] : {std::pair{k_GiB, "G"}, std::pair{k_MiB, "M"}, std::pair{k_KiB, "K"}})
    if (bytes_per_second % unit == 0) return std::to_string(bytes_per_second / unit) + letter;
  return std::to_string(bytes_per_second);
}

std::string time_text(std::uint64_t nanoseconds) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9gms", static_cast<double>(nanoseconds) / 1e6);
  return text;
}

std::string ost_text(const OstSetting& ost) {
  switch (ost.condition) {
    case OstCondition::ok: return "ok";
    case OstCondition::slow: return "slow:" + bandwidth_text(ost.bandwidth);
    case OstCondition::full: return "full";
    case OstCondition::inactive: return "inactive";
  }
  return "?";
}

}  // namespace lhsm::emulator
