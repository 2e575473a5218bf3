// SPDX-License-Identifier: LGPL-2.1-or-later
#include "leftovers.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lhsmtool_mpi/base/lock_reach.hpp"
#include "lhsmtool_mpi/copy/fd_bytes.hpp"
#include "making_table.hpp"
#include "names.hpp"
#include "object_place.hpp"
#include "ticket.hpp"

namespace lhsm::archive {

namespace {

constexpr std::uint64_t k_longest_table = std::uint64_t{64} << 20U;  // of a million objects at once
constexpr std::array k_companions = {k_layout_suffix, k_digest_suffix};

constexpr std::time_t k_spared = 30 * 86400;  // seconds for which a job that was stopped may be gone on with

using Objects = std::map<std::string, ino_t>;  // names of objects in the making, and what they have to lead to

/// Which objects in the making are to stay.
struct Wanted {
  const Objects& objects;
  const std::string& owner;  ///< who clears: only in what was its own they must be among the objects
};

/// One object that was in the making: which step its process died at is seen from the names that are there.
class Leftover {
 public:
  Leftover(const ObjectPlace& place, const std::string& unique, std::uint64_t& gone)
      : m_place(place),
        m_making(place.name() + std::string(k_making_infix) + unique),
        m_old(place.name() + std::string(k_old_infix) + unique),
        m_gone(gone) {}

  /// Return whether the object is wanted, and still in the making. `wanted`: nothing where all are.
  Outcome<bool> clear(const Objects* wanted) {
    const std::uint64_t before = m_gone;
    LHSM_TRY_ASSIGN(const auto making, m_place.identity(m_making));
    bool stays = making && wanted == nullptr;
    if (making && wanted != nullptr) {
      const auto at = wanted->find(m_making);
      stays = at != wanted->end() && making->second == at->second;
    }
    LHSM_TRY_ASSIGN(const auto old, m_place.identity(m_old));
    LHSM_TRY_ASSIGN(const auto object, m_place.identity(m_place.name()));
    for (const auto suffix : k_companions) LHSM_TRY(drop(m_making, suffix));
    if (!stays) LHSM_TRY(drop(m_making, ""));
    if (old && !object) LHSM_TRY(m_place.link(m_old, m_place.name()));
    // The object is the new one, or somebody's later one: the old one goes, what belongs to it first.
    const bool superseded = old && object && *old != *object;
    if (old && !superseded) {
      // It is the old one, still or again, and so must be what belongs to it: as long as the object has its
      // second name, each companion that it had has one, too.
      for (const auto suffix : k_companions) LHSM_TRY(put_back(suffix));
      LHSM_TRY(drop(m_old, ""));
    }
    for (const auto suffix : k_companions) LHSM_TRY(drop(m_old, suffix));
    LHSM_TRY(drop(m_old, ""));
    if (m_gone != before) LHSM_TRY(m_place.sync());
    return stays;
  }

 private:
  Status drop(const std::string& name, std::string_view suffix) {
    LHSM_TRY_ASSIGN(const bool dropped, m_place.unlink(name + std::string(suffix)));
    if (dropped) ++m_gone;
    return {};
  }
  Status put_back(std::string_view suffix) {
    const std::string old = m_old + std::string(suffix);
    const std::string name = m_place.name() + std::string(suffix);
    LHSM_TRY_ASSIGN(const auto kept, m_place.identity(old));
    LHSM_TRY_ASSIGN(const auto now, m_place.identity(name));
    if (!kept) return m_place.unlink(name).map([](bool) {});
    return kept == now ? Status() : m_place.put_back(old, m_making + std::string(suffix), name);
  }

