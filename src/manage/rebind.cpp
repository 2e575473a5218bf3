// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fstream>
#include <sstream>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/manage/manage.hpp"

namespace lhsm::manage {

namespace {

/// FIDs of files: normal ones, and IGIF ones of file systems that were once Lustre 1.8 (facts 2.3).
Outcome<Fid> file_fid(const std::string& text) {
  constexpr std::uint64_t k_first_normal = 0x200000400;
  constexpr std::uint64_t k_first_igif = 12;
  constexpr std::uint64_t k_last_igif = 0xffffffff;
  const auto fid = Fid::parse(text);
  const bool of_file = fid && (fid->seq >= k_first_normal || (fid->seq >= k_first_igif && fid->seq <= k_last_igif));
  if (!of_file) return failure(ErrorKind::invalid, EINVAL, "invalid FID", text);
  return *fid;
}

}  // namespace

Status rebind(const archive::PosixTree& tree, const std::string& from, const std::string& to, const Options& options) {
  LHSM_TRY_ASSIGN(const Fid old_fid, file_fid(from));
  LHSM_TRY_ASSIGN(const Fid new_fid, file_fid(to));
  log::info("rebind {} to {}", old_fid.bracketed(), new_fid.bracketed());
  if (options.dry_run) return {};
  return tree.rebind(old_fid, new_fid);
}

Outcome<std::uint64_t> rebind_list(const archive::PosixTree& tree, const std::string& list, const Options& options) {
  errno = 0;
  std::ifstream lines(list);
  if (!lines) return errno_error("open", list, errno != 0 ? errno : EIO);
  std::uint64_t read = 0;
  std::uint64_t done = 0;
  std::string line;
  for (std::uint64_t number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line);
    std::string from;
    std::string to;
    std::string more;
    if (!(words >> from) || from.starts_with('#')) continue;
    ++read;
    Status status;
    if (!(words >> to) || (words >> more))
      status = failure(ErrorKind::invalid, EINVAL, "two FIDs expected,", list + ':' + std::to_string(number));
    else
      status = rebind(tree, from, to, options);
    if (status) {
      ++done;
      continue;
    }
    log::error("{}:{}: {}", list, number, status.error().describe());
    if (options.abort_on_error) break;
  }
  if (lines.bad()) return errno_error("read", list, EIO);
  log::info("{} lines read from '{}', {} rebind successful", read, list, done);
  return read - done;
}

}  // namespace lhsm::manage
