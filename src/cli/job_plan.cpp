// SPDX-License-Identifier: LGPL-2.1-or-later
#include "job_plan.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <ctime>

#include "command_line.hpp"
#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/bulk/job_manifest.hpp"
#include "lhsmtool_mpi/cli/commands.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"
#include "lhsmtool_mpi/lustre/mount_point.hpp"
#include "lhsmtool_mpi/store/job_files.hpp"
#include "lhsmtool_mpi/store/manifest.hpp"

namespace lhsm::cli {

namespace {

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

/// Whether a file may be read without its being restored, which the read would wait for.
bool is_at_hand(int fd, const std::string& path) {
  const auto mount = lustre::mount_point_of(path);
  if (!mount) return true;  // not in Lustre
  const auto client = lustre::open_client(*mount);
  if (!client) return false;
  const auto facts = (*client)->describe_open_file(fd);
  return facts && (facts->hsm_state & abi::HS_RELEASED) == 0;
}

bool is_manifest(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  return fd && ::fstat(*fd, &status) == 0 && S_ISREG(status.st_mode) && is_at_hand(*fd, path) &&
         store::looks_like_manifest(*fd);
}

std::string real_path(const std::string& path) {
  std::array<char, PATH_MAX> resolved{};
  if (::realpath(path.c_str(), resolved.data()) == nullptr) throw Fatal(errno_error("find", path).value());
  return resolved.data();
}

/// In the working directory: "lhsm-restore-20261122T120000Z.h5", with a number when that is taken.
std::string new_manifest(const std::string& name) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  const std::string stem = fmt::format("lhsm-{}-{:%Y%m%dT%H%M%SZ}", name, parts);
  for (int i = 0;; ++i) {
    const std::string path = i == 0 ? stem + ".h5" : fmt::format("{}-{}.h5", stem, i);
    if (!exists(path) && !exists(path + ".lock")) return path;
  }
}

bool is_finished(const std::string& manifest) {
  auto seen = store::look_at_job(manifest);
  if (!seen) throw Fatal(seen.error());
  const auto census = bulk::take_census(seen->manifest, seen->state);
  if (!census) throw Fatal(census.error());
  return census->left() == 0;
}

/// Standard input, and what is not there, were not.
bool was_changed_since(const std::string& list, std::int64_t time_ns) {
  struct stat status {};
  return ::stat(list.c_str(), &status) == 0 && status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec > time_ns;
}

/// Nobody is to take files that were never scanned for files that are done.
void tell_of_new_files(const std::string& manifest, const std::string& list, std::int64_t scanned_ns) {
  const bool is_changed = !list.empty() && was_changed_since(list, scanned_ns);
  const bool may_be_more = list.empty() || list == "-";
  if (!is_changed && !may_be_more) return;
  const bool is_over = is_finished(manifest);
  if (is_changed && is_over)
    throw Fatal(fmt::format("{} was changed since {} was made of it, and that job is finished: another -o, or --force to scan anew",
                            list, manifest));
  if (is_changed) log::warning("{} was changed since {} was made of it: what is new in it is left out", list, manifest);
  if (may_be_more && is_over)
    log::warning("{} is a finished job, and nothing is scanned: files that are new are found by --force, or under another -o", manifest);
}

/// Go on with a manifest that is there, if it is of the same files.
void go_on(const std::string& selection, const std::string& list, JobPlan& plan) {
  const auto manifest = store::ManifestReader::open(plan.manifest);
  if (!manifest) throw Fatal(manifest.error());
  const auto& runs = manifest->runs();
  const std::string made_by = runs.empty() ? "" : runs.front().command_line;
  if (made_by != selection)
    throw Fatal(fmt::format("{} is there, and of other files: made by '{}'. Give it with the mount point to go on with it, "
                            "another -o, or --force to replace it",
                            plan.manifest, made_by));
  plan.scan_code = runs.front().exit_code;
  tell_of_new_files(plan.manifest, list, runs.front().begin_ns);
}

bool is_below(const std::string& path, const std::string& directory) { return path.starts_with(directory + '/'); }

/// The mount point may stand last, after paths in it, as after a manifest: that is not all files of the file system. But a manifest with a
/// wrong name, or damaged, must become neither that nor a file to be copied.
std::vector<std::string> paths_of(const std::vector<std::string>& targets, const std::string& mount) {
  if (targets.size() < 2 || real_path(targets.back()) != mount) return targets;
  struct stat first {};
  const bool is_file = ::stat(targets.front().c_str(), &first) == 0 && S_ISREG(first.st_mode);
  if (targets.size() == 2 && is_file && (targets.front().ends_with(".h5") || !is_below(real_path(targets.front()), mount)))
    throw Fatal(targets.front() + " is no manifest");
  std::vector<std::string> paths(targets.begin(), targets.end() - 1);
  const bool are_in_it = std::all_of(paths.begin(), paths.end(), [&](const auto& path) { return is_below(real_path(path), mount); });
  return are_in_it ? paths : targets;
}

JobPlan try_to_plan(const std::string& name, const std::vector<std::string>& targets,
                    const std::vector<std::string>& conditions, ScanCommand& scan) {
  JobPlan plan;
  if (targets.empty() && scan.list.empty())
    throw UsageError("nothing is said to " + name + ": a manifest and the mount point, paths, or --from-list");
  if (scan.list.empty() && targets.size() <= 2 && is_manifest(targets.front())) {
    if (targets.size() == 1) throw UsageError("the mount point is missing after " + targets.front());
    if (!conditions.empty() || !scan.output.empty())
      throw UsageError(targets.front() + " is a manifest, whose files are said: conditions and -o are for paths and lists");
    plan.manifest = targets.front();
    plan.mount_point = targets.back();
    return plan;
  }
  if (!scan.list.empty() && targets.size() > 1)
    throw UsageError("--from-list takes one PATH, which says what file system it is");
  const auto mount = lustre::mount_point_of(targets.empty() ? "." : targets.back());
  if (!mount) throw Fatal(mount.error());
  plan.mount_point = *mount;
  scan.paths = paths_of(targets, *mount);
  std::string selection = "lhsmtool_mpi scan";
  for (const std::string& word : conditions) selection += ' ' + shell_word(word);
  for (const std::string& path : scan.paths) selection += ' ' + shell_word(real_path(path));
  scan.command_line = selection;
  plan.manifest = scan.output.empty() ? new_manifest(name) : scan.output;
  plan.scans = scan.replace || !exists(plan.manifest);
  if (!plan.scans) go_on(selection, scan.list, plan);
  return plan;
}

}  // namespace

