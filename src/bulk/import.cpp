// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/bulk/import.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <tuple>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/bulk/judge.hpp"
#include "lhsmtool_mpi/lustre/layout.hpp"

namespace lhsm::bulk {

using archive::PosixTree;
using comm::FileAnswer;

namespace {

constexpr mode_t k_directory_mode = 0700;  // until somebody says who may come in
constexpr const char* k_access_list = "system.posix_acl_access";
constexpr int k_look_flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC;

/// Below the mount point, and no way out of it.
bool is_path_below(std::string_view path) {
  if (path.find('\0') != std::string_view::npos) return false;
  for (std::size_t from = 0; from <= path.size();) {
    const std::size_t slash = std::min(path.find('/', from), path.size());
    const auto name = path.substr(from, slash - from);
    if (name.empty() || name == "." || name == "..") return false;
    from = slash + 1;
  }
  return true;
}

Failure exists(std::string_view what, const std::string& subject) { return failure(ErrorKind::invalid, EEXIST, what, subject); }

/// Open a directory of the mount, making what is missing. No link is followed: who works in the new file system already could lead
/// us anywhere.
Outcome<Fd> make_directory(const archive::Beneath& mount, const std::string& path) {
  auto whole = mount.open_dir(path, archive::Links::none);
  if (whole || whole.error().sys_errno != ENOENT) return whole;
  LHSM_TRY_ASSIGN(Fd parent, mount.open_dir(".", archive::Links::none));
  for (std::size_t from = 0; from < path.size();) {
    const std::size_t slash = std::min(path.find('/', from), path.size());
    if (::mkdirat(*parent, path.substr(from, slash - from).c_str(), k_directory_mode) != 0 && errno != EEXIST)
      return errno_error("mkdir", mount.full(path.substr(0, slash)));
    LHSM_TRY_ASSIGN(parent, mount.open_dir(path.substr(0, slash), archive::Links::none));
    from = slash + 1;
  }
  return parent;
}

/// Whether an import that was killed left it between the making of the file and its becoming a released one: nobody else makes a
/// file without data whose layout is released, or that has none yet.
bool is_half_made(lustre::Client& client, const Fd& file, const struct stat& status, const lustre::HsmState& state) {
  if (state.states != 0 || status.st_size != 0 || status.st_nlink != 1 || status.st_uid != ::geteuid())
    return false;
  const auto layout = client.layout(*file);
  return layout && (!*layout || lustre::is_released(**layout).value_or(false));
}

}  // namespace

bool has_newer_data(std::uint32_t hsm_state) { return (hsm_state & (abi::HS_DIRTY | abi::HS_LOST)) != 0; }

// The manifest is of the time of the scan: what changed later is not known, but what had changed by then must be in the object.
std::string_view why_stale(bool has_newer_data, std::int64_t mtime_ns, std::uint64_t size, std::int64_t object_mtime,
                           std::uint64_t object_size) {
  constexpr std::int64_t k_ns = 1'000'000'000;
  const std::int64_t seconds = mtime_ns / k_ns - (mtime_ns % k_ns < 0 ? 1 : 0);  // Lustre has no finer ones
  if (seconds > object_mtime) return "import an object that is older than its file,";
  // Who writes into a file can give it an older time than its object has.
  if (has_newer_data && seconds != object_mtime) return "import the object of a file that was changed since,";
  return seconds == object_mtime && size != object_size ? "import an object of another size than its file," : "";
}

struct Importer::Place {
  Fd directory;
  std::string name;
  std::string full;  ///< absolute
};

struct Importer::Errand {
  const comm::FileToDo& file;
  const archive::ImportMarks& marks;
  archive::Candidate candidate;
  Place place;

