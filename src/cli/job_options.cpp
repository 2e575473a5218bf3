// SPDX-License-Identifier: LGPL-2.1-or-later
#include "job_options.hpp"

namespace lhsm::cli {

namespace {

using bulk::Fairness;
using bulk::Order;

std::map<store::ItemAction, std::size_t> inflight_of(const ActionLimits& limits) {
  std::map<store::ItemAction, std::size_t> inflight;
  for (std::size_t i = 1; i < store::k_item_actions; ++i) {
    const auto action = static_cast<store::ItemAction>(i);
    if (const auto limit = limits.find(bulk::to_string(action)); limit != limits.end()) inflight[action] = limit->second;
  }
  return inflight;
}

/// A choice of words, as --help shows them.
template <class T>
void add_choice(CLI::App& app, const std::string& name, T& value, const std::map<std::string, T>& words,
                const std::string& standard, const std::string& type, const std::string& help) {
  // CheckedTransformer would name the choices with the bytes of their values, a NUL among them.
  const auto choose = [name, &value, words, type](const std::string& text) {
    const auto found = words.find(text);
    if (found == words.end()) throw CLI::ValidationError(name, "'" + text + "' is none of " + type);
    value = found->second;
  };
  app.add_option_function<std::string>(name, choose, help)
      ->default_str(standard)
      ->type_name(type);
}

/// OWNER=N
void add_weight(bulk::OrderOptions& order, const std::string& text) {
  constexpr std::uint32_t k_most = 1'000'000;
  const auto equals = text.find('=');
  std::uint32_t owner = 0;
  std::uint32_t weight = 0;
  if (equals == std::string::npos || !CLI::detail::lexical_cast(text.substr(0, equals), owner) ||
      !CLI::detail::lexical_cast(text.substr(equals + 1), weight) || weight == 0 || weight > k_most)
    throw CLI::ValidationError("'" + text + "' is not an id and a number of files, as 1000=4");
  order.weights[owner] = weight;
}

}  // namespace

void add_order_options(CLI::App& app, bulk::JobRunOptions& run, store::ItemAction action) {
  bulk::OrderOptions& order = run.order;
  if (action == store::ItemAction::release) {
    add_choice<Order>(app, "--order", order.order,
                      {{"list", Order::list}, {"size", Order::size}, {"size-desc", Order::size_desc}, {"path", Order::path}},
                      "list", "list|size|size-desc|path", "In which order files are taken");
  } else {
    add_choice<Order>(app, "--order", order.order,
                      {{"list", Order::list},
                       {"size", Order::size},
                       {"size-desc", Order::size_desc},
                       {"path", Order::path},
                       {"archive-location", Order::archive_location}},
                      "list", "list|size|size-desc|path|archive-location", "In which order files are asked for");
    app.add_option("--location-command,--location_command", order.location.command,
                   "Reads paths of objects, and writes volume, tab, position for each: for --order archive-location")
        ->type_name("CMD");
    app.add_option_function<unsigned>(
           "--location-timeout,--location_timeout",
           [&order](unsigned s) { order.location.timeout = std::chrono::seconds(s); },
           "Seconds that it may take for 10000 objects")
        ->default_str("600")
        ->check(CLI::Range(1U, 86400U))
        ->type_name("S");
    app.add_option("--max-volumes,--max_volumes", order.max_volumes,
                   "Volumes of which files are under way at once (0: one after the other, without waiting)")
        ->capture_default_str()
        ->type_name("N");
  }
  add_choice<Fairness>(app, "--fair", order.fair,
                       {{"none", Fairness::none}, {"uid", Fairness::uid}, {"projid", Fairness::projid}}, "none",
                       "uid|projid|none", "Let owners, or projects, take turns");
  app.add_option_function<std::vector<std::string>>(
         "--fair-weight,--fair_weight",
         [&order](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) add_weight(order, text);
         },
         "Files of this owner or project in one turn, others have 1; may be repeated")
      ->type_name("ID=N")
      ->allow_extra_args(false);
  add_limit_options(app, run);
}

void add_limit_options(CLI::App& app, bulk::JobRunOptions& run) {
  app.add_option("--max-files-per-second,--max_files_per_second", run.job.limits.files_per_second,
                 "Files that are taken up in a second (0: no limit)")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1'000'000'000}).description(""))
      ->capture_default_str()
      ->type_name("N");
  app.add_option_function<std::string>(
         "--limit-action,--limit_action",
         [&run](const std::string& text) {
           const auto limits = parse_action_limits(text);
           if (!limits) throw CLI::ValidationError("'" + text + "' is no limit such as restore=100,archive=20");
           run.job.limits.inflight = inflight_of(*limits);
         },
         "Most requests of the job at the coordinator at once, by action")
      ->type_name("ACTION=N,...");
}

void check_order(const bulk::OrderOptions& order) {
  const bool by_location = order.order == Order::archive_location;
  if (by_location && order.fair != Fairness::none)
    throw UsageError("--fair and --order archive-location do not go together: files come as their volumes do");
  if (!by_location && (!order.location.command.empty() || order.max_volumes > 0))
    throw UsageError("--location-command and --max-volumes are about --order archive-location");
  if (!order.weights.empty() && order.fair == Fairness::none) throw UsageError("--fair-weight is about --fair");
}

bulk::JobLimits limits_of(const Controls& controls, const bulk::JobLimits& standard) {
  bulk::JobLimits limits = standard;
  if (controls.files_per_second) limits.files_per_second = *controls.files_per_second;
  if (controls.action_limits) limits.inflight = inflight_of(*controls.action_limits);
  return limits;
}

}  // namespace lhsm::cli