  const ObjectPlace& m_place;
  std::string m_making;
  std::string m_old;
  std::uint64_t& m_gone;
};

Outcome<bool> clear_record(const Beneath& tree, const MakingRecord& record, const std::string& process,
                           const Objects* wanted, std::uint64_t& gone) {
  const std::string dir_path = object_directory(record.format, record.fid);
  auto dir = tree.open_dir(dir_path);
  if (!dir && dir.error().sys_errno == ENOENT) return false;
  if (!dir) return Failure(dir.error());
  const ObjectPlace place(tree, std::move(*dir), dir_path, record.fid.str());
  return Leftover(place, fmt::format("{}-{:x}", process, record.number), gone).clear(wanted);
}

/// Return whether the process that wrote the table is certainly gone.
bool is_dead(const Fd& file, const std::optional<TableHeader>& header) {
  const TableLock lock = lock_table(*file);
  if (lock == TableLock::taken) return false;
  const auto running = header ? header->process.is_running() : std::nullopt;
  if (running) return !*running;  // a lock can get lost, a process cannot
  return lock == TableLock::held && locks_reach_all_hosts(*file);
}

/// Return whether a job other than `owner` may still go on with what stands in the table.
bool is_of_another_job(const Fd& file, const std::optional<TableHeader>& header, const std::string& owner) {
  struct stat status {};
  return header && !header->owner.empty() && header->owner != owner && ::fstat(*file, &status) == 0 &&
         std::time(nullptr) - status.st_mtime < k_spared;
}

Status clear_table(const Beneath& tree, const Fd& dir, const std::string& name, const std::string& process,
                   const Wanted& wanted, std::uint64_t& gone) {
  const std::string path = fmt::format("{}/{}", k_tables_dir, name);
  std::uint64_t size = 0;
  auto file = open_regular(tree, path, O_RDWR, &size);
  if (!file && file.error().sys_errno == ENOENT) return {};  // somebody else was here
  if (!file) return Failure(file.error());
  if (size > k_longest_table) return failure(ErrorKind::corrupt, EFBIG, "read", tree.full(path));
  copy::FdSource source(**file, tree.full(path));
  std::string bytes(static_cast<std::size_t>(size), '\0');
  LHSM_TRY_ASSIGN(const std::size_t head, source.read_at(std::as_writable_bytes(std::span(bytes)), 0));
  const auto header = parse_header(std::string_view(bytes).substr(0, head));
  if (!is_dead(*file, header) || !is_named(dir, name, *file)) return {};
  const Objects* const objects = is_of_another_job(*file, header, wanted.owner) ? nullptr : &wanted.objects;
  // Once more: it may have been written to until it was locked here.
  LHSM_TRY_ASSIGN(const std::size_t got, source.read_at(std::as_writable_bytes(std::span(bytes)), 0));
  bool stays = false;
  for (std::size_t at = k_table_header_bytes; at < got; at += k_record_bytes) {
    const auto record = parse_record(std::string_view(bytes).substr(at, std::min(k_record_bytes, got - at)));
    if (!record) continue;
    LHSM_TRY_ASSIGN(const bool object_stays, clear_record(tree, *record, process, objects, gone));
    stays = stays || object_stays;
  }
  if (stays) return {};  // nobody would know of it any more
  if (::unlinkat(*dir, name.c_str(), 0) != 0 && errno != ENOENT) return errno_error("unlink", tree.full(path));
  return {};
}

Outcome<std::vector<std::string>> entries_of(const Fd& dir, const std::string& subject) {
  Fd again(::openat(*dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!again) return errno_error("open", subject);
  const auto close = [](DIR* stream) { ::closedir(stream); };
  const std::unique_ptr<DIR, decltype(close)> stream(::fdopendir(*again), close);
  if (!stream) return errno_error("opendir", subject);
  std::ignore = again.release();  // closedir's now
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    names.emplace_back(entry->d_name);
  }
  if (errno != 0) return errno_error("readdir", subject);
  return names;
}

}  // namespace

Outcome<std::uint64_t> clear_leftovers(const Beneath& tree, const std::string& owner, const std::set<std::string>& wanted) {
  std::uint64_t gone = 0;
  Objects objects;
  for (const std::string& text : wanted)
    if (auto ticket = parse_ticket(text)) objects.emplace(std::move(ticket->name), ticket->inode);
  auto dir = tree.open_dir(k_tables_dir, Links::none);
  if (!dir && dir.error().sys_errno == ENOENT) return gone;
  if (!dir) return Failure(dir.error());
  LHSM_TRY_ASSIGN(const auto names, entries_of(*dir, tree.full(k_tables_dir)));
  Status first;
  for (const std::string& name : names) {
    const auto process = process_of_table(name);
    if (!process) continue;
    if (Status cleared = clear_table(tree, *dir, name, *process, {objects, owner}, gone); !cleared && first) first = std::move(cleared);
  }
  if (!first) return Failure(first.error());
  return gone;
}

}  // namespace lhsm::archive
