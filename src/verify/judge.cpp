// SPDX-License-Identifier: LGPL-2.1-or-later
#include "judge.hpp"

#include <fmt/format.h>

#include <numeric>

#include "lhsmtool_mpi/copy/digest.hpp"

namespace lhsm::verify {

std::uint64_t Totals::checked() const { return std::accumulate(verdicts.begin(), verdicts.end(), std::uint64_t{0}); }

std::uint64_t Totals::failed() const {
  return of(Verdict::corrupt) + of(Verdict::wrong_size) + of(Verdict::missing) + of(Verdict::unreadable);
}

Finding judge(const Candidate& candidate, const comm::VerifyResult& result) {
  Finding finding{candidate, Verdict::verified, {}};
  const auto fail = [&](Verdict verdict, std::string_view operation, const std::string& detail) {
    finding.verdict = verdict;
    finding.error = {ErrorKind::corrupt, EIO, std::string(operation),
                     fmt::format("{} ({})", candidate.fid.bracketed(), detail)};
    return finding;
  };
  if (result.has_failed) {
    finding.verdict = result.error.sys_errno == ENOENT ? Verdict::missing : Verdict::unreadable;
    finding.error = result.error;
    return finding;
  }
  const auto kept = copy::ObjectDigest::parse(result.kept);
  if (candidate.size_matters && result.size != candidate.size)
    return fail(Verdict::wrong_size, "verify size of object of",
                fmt::format("{} bytes, expected {}", result.size, candidate.size));
  if (!kept) {
    finding.verdict = Verdict::unverified;
    return finding;
  }
  if (kept->size != result.size)
    return fail(Verdict::wrong_size, "verify size of object of",
                fmt::format("{} bytes, expected {}", result.size, kept->size));
  if (result.computed != result.kept)
    return fail(Verdict::corrupt, "verify object of",
                fmt::format("digest {}, expected {}", result.computed, result.kept));
  return finding;
}

}  // namespace lhsm::verify
