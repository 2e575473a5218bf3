// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/room.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace lhsm::bulk {

using lustre::OstSpace;
using lustre::QuotaKind;

namespace {

constexpr double k_round_robin_threshold = 0.17;  // Lustre's default of qos_threshold_rr

/// Why an OST gets no objects; empty: it does.
std::string why_unusable(const OstSpace& ost) {
  if (ost.sys_errno == ENODATA) return "inactive";
  if (ost.sys_errno != 0) return fmt::format("no answer ({})", errno_name(ost.sys_errno));
  if ((ost.states & abi::OS_STATFS_READONLY) != 0) return "read-only";
  if ((ost.states & abi::OS_STATFS_NOCREATE) != 0) return "closed for new objects";
  if ((ost.states & abi::OS_STATFS_ENOSPC) != 0 || ost.free_bytes == 0) return "full";
  if ((ost.states & abi::OS_STATFS_ENOINO) != 0 || ost.free_objects == 0) return "out of objects";
  if ((ost.states & abi::OS_STATFS_DEGRADED) != 0) return "degraded";
  return {};
}

/// Find the OST that runs over most. `even`: bytes that are striped over all of them.
void find_overrun(const std::vector<const OstSpace*>& usable, double even, OstForecast& result) {
  const auto least = static_cast<double>(result.least_free);
  const auto most = static_cast<double>(result.most_free);
  const bool is_round_robin = most - least < k_round_robin_threshold * most;
  const auto count = static_cast<double>(usable.size());
  const double rest = static_cast<double>(result.needed_bytes) - even;
  double worst = 0;
  for (const OstSpace* const ost : usable) {
    const auto free = static_cast<double>(ost->free_bytes);
    const double part = is_round_robin ? 1 / count : free / static_cast<double>(result.free_bytes);
    const double over = even / count + rest * part - free;
    // Less than a byte is the arithmetic's.
    if (over < 1 || over <= worst) continue;
    worst = over;
    result.overrun = ost->name;
    result.overrun_bytes = static_cast<std::uint64_t>(over);
  }
}

struct Question {
  QuotaKind kind;
  std::uint32_t id;
  std::uint64_t bytes;
};

std::vector<Question> questions_of(const Forecast& forecast) {
  std::vector<Question> questions;
  const auto add = [&questions](QuotaKind kind, const std::map<std::uint32_t, std::uint64_t>& ids) {
    for (const auto& [id, bytes] : ids)
      if (id != 0) questions.push_back({kind, id, bytes});
  };
  add(QuotaKind::user, forecast.owners);
  add(QuotaKind::group, forecast.groups);
  add(QuotaKind::project, forecast.projects);
  std::stable_sort(questions.begin(), questions.end(), [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  return questions;
}

}  // namespace

OstForecast judge_osts(const std::vector<OstSpace>& osts, const Forecast& forecast) {
  OstForecast result;
  result.all = osts.size();
  result.needed_bytes = forecast.to_do.bytes;
  std::vector<const OstSpace*> usable;
  for (const OstSpace& ost : osts) {
    if (auto why = why_unusable(ost); !why.empty()) {
      result.unusable[std::move(why)].push_back(ost.name);
      continue;
    }
    result.least_free = usable.empty() ? ost.free_bytes : std::min(result.least_free, ost.free_bytes);
    result.most_free = std::max(result.most_free, ost.free_bytes);
    result.free_bytes += ost.free_bytes;
    result.free_objects += ost.free_objects;
    usable.push_back(&ost);
  }
  result.usable = usable.size();
  double even = 0;
  for (const auto& [stripe_count, striped] : forecast.striped) {
    const auto stripes = std::clamp<std::uint64_t>(stripe_count, 1, std::max<std::size_t>(usable.size(), 1));
    result.needed_objects += striped.amount.items * stripes;
    if (stripe_count >= usable.size()) even += static_cast<double>(striped.amount.bytes);
    // Where the layout is not known neither is the piece.
    const std::uint64_t piece = stripe_count == 0 ? 0 : striped.largest / stripes + (striped.largest % stripes != 0 ? 1 : 0);
    if (piece > result.largest_piece) {
      result.largest_piece = piece;
      result.largest_file = striped.largest_path;
    }
  }
  find_overrun(usable, even, result);
  return result;
}

QuotaForecast ask_quotas(lustre::Client& client, const Forecast& forecast) {
  QuotaForecast result;
  std::vector<Question> questions = questions_of(forecast);
  if (questions.size() > QuotaForecast::k_most_asked) {
    result.left_out = questions.size() - QuotaForecast::k_most_asked;
    questions.resize(QuotaForecast::k_most_asked);
  }
  for (const Question& question : questions) {
    QuotaForecast::Kind& kind = result.kinds[question.kind];
    // Who is not root is told of himself only; what else fails fails for all of a kind.
    if (kind.sys_errno != 0 && kind.sys_errno != EPERM) {
      ++kind.untold;
      continue;
    }
    const auto quota = client.quota(question.kind, question.id);
    if (!quota) {
      ++kind.untold;
      if (kind.sys_errno == 0 || quota.error().sys_errno != EPERM) kind.sys_errno = quota.error().sys_errno;
      continue;
    }
    ++kind.told;
    QuotaForecast::Excess excess{question.kind, question.id, 0, 0};
    const std::uint64_t then = quota->bytes + question.bytes;
    if (quota->byte_limit != 0 && then > quota->byte_limit) excess.bytes = then - quota->byte_limit;
    if (quota->file_limit != 0 && quota->files > quota->file_limit) excess.files = quota->files - quota->file_limit;
    if (excess.bytes != 0 || excess.files != 0) result.excesses.push_back(excess);
  }
  std::stable_sort(result.excesses.begin(), result.excesses.end(), [](const auto& a, const auto& b) {
    return std::tie(a.bytes, a.files) > std::tie(b.bytes, b.files);
  });
  return result;
}

bool QuotaForecast::fits() const {
  return std::all_of(excesses.begin(), excesses.end(), [](const Excess& excess) { return excess.bytes == 0; });
}

}  // namespace lhsm::bulk
