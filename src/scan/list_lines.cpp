// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The part of a task runner that looks up the lines of lists.
#include <fcntl.h>
#include <sys/stat.h>

#include <climits>
#include <cstdlib>

#include "lhsmtool_mpi/scan/entry_list.hpp"
#include "task_runner.hpp"

namespace lhsm::scan {

namespace {

/// Return the path without empty parts and "."; nothing when it has "..", of which only the kernel knows where it leads.
std::optional<std::string> tidy(std::string_view path) {
  std::string clean;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    const auto part = path.substr(0, end);
    path.remove_prefix(std::min(path.size(), end + 1));
    if (part == "..") return std::nullopt;
    if (part.empty() || part == ".") continue;
    clean.append("/").append(part);
  }
  return clean;
}

/// Return what is left of an absolute path below a directory; nothing when it is not below it.
std::optional<std::string> below(const std::string& path, const std::string& directory) {
  const std::string top = directory == "/" ? std::string() : directory;
  if (!path.starts_with(top)) return std::nullopt;
  if (path.size() == top.size()) return std::string();
  if (path[top.size()] != '/') return std::nullopt;
  return path.substr(top.size() + 1);
}

/// Nothing would be done for it: who listed it is told.
Status check_is_file(mode_t mode, const std::string& name) {
  if (S_ISREG(mode)) return {};
  return failure(ErrorKind::invalid, S_ISDIR(mode) ? EISDIR : EINVAL, "not a regular file:", name);
}

}  // namespace

void TaskRunner::look_at_line(const std::string& base, std::string_view line) {
  const auto entry = parse_line(line);
  if (!entry) return failed_line(entry.error(), base, line);
  if (!*entry) return;
  const Fid* const fid = std::get_if<Fid>(&**entry);
  const Status taken = fid != nullptr ? take_fid(*fid) : take_path(base, std::get<std::string>(**entry));
  if (!taken) failed_line(taken.error(), base, line);
}

Status TaskRunner::take_fid(const Fid& fid) {
  const auto file = m_context.client.open_by_fid(fid, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  if (!file) return Failure(file.error());
  LHSM_TRY_ASSIGN(const lustre::FileFacts facts, m_context.client.describe_open_file(**file));
  LHSM_TRY(check_is_file(facts.attributes.st_mode, fid.bracketed()));
  auto path = m_context.client.path_of(fid);
  // To be without a name is the end of a file. Not to be allowed to ask for it is not.
  if (!path && path.error().sys_errno == ENOENT) return Failure(path.error());
  const std::string name = path ? std::move(*path) : std::string();
  if (!m_context.options.filter.keeps_path(name)) {
    ++m_found.filtered;
    return {};
  }
  add(facts, name);
  return {};
}

Status TaskRunner::take_path(const std::string& base, const std::string& path) {
  LHSM_TRY_ASSIGN(const std::string relative, below_mount(base, path));
  if (relative.empty()) return check_is_file(S_IFDIR, path);
  auto described = m_context.client.describe_file(m_context.root, relative, lustre::KnownKind::unknown, m_context.facts_from);
  if (!described)
    return failure(described.error().kind, described.error().sys_errno, described.error().operation, path);
  const lustre::FileFacts& facts = *described;
  // A link in the middle may have led away.
  if (facts.attributes.st_dev != m_context.device)
    return failure(ErrorKind::invalid, EXDEV, "not in the file system:", path);
  LHSM_TRY(check_is_file(facts.attributes.st_mode, path));
  if (!m_context.options.filter.keeps_path(relative)) {
    ++m_found.filtered;
    return {};
  }
  add(facts, relative);
  return {};
}

Outcome<std::string> TaskRunner::below_mount(const std::string& base, const std::string& path) const {
  const std::string& mount = m_context.client.mount_point();
  const std::string absolute = path.starts_with('/') ? path : base + '/' + path;
  if (const auto clean = tidy(absolute))
    if (auto relative = below(*clean, mount)) return std::move(*relative);
  // By another name of the mount point, or with "..": the directory decides, the file itself may be a link.
  const auto slash = absolute.find_last_of('/');
  const std::string name = absolute.substr(slash + 1);
  const bool is_directory = name.empty() || name == "." || name == "..";
  const std::string directory = is_directory ? absolute : absolute.substr(0, slash == 0 ? 1 : slash);
  char resolved[PATH_MAX];
  if (::realpath(directory.c_str(), resolved) == nullptr) return errno_error("resolve", path);
  const auto relative = below(is_directory ? std::string(resolved) : std::string(resolved) + '/' + name, mount);
  if (!relative) return failure(ErrorKind::invalid, EXDEV, "not in the file system:", path);
  return *relative;
}

}  // namespace lhsm::scan
