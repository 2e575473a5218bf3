// SPDX-License-Identifier: LGPL-2.1-or-later
#include "plan_text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <pwd.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <vector>

#include "lhsmtool_mpi/base/size.hpp"
#include "lhsmtool_mpi/bulk/judge.hpp"

namespace lhsm::cli {

using bulk::Amount;
using nlohmann::json;

namespace {

constexpr std::size_t k_most_owners = 10;
constexpr std::size_t k_most_names = 8;  // in a line

std::string time_text(std::int64_t ns) {
  const auto seconds = static_cast<std::time_t>(ns / 1'000'000'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", parts);
}

std::string line(std::string_view name, const Amount& amount, std::string_view note = {}) {
  return fmt::format("  {:<18} {:>12}  {:>9}{}{}\n", name, amount.items, format_size(amount.bytes),
                     note.empty() ? "" : "  ", note);
}

/// The owners of most bytes, the largest first.
std::vector<std::pair<std::uint32_t, std::uint64_t>> owners_of(const bulk::Forecast& forecast) {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> owners(forecast.owners.begin(), forecast.owners.end());
  std::stable_sort(owners.begin(), owners.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  if (owners.size() > k_most_owners) owners.resize(k_most_owners);
  return owners;
}

/// Paths are any bytes: what would make another line, or a terminal obey, is replaced.
std::string visible(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return text;
}

std::string room_text(const Plan& plan) {
  std::string text;
  if (plan.room) {
    const Room& room = *plan.room;
    text = fmt::format("Space: {} are needed, {} are free at {}: {}\n", format_size(room.needed_bytes),
                       format_size(room.bytes), room.where, room.needed_bytes <= room.bytes ? "fits" : "DOES NOT FIT");
    if (room.needed_files > 0)
      text += fmt::format("       {} files are to be made, {} can be: {}\n", room.needed_files, room.files,
                          room.needed_files <= room.files ? "fits" : "DOES NOT FIT");
  }
  if (!plan.room_note.empty()) text += fmt::format("{} {}\n", plan.room ? "      " : "Space:", plan.room_note);
  return text;
}

std::string some_of(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), k_most_names); ++i)
    text += (i == 0 ? "" : ", ") + visible(names[i]);
  if (names.size() > k_most_names) text += fmt::format(" and {} more", names.size() - k_most_names);
  return text;
}

std::string osts_text(const Plan& plan) {
  if (!plan.osts_note.empty()) return fmt::format("OSTs:  {}\n", plan.osts_note);
  if (!plan.osts) return {};
  const bulk::OstForecast& osts = *plan.osts;
  std::string text = fmt::format("OSTs:  {} of {} are usable, with {} free, {} at the fullest: {}\n", osts.usable, osts.all,
                                 format_size(osts.free_bytes), format_size(osts.least_free),
                                 osts.needed_bytes <= osts.free_bytes ? "fits" : "DOES NOT FIT");
  if (osts.needed_objects > osts.free_objects)
    text += fmt::format("       {} objects are to be made, {} can be: DOES NOT FIT\n", osts.needed_objects, osts.free_objects);
  if (osts.largest_piece > osts.most_free)
    text += fmt::format("       {} of one file would lie on one OST, none has more than {} free: DOES NOT FIT\n         {}\n",
                        format_size(osts.largest_piece), format_size(osts.most_free), visible(osts.largest_file));
  if (osts.overrun_bytes > 0 && osts.needed_bytes <= osts.free_bytes)
    text += fmt::format("       warning: spread as is likely, {} would be {} over\n", visible(osts.overrun),
                        format_size(osts.overrun_bytes));
  for (const auto& [reason, names] : osts.unusable) text += fmt::format("       {}: {}\n", reason, some_of(names));
  return text;
}

std::string several(std::size_t count, lustre::QuotaKind kind) {
  return fmt::format("{} {}{}", count, lustre::to_string(kind), count == 1 ? "" : "s");
}

std::string excess_text(const bulk::QuotaForecast& quotas) {
  std::string text;
  const std::size_t shown = std::min(quotas.excesses.size(), k_most_owners);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& [kind, id, bytes, files] = quotas.excesses[i];
    const std::string owner = fmt::format("       quota of {} {}: ", lustre::to_string(kind), id);
    if (bytes > 0) text += fmt::format("{}{} over\n", owner, format_size(bytes));
    if (files > 0) text += fmt::format("{}{} files over already; a restore makes none\n", owner, files);
  }
  if (shown < quotas.excesses.size()) text += fmt::format("       and {} more\n", quotas.excesses.size() - shown);
  return text;
}