std::string JobPlan::pack() const {
  std::string text;
  for (const std::string& part : {std::to_string(code), failure, std::string(scans ? "1" : "0"), std::to_string(scan_code),
                                  manifest, mount_point})
    text.append(part).push_back('\0');
  return text;
}

JobPlan JobPlan::unpack(const std::string& text) {
  std::array<std::string, 6> parts;
  std::size_t at = 0;
  for (std::string& part : parts) {
    if (at >= text.size()) break;
    part = text.substr(at, text.find('\0', at) - at);
    at += part.size() + 1;
  }
  JobPlan plan;
  plan.code = std::atoi(parts[0].c_str());
  plan.failure = parts[1];
  plan.scans = parts[2] == "1";
  plan.scan_code = std::atoi(parts[3].c_str());
  plan.manifest = parts[4];
  plan.mount_point = parts[5];
  return plan;
}

JobPlan plan_job(const std::string& name, const std::vector<std::string>& targets,
                 const std::vector<std::string>& conditions, ScanCommand& scan) {
  JobPlan plan;
  try {
    return try_to_plan(name, targets, conditions, scan);
  } catch (const UsageError& error) {
    plan.code = k_usage;
    plan.failure = error.what();
  } catch (const Fatal& error) {
    plan.code = k_run_failed;
    plan.failure = error.what();
  }
  return plan;
}

}  // namespace lhsm::cli
