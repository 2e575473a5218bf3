// SPDX-License-Identifier: LGPL-2.1-or-later
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "lhsmtool_mpi/archive/posix_tree.hpp"
#include "lhsmtool_mpi/base/log.hpp"
#include "names.hpp"
#include "object_place.hpp"
#include "shadow.hpp"

namespace lhsm::archive {

namespace {

struct CloseDirectory {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

bool is_hash_directory(std::string_view name) {
  return name.size() == 4 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// The FID at the front of a name, and how long it is there; what follows says what the file is.
std::optional<std::pair<Fid, std::size_t>> leading_fid(std::string_view name) {
  std::size_t end = 0;
  for (int colons = 0; end < name.size(); ++end) {
    const char c = name[end];
    if (c == ':') ++colons;
    const bool of_number = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == 'x';
    if ((c != ':' && !of_number) || colons > 2) break;
  }
  const auto fid = Fid::parse(name.substr(0, end));
  if (!fid) return std::nullopt;
  return std::pair{*fid, end};
}

/// Rename without replacing. Not all file systems can (EINVAL); there a look first has to do.
int rename_to_new(int from_dir, const char* from, int to_dir, const char* to) {
  if (::renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  if (::faccessat(to_dir, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
    errno = EEXIST;
    return -1;
  }
  return ::renameat(from_dir, from, to_dir, to);
}

}  // namespace

Status PosixTree::for_each(const std::string& directory, const std::function<Status(const Entry&)>& visit) const {
  LHSM_TRY_ASSIGN(Fd fd, m_tree.open_dir(directory, Links::none));
  const std::unique_ptr<DIR, CloseDirectory> dir(::fdopendir(*fd));
  if (dir == nullptr) return errno_error("opendir", m_tree.full(directory));
  std::ignore = fd.release();  // closed with the stream
  for (;;) {
    errno = 0;
    const dirent* const found = ::readdir(dir.get());
    if (found == nullptr) break;
    Entry entry{found->d_name, found->d_type == DT_DIR};
    if (entry.name == "." || entry.name == "..") continue;
    if (found->d_type == DT_UNKNOWN) {
      struct stat status {};
      if (::fstatat(::dirfd(dir.get()), found->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) continue;  // gone
      entry.is_directory = S_ISDIR(status.st_mode);
    }
    LHSM_TRY(visit(entry));
  }
  if (errno != 0) return errno_error("readdir", m_tree.full(directory));
  return {};
}

/// Call `visit(directory, name)` for each file in directories that objects lie in, and `left` after each
/// of those below `directory`.
Status PosixTree::walk_objects(const std::string& directory,
                               const std::function<Status(const std::string&, const std::string&)>& visit,
                               const std::function<void(const std::string&)>& left) const {
  return for_each(directory, [&](const Entry& entry) -> Status {
    if (!entry.is_directory) return visit(directory, entry.name);
    if (!is_hash_directory(entry.name)) return {};
    const std::string below = directory == "." ? entry.name : directory + '/' + entry.name;
    LHSM_TRY(walk_objects(below, visit, left));
    left(below);
    return {};
  });
}

Status PosixTree::move_entry(const std::string& directory, const std::string& name, bool& moved) const {
  const auto fid = leading_fid(name);
  if (!fid) return {};
  const std::string wanted = object_directory(m_format, fid->first);
  if (wanted == directory) return {};
  std::vector<Fd> changed;
  LHSM_TRY_ASSIGN(const Fd from, m_tree.open_dir(directory));
  LHSM_TRY_ASSIGN(const Fd to, m_tree.make_dir(wanted, changed));
  if (rename_to_new(*from, name.c_str(), *to, name.c_str()) != 0)
    return errno_error("rename", m_tree.full(directory + '/' + name));
  moved = true;
  return {};
}

Outcome<PosixTree::UpgradeResult> PosixTree::upgrade() const {
  UpgradeResult result;
  const auto note = [&result](const Status& status) {
    if (status) return;
    log::error("{}", status.error().describe());
    ++result.failed;
    if (result.first) result.first = status;
  };
  const auto move = [&](const std::string& directory, const std::string& name) -> Status {
    bool moved = false;
    note(move_entry(directory, name, moved));
    if (moved) ++result.moved;
    return {};
  };
  const auto prune = [&](const std::string& directory) {
    // ENOTEMPTY: something is still in it, or has come meanwhile. ENOENT: it was pruned.
    if (::unlinkat(m_tree.root_fd(), directory.c_str(), AT_REMOVEDIR) != 0 && errno != ENOTEMPTY && errno != EEXIST &&
        errno != ENOENT)
      note(errno_error("rmdir", m_tree.full(directory)));
  };
  LHSM_TRY(walk_objects(".", move, prune));
  note(fix_shadow("shadow"));
  // One call for all the directories that were changed.
  if (::syncfs(m_tree.root_fd()) != 0) return errno_error("syncfs", m_tree.root());
  return result;
}

/// Links of the shadow tree name objects by their paths.
Status PosixTree::fix_shadow(const std::string& directory) const {
  UniqueNames names;
  const Status walked = for_each(directory, [&](const Entry& entry) -> Status {
    const std::string path = directory + '/' + entry.name;
    if (entry.is_directory) return fix_shadow(path);
    LHSM_TRY_ASSIGN(const Fd dir, m_tree.open_dir(directory, Links::none));
    std::array<char, PATH_MAX> target{};
    const auto length = ::readlinkat(*dir, entry.name.c_str(), target.data(), target.size());
    if (length < 0) return {};
    const std::string_view text(target.data(), static_cast<std::size_t>(length));
    const auto fid = Fid::parse(text.substr(text.rfind('/') + 1));
    if (!fid) return {};
    return note_in_shadow(m_tree, path.substr(std::string_view("shadow/").size()), object_path(*fid), names.next());
  });
  if (!walked && directory == "shadow" && walked.error().sys_errno == ENOENT) return {};  // there is none
  return walked;
}

Outcome<std::uint64_t> PosixTree::max_sequence() const {
  std::uint64_t most = 0;
  LHSM_TRY(walk_objects(
      ".",
      [&most](const std::string&, const std::string& name) -> Status {
        if (const auto fid = leading_fid(name)) most = std::max(most, fid->first.seq);
        return {};
      },
      [](const std::string&) {}));
  return most;
}

}  // namespace lhsm::archive