std::string quotas_text(const bulk::QuotaForecast& quotas) {
  std::string told;
  std::string rest;
  for (const auto& [kind, answers] : quotas.kinds) {
    if (answers.told > 0) told += (told.empty() ? "" : ", ") + several(answers.told, kind);
    if (answers.untold > 0)
      rest += fmt::format("       not known of {} ({})\n", several(answers.untold, kind), errno_name(answers.sys_errno));
  }
  if (quotas.left_out > 0)
    rest += fmt::format("       {} more owners, of fewer bytes, were not asked\n", quotas.left_out);
  std::string text = "Quota: ";
  if (quotas.kinds.empty())
    text += "the files have no owner but root\n";
  else if (told.empty())
    text += "not known\n";
  else
    text += fmt::format("of {}: {}\n", told, quotas.fits() ? "fits" : "DOES NOT FIT");
  return text + excess_text(quotas) + rest;
}

json osts_json(const bulk::OstForecast& osts) {
  json unusable = json::object();
  for (const auto& [reason, names] : osts.unusable) unusable[reason] = names;
  return {{"all", osts.all},
          {"usable", osts.usable},
          {"unusable", std::move(unusable)},
          {"free_bytes", osts.free_bytes},
          {"needed_bytes", osts.needed_bytes},
          {"free_objects", osts.free_objects},
          {"needed_objects", osts.needed_objects},
          {"least_free", osts.least_free},
          {"most_free", osts.most_free},
          {"largest_piece", osts.largest_piece},
          {"largest_file", osts.largest_file},
          {"overrun", osts.overrun},
          {"overrun_bytes", osts.overrun_bytes},
          {"fits", osts.fits()}};
}

json quotas_json(const bulk::QuotaForecast& quotas) {
  json out{{"fits", quotas.fits()}, {"not_asked", quotas.left_out}, {"kinds", json::object()}, {"over", json::array()}};
  for (const auto& [kind, answers] : quotas.kinds)
    out["kinds"][std::string(lustre::to_string(kind))] = {
        {"told", answers.told},
        {"not_told", answers.untold},
        {"errno", answers.sys_errno != 0 ? json(errno_name(answers.sys_errno)) : json()}};
  for (const auto& [kind, id, bytes, files] : quotas.excesses)
    out["over"].push_back({{"kind", lustre::to_string(kind)}, {"id", id}, {"bytes", bytes}, {"files", files}});
  return out;
}

json amount_json(const Amount& amount) { return {{"items", amount.items}, {"bytes", amount.bytes}}; }

}  // namespace

bool is_clear(const Plan& plan) {
  return plan.forecast.obstacles.empty() && (!plan.room || plan.room->fits()) && (!plan.osts || plan.osts->fits()) &&
         (!plan.quotas || plan.quotas->fits());
}

