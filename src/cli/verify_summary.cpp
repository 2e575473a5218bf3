// SPDX-License-Identifier: LGPL-2.1-or-later
#include "verify_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "lhsmtool_mpi/base/size.hpp"
#include "lhsmtool_mpi/report/progress_lines.hpp"

namespace lhsm::cli {

using verify::Verdict;

namespace {

constexpr int k_json_version = 1;

}  // namespace

std::string verify_text(const VerifySummary& summary) {
  std::string text;
  const auto line = [&text](std::string_view name, const std::string& value) {
    text += fmt::format("{:<12} {}\n", std::string(name) + ':', value);
  };
  const verify::Totals& totals = summary.totals;
  const double seconds = std::max(summary.seconds, 1e-3);
  line("Completed", summary.left > 0 ? fmt::format("no, stopped: {} items were not come to", summary.left) : report::local_time());
  line("Seconds", fmt::format("{:.3f}", seconds));
  line("Ranks", fmt::format("{}", summary.ranks));
  line("Read", fmt::format("{} ({} bytes), {}/s", format_size(totals.bytes_read), totals.bytes_read,
                           format_size(static_cast<std::uint64_t>(static_cast<double>(totals.bytes_read) / seconds))));
  line("Verified", fmt::format("{}", totals.of(Verdict::verified)));
  line("Unverified", fmt::format("{} (no digest; their sizes are right)", totals.of(Verdict::unverified)));
  for (const Verdict verdict : {Verdict::corrupt, Verdict::wrong_size, Verdict::missing, Verdict::unreadable}) {
    std::string name(to_string(verdict));
    name.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(name.front())));
    line(name, fmt::format("{}", totals.of(verdict)));
  }
  if (summary.skipped > 0) line("Skipped", fmt::format("{} that are not archived", summary.skipped));
  return text;
}

std::string verify_json(const VerifySummary& summary) {
  nlohmann::ordered_json json{{"version", k_json_version},
                              {"complete", summary.is_complete},
                              {"seconds", summary.seconds},
                              {"ranks", summary.ranks},
                              {"bytes_read", summary.totals.bytes_read}};
  for (std::size_t i = 0; i < verify::k_verdicts; ++i) {
    std::string name(to_string(static_cast<Verdict>(i)));
    std::replace(name.begin(), name.end(), ' ', '_');
    json[name] = summary.totals.verdicts.at(i);
  }
  json["skipped"] = summary.skipped;
  json["left"] = summary.left;
  return json.dump(2) + '\n';
}

}  // namespace lhsm::cli