  [[nodiscard]] bool has_more_names() const { return file.links > 1; }
};

/// That of the object, without rights which its former owner gave and its owner did not.
mode_t Importer::mode_of(const Errand& errand) {
  const struct stat& object = errand.candidate.attributes;
  const bool changed_hands = object.st_uid != errand.file.uid || object.st_gid != errand.file.gid;
  return changed_hands ? object.st_mode & ~mode_t{S_ISUID | S_ISGID} : object.st_mode;
}

Outcome<Importer> Importer::open(lustre::Client& client, const PosixTree& from, const PosixTree& to, std::uint32_t archive_id) {
  LHSM_TRY_ASSIGN(archive::Beneath mount, archive::Beneath::open_root(client.mount_point()));
  return Importer(client, from, to, archive_id, std::move(mount));
}

comm::FileDone Importer::import(const comm::FileToDo& file, const std::string& source) const {
  if (!is_path_below(file.path)) return {file.fid, FileAnswer::refused, refusal(file.fid, "the manifest has no path of it")};
  if (file.fid == Fid()) return {file.fid, FileAnswer::refused, refusal(file.fid, "the manifest has no FID of it")};
  const archive::ImportMarks marks(m_to.tree(), source);
  const auto done = [&]() -> Outcome<FileAnswer> {
    Errand errand{file, marks, {}, {}};
    auto candidate = m_from.open_object(file.fid);
    if (!candidate && candidate.error().sys_errno == ENOENT)
      return errno_error("find the object of", m_from.tree().full(m_from.object_path(file.fid)), ENOENT);
    if (!candidate) return Failure(candidate.error());
    errand.candidate = std::move(*candidate);
    const struct stat& object = errand.candidate.attributes;
    const auto stale = why_stale(has_newer_data(file.hsm_state), file.mtime_ns, file.size, object.st_mtim.tv_sec, static_cast<std::uint64_t>(object.st_size));
    if (!stale.empty()) return failure(ErrorKind::invalid, ESTALE, stale, m_mount.full(file.path));
    LHSM_TRY_ASSIGN(errand.place, find_place(file.path));
    return carry_out(errand);
  }();
  if (done) return {file.fid, *done, {}};
  log::warning("{} is not imported: {}", file.path, done.error().describe());
  return {file.fid, FileAnswer::failed, done.error()};
}

Outcome<Importer::Place> Importer::find_place(const std::string& path) const {
  const auto slash = path.rfind('/');
  Place place;
  place.name = path.substr(slash + 1);  // npos + 1 is 0
  place.full = m_mount.full(path);
  LHSM_TRY_ASSIGN(place.directory, make_directory(m_mount, slash == std::string::npos ? "." : path.substr(0, slash)));
  return place;
}

Outcome<FileAnswer> Importer::carry_out(const Errand& errand) const {
  const Place& place = errand.place;
  struct stat status {};
  if (::fstatat(*place.directory, place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno != ENOENT) return errno_error("stat", place.full);
    return create(errand);
  }
  if (!S_ISREG(status.st_mode)) return exists("import over what is no file,", place.full);
  const Fd file(::openat(*place.directory, place.name.c_str(), k_look_flags));
  if (!file) return errno_error("open", place.full);
  return look_at_existing(errand, file);
}

/// What has the path may be what an earlier run made, which was killed before its result was on record.
Outcome<FileAnswer> Importer::look_at_existing(const Errand& errand, const Fd& file) const {
  const Place& place = errand.place;
  struct stat status {};
  if (::fstat(*file, &status) != 0) return errno_error("fstat", place.full);
  LHSM_TRY_ASSIGN(const Fid fid, m_client.fid_of(*file));
  LHSM_TRY_ASSIGN(const auto holder, m_to.holder(errand.candidate, fid));
  LHSM_TRY_ASSIGN(const lustre::HsmState state, m_client.hsm_state(*file));
  const struct stat& object = errand.candidate.attributes;
  constexpr std::uint32_t k_imported = abi::HS_RELEASED | abi::HS_ARCHIVED;
  const bool is_like_it = (state.states & k_imported) == k_imported && state.archive_id == m_archive_id &&
                          status.st_size == object.st_size && status.st_mtim.tv_sec == object.st_mtim.tv_sec;
  if (holder == PosixTree::Holder::nobody && is_half_made(m_client, file, status, state)) {
    if (::unlinkat(*place.directory, place.name.c_str(), 0) != 0) return errno_error("unlink", place.full);
    return create(errand);
  }
  // With its object it is it, whatever its user has done since.
  const bool is_it = holder == PosixTree::Holder::candidate || (holder == PosixTree::Holder::nobody && is_like_it);
  if (!is_it) return exists("import over another file,", place.full);
  if (errand.has_more_names()) {
    LHSM_TRY_ASSIGN(const auto first, other_names(errand));
    if (first && *first != fid) return exists("import a name that is of another file than the other names of its file,", place.full);
  }
  if (holder == PosixTree::Holder::nobody) LHSM_TRY(fill_in(errand, file));
  LHSM_TRY(m_to.adopt(errand.candidate, fid, m_from));
  if (errand.has_more_names()) LHSM_TRY(note_as_first(errand, fid));
  return holder == PosixTree::Holder::nobody ? FileAnswer::done : FileAnswer::already;
}

Outcome<FileAnswer> Importer::create(const Errand& errand) const {
  const Place& place = errand.place;
  if (errand.has_more_names()) {
    LHSM_TRY_ASSIGN(const auto first, other_names(errand));
    if (first) return link_to(errand, *first).map([] { return FileAnswer::done; });
  }
  struct stat attributes = errand.candidate.attributes;
  attributes.st_uid = errand.file.uid;  // a file that changes hands is not archived anew for that
  attributes.st_gid = errand.file.gid;
  attributes.st_mode = mode_of(errand);
  auto made = m_client.import_released(place.full, m_archive_id, attributes);
  if (!made && made.error().sys_errno == EEXIST) return exists("import over another file,", place.full);
  if (!made) return Failure(made.error());
  const Fid fid = *made;
  // A released file without an object could never be read.
  bool is_in_place = false;
  Status status = [&]() -> Status {
    const Fd file(::openat(*place.directory, place.name.c_str(), k_look_flags));
    if (!file) return errno_error("open", place.full);
    LHSM_TRY_ASSIGN(const Fid seen, m_client.fid_of(*file));
    is_in_place = seen == fid;
    if (!is_in_place) return failure(ErrorKind::busy, EBUSY, "find again what was imported as", place.full);
    return fill_in(errand, file);
  }();
  // In one root for both: each of the two files would be removed with the other's object.
  if (status && fid == errand.file.fid && holds(errand, fid)) {
    take_back(errand, std::nullopt);
    return exists("import into the root of its own object, whose name it got,", place.full);
  }
  if (status) status = m_to.adopt(errand.candidate, fid, m_from);
  if (!status) {
    if (!is_in_place)
      remove_elsewhere(fid);
    else if (!holds(errand, fid))  // else another job has taken it for a killed one's, and counts it
      take_back(errand, std::nullopt);
    if (status.error().sys_errno == EEXIST) return exists("import over the object of another file,", m_to.tree().full(m_to.object_path(fid)));
    return Failure(status.error());
  }
  if (!errand.has_more_names()) return FileAnswer::done;
  const auto first = note_as_first(errand, fid);
  if (first && *first == fid) return FileAnswer::done;
  // Another job came first with another name, or its mark was not to be seen yet.
  take_back(errand, fid);
  if (!first) return Failure(first.error());
  return link_to(errand, *first).map([] { return FileAnswer::done; });
}

/// Give the new file what the archive keeps beside data and attributes, and its project.
Status Importer::fill_in(const Errand& errand, const Fd& file) const {
  const std::string& subject = errand.place.full;
  LHSM_TRY_ASSIGN(const auto xattrs, PosixTree::kept_xattrs(errand.candidate));
  bool has_access_list = false;
  for (const archive::Xattr& xattr : xattrs) {
    const bool is_access_list = xattr.name == k_access_list;
    has_access_list = has_access_list || is_access_list;
    if (::fsetxattr(*file, xattr.name.c_str(), xattr.value.data(), xattr.value.size(), 0) == 0) continue;
    // As an archive leaves out what it cannot hold. Some are of the archive's file system.
    const bool is_users = is_access_list || xattr.name.starts_with("user.");
    if (errno == EOPNOTSUPP || !is_users) continue;
    return errno_error("fsetxattr " + xattr.name, subject);
  }
  // What the directory's default list gave it would let others in. An import gives only the plain permission bits.
  const mode_t mode = mode_of(errand) & 07777U;
  const bool had_another_list = !has_access_list && ::fremovexattr(*file, k_access_list) == 0;
  if ((had_another_list || (mode & ~mode_t{0777}) != 0) && ::fchmod(*file, mode) != 0) return errno_error("fchmod", subject);
  if (errand.file.projid == 0) return {};
  const Status set = m_client.set_project(*file, errand.file.projid);
  return set || set.error().kind == ErrorKind::unsupported ? Status() : set;
}

/// Return what a file of several names became, if it is there.
Outcome<std::optional<Fid>> Importer::other_names(const Errand& errand) const {
  LHSM_TRY_ASSIGN(const auto noted, errand.marks.find(errand.file.fid));
  if (!noted) return std::nullopt;
  LHSM_TRY_ASSIGN(const auto holder, m_to.holder(errand.candidate, *noted));
  if (holder == PosixTree::Holder::candidate) {
    const auto path = m_client.path_of(*noted);
    if (path) return noted;
    if (path.error().kind != ErrorKind::not_found) return Failure(path.error());
  }
  LHSM_TRY(errand.marks.forget(errand.file.fid, *noted));
  return std::nullopt;
}

/// Return the file that the further names are to be of.
Outcome<Fid> Importer::note_as_first(const Errand& errand, const Fid& file) const {
  LHSM_TRY_ASSIGN(Fid noted, errand.marks.note(errand.file.fid, file));
  if (noted == file) return noted;
  LHSM_TRY_ASSIGN(const auto living, other_names(errand));
  if (living) return *living;
  return errand.marks.note(errand.file.fid, file);
}

/// Give the file `first` the errand's path as a further name.
Status Importer::link_to(const Errand& errand, const Fid& first) const {
  const Place& place = errand.place;
  LHSM_TRY_ASSIGN(const std::string path, m_client.path_of(first));
  if (::linkat(AT_FDCWD, m_mount.full(path).c_str(), *place.directory, place.name.c_str(), 0) != 0) {
    if (errno == EEXIST) return exists("import over another file,", place.full);
    if (errno == ENOENT) return failure(ErrorKind::busy, EBUSY, "link what was renamed just now to", place.full);
    return errno_error("link", place.full);
  }
  const Fd file(::openat(*place.directory, place.name.c_str(), k_look_flags));
  const auto linked = file ? m_client.fid_of(*file) : Outcome<Fid>(errno_error("open", place.full));
  if (linked && *linked == first) return {};
  take_back(errand, std::nullopt);
  return linked ? failure(ErrorKind::busy, EBUSY, "link what was renamed just now to", place.full) : Failure(linked.error());
}

bool Importer::holds(const Errand& errand, const Fid& file) const {
  const auto holder = m_to.holder(errand.candidate, file);
  return holder && *holder == PosixTree::Holder::candidate;
}

/// Remove what was made in another place than was meant, as somebody exchanged a directory on the way. It is root who removes: by no link.
void Importer::remove_elsewhere(const Fid& fid) const {
  const auto path = m_client.path_of(fid);
  if (!path) return;
  const auto slash = path->rfind('/');
  const auto directory = m_mount.open_dir(slash == std::string::npos ? "." : path->substr(0, slash), archive::Links::none);
  if (!directory) return;
  const std::string name = path->substr(slash + 1);
  const Fd file(::openat(**directory, name.c_str(), k_look_flags));
  if (!file) return;
  if (const auto seen = m_client.fid_of(*file); seen && *seen == fid) std::ignore = ::unlinkat(**directory, name.c_str(), 0);
}

/// Undo what was made, the name of the object last: nobody can read the file without it.
void Importer::take_back(const Errand& errand, const std::optional<Fid>& object) const {
  if (::unlinkat(*errand.place.directory, errand.place.name.c_str(), 0) != 0 && errno != ENOENT)
    log::error("{}", errno_error("unlink", errand.place.full).value().describe());
  if (!object) return;
  if (const Status dropped = m_to.drop(*object); !dropped) log::error("{}", dropped.error().describe());
}

}  // namespace lhsm::bulk