std::string as_text(const Plan& plan) {
  const bulk::Forecast& forecast = plan.forecast;
  const auto action = bulk::to_string(forecast.action);
  std::string text =
      fmt::format("{}: to {} {} items, {}; states as {}\n", plan.manifest, action, forecast.all.items,
                  format_size(forecast.all.bytes),
                  plan.mount_point.empty() ? "in the manifest of " + time_text(plan.scanned_ns) : "they are now");
  text += line(fmt::format("to {}", action), forecast.to_do,
               forecast.to_do.items > 0 ? "the largest has " + format_size(forecast.largest) : "");
  if (forecast.already.items > 0) text += line("already so", forecast.already);
  if (forecast.finished.items > 0) text += line("done before", forecast.finished);
  if (forecast.given_up.items > 0) text += line("failed before", forecast.given_up, "only retry takes them up again");
  Amount hindered;
  for (const auto& [reason, obstacle] : forecast.obstacles) {
    hindered.items += obstacle.amount.items;
    hindered.bytes += obstacle.amount.bytes;
  }
  if (hindered.items > 0) text += line("cannot work", hindered);
  for (const auto& [reason, obstacle] : forecast.obstacles) {
    text += fmt::format("    {} x {}\n", obstacle.amount.items, reason);
    for (const std::string& path : obstacle.examples) text += "        " + visible(path) + "\n";
  }
  if (!forecast.states.empty()) text += "States:\n";
  for (const auto& [states, amount] : forecast.states) text += line(bulk::state_words(states), amount);
  if (forecast.action == store::ItemAction::restore && !plan.objects_looked_for && forecast.to_do.items > 0)
    text += "Objects: not looked for (--hsm-root)\n";
  text += room_text(plan) + osts_text(plan);
  if (plan.quotas) text += quotas_text(*plan.quotas);
  if (forecast.action == store::ItemAction::restore && !forecast.owners.empty()) {
    text += "Owners of most bytes:\n";
    for (const auto& [uid, bytes] : owners_of(forecast)) {
      const passwd* const user = ::getpwuid(uid);
      text +=
          fmt::format("  {:<18} {:>12}  {:>9}\n", user != nullptr ? user->pw_name : "user", uid, format_size(bytes));
    }
  }
  text += plan.seconds ? fmt::format("Time: about {}, {}\n", format_estimate(*plan.seconds), plan.time_note)
                       : fmt::format("Time: {}\n", plan.time_note);
  return text;
}

std::string as_json(const Plan& plan) {
  const bulk::Forecast& forecast = plan.forecast;
  json out{{"manifest", plan.manifest},
           {"action", bulk::to_string(forecast.action)},
           {"states_from", plan.mount_point.empty() ? "manifest" : plan.mount_point},
           {"objects_looked_for", plan.objects_looked_for},
           {"all", amount_json(forecast.all)},
           {"to_do", amount_json(forecast.to_do)},
           {"largest", forecast.largest},
           {"already", amount_json(forecast.already)},
           {"done_before", amount_json(forecast.finished)},
           {"failed_before", amount_json(forecast.given_up)},
           {"obstacles", json::array()},
           {"states", json::array()},
           {"owners", json::array()},
           {"clear", is_clear(plan)}};
  for (const auto& [reason, obstacle] : forecast.obstacles) {
    json entry = amount_json(obstacle.amount);
    entry["reason"] = reason;
    entry["examples"] = obstacle.examples;
    out["obstacles"].push_back(std::move(entry));
  }
  for (const auto& [states, amount] : forecast.states) {
    json entry = amount_json(amount);
    entry["state"] = states;
    entry["words"] = bulk::state_words(states);
    out["states"].push_back(std::move(entry));
  }
  for (const auto& [uid, bytes] : owners_of(forecast)) out["owners"].push_back({{"uid", uid}, {"bytes", bytes}});
  out["space"] = json();
  if (plan.room)
    out["space"] = {{"where", plan.room->where},
                    {"free_bytes", plan.room->bytes},
                    {"needed_bytes", plan.room->needed_bytes},
                    {"free_files", plan.room->files},
                    {"needed_files", plan.room->needed_files},
                    {"fits", plan.room->fits()}};
  out["space_note"] = plan.room_note;
  out["osts"] = plan.osts ? osts_json(*plan.osts) : json();
  out["osts_note"] = plan.osts_note;
  out["quotas"] = plan.quotas ? quotas_json(*plan.quotas) : json();
  out["seconds"] = plan.seconds ? json(*plan.seconds) : json();
  out["seconds_note"] = plan.time_note;
  return out.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace lhsm::cli
