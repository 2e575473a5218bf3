// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/archive/posix_backend.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <tuple>

#include "lhsmtool_mpi/archive/beneath.hpp"
#include "leftovers.hpp"
#include "making_table.hpp"
#include "names.hpp"
#include "object_place.hpp"
#include "posix_reader.hpp"
#include "posix_writer.hpp"
#include "shadow.hpp"
#include "ticket.hpp"

namespace lhsm::archive {

namespace {

/// No xattr is longer (XATTR_SIZE_MAX), so no layout.
constexpr std::uint64_t k_max_layout = 65536;

constexpr std::string_view k_table_mark = "table ";
constexpr std::string_view k_inode_mark = "inode ";

class PosixBackend final : public Backend {
 public:
  PosixBackend(Beneath tree, const PosixOptions& options)
      : m_tree(std::move(tree)), m_format(options.format), m_direct(options.direct), m_owner(options.owner) {}

  [[nodiscard]] Outcome<Access> check() override;
  [[nodiscard]] Status check_writable() override;
  [[nodiscard]] Outcome<std::string> mark() override;
  [[nodiscard]] Outcome<bool> knows(const std::string& mark) override;
  [[nodiscard]] Outcome<std::uint64_t> clear_leftovers(const std::set<std::string>& wanted) override {
    return archive::clear_leftovers(m_tree, m_owner, wanted);
  }
  [[nodiscard]] Outcome<std::unique_ptr<ObjectReader>> open(const Fid& fid) override;
  [[nodiscard]] Outcome<std::unique_ptr<ObjectWriter>> create(const Fid& fid) override;
  [[nodiscard]] Outcome<std::unique_ptr<ObjectWriter>> resume(const Fid& fid, const std::string& ticket,
                                                              std::uint64_t size) override;
  [[nodiscard]] Outcome<std::unique_ptr<copy::ByteSink>> join(const Fid& fid, const std::string& token) override;
  [[nodiscard]] Outcome<std::optional<std::string>> layout(const Fid& fid) override;
  [[nodiscard]] Outcome<bool> remove(const Fid& fid) override;
  [[nodiscard]] Status note_path(const Fid& fid, const std::string& path) override;

 private:
  [[nodiscard]] Status check_is_the_same() const;

  Beneath m_tree;
  TreeFormat m_format;
  copy::Direct m_direct;
  std::string m_owner;
  UniqueNames m_names;
  MakingTable m_table{m_tree, m_format, m_names, m_owner};
};

Outcome<Access> PosixBackend::check() {
  LHSM_TRY(check_is_the_same());
  const std::string& root = m_tree.root();
  if (::faccessat(m_tree.root_fd(), ".", R_OK | X_OK, AT_EACCESS) != 0) return errno_error("access", root);
  const std::string probe = ".lhsmtool_mpi_check." + m_names.next();
  const Fd fd(::openat(m_tree.root_fd(), probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd && errno == EROFS) return Access::read_only;
  if (!fd) return errno_error("create", m_tree.full(probe));
  if (::unlinkat(m_tree.root_fd(), probe.c_str(), 0) != 0) return errno_error("unlink", m_tree.full(probe));
  return Access::read_write;
}

/// What lies at the root's path now must be what was opened: it may have been removed, or a file system
/// mounted over it.
Status PosixBackend::check_is_the_same() const {
  struct stat named {};
  struct stat held {};
  if (::stat(m_tree.root().c_str(), &named) != 0) return errno_error("stat", m_tree.root());
  if (::fstat(m_tree.root_fd(), &held) != 0) return errno_error("fstat", m_tree.root());
  if (named.st_dev != held.st_dev || named.st_ino != held.st_ino) return errno_error("stat", m_tree.root(), ESTALE);
  return {};
}

Status PosixBackend::check_writable() {
  if (::faccessat(m_tree.root_fd(), ".", W_OK | X_OK, AT_EACCESS) == 0) return {};
  return errno_error("write to the archive", m_tree.root());
}

/// The table of this process, which goes with it. Where none can be made, on a full or read-only archive, the root's inode must do.
Outcome<std::string> PosixBackend::mark() {
  if (const auto table = m_table.name(); table) return fmt::format("{}{}", k_table_mark, *table);
  struct stat root {};
  if (::fstat(m_tree.root_fd(), &root) != 0) return errno_error("fstat", m_tree.root());
  return fmt::format("{}{}", k_inode_mark, root.st_ino);
}

Outcome<bool> PosixBackend::knows(const std::string& mark) {
  if (mark.starts_with(k_inode_mark)) {
    struct stat root {};
    if (::fstat(m_tree.root_fd(), &root) != 0) return errno_error("fstat", m_tree.root());
    return mark == fmt::format("{}{}", k_inode_mark, root.st_ino);
  }
  if (!mark.starts_with(k_table_mark) || !is_plain_path(mark.substr(k_table_mark.size())))
    return errno_error("find the mark of", m_tree.root(), EINVAL);
  const auto table = m_tree.open(fmt::format("{}/{}", k_tables_dir, mark.substr(k_table_mark.size())), O_PATH, Links::none);
  if (table) return true;
  if (table.error().sys_errno == ENOENT) return false;
  return Failure(table.error());
}

Outcome<std::unique_ptr<ObjectReader>> PosixBackend::open(const Fid& fid) {
  const std::string path = object_path(m_format, fid);
  std::uint64_t size = 0;
  // The object's atime is that of the file when it was archived. Only its owner may spare it.
  auto fd = open_regular(m_tree, path, O_RDONLY | O_NOATIME, &size);
  if (!fd && fd.error().sys_errno == EPERM) fd = open_regular(m_tree, path, O_RDONLY, &size);
  if (!fd) return Failure(fd.error());
  return std::make_unique<PosixReader>(m_tree, path, std::move(*fd), size, m_direct);
}

Outcome<std::unique_ptr<ObjectWriter>> PosixBackend::create(const Fid& fid) {
  const std::string dir_path = object_directory(m_format, fid);
  std::vector<Fd> changed;
  LHSM_TRY_ASSIGN(Fd dir, m_tree.make_dir(dir_path, changed));
  auto place = std::make_shared<const ObjectPlace>(m_tree, std::move(dir), dir_path, fid.str());
  LHSM_TRY_ASSIGN(Making record, m_table.claim(fid));  // before there is anything to be left behind
  LHSM_TRY_ASSIGN(Fd object, place->create(place->name() + std::string(k_making_infix) + record.unique()));
  return std::make_unique<PosixWriter>(std::move(place), std::move(object), std::move(record), std::move(changed),
                                       m_direct);
}

Outcome<std::unique_ptr<ObjectWriter>> PosixBackend::resume(const Fid& fid, const std::string& ticket,
                                                            std::uint64_t size) {
  const std::string dir_path = object_directory(m_format, fid);
  const auto wanted = parse_ticket(ticket);
  if (!wanted || !is_making_name(fid, wanted->name)) return errno_error("resume", m_tree.full(dir_path + '/' + ticket), EINVAL);
  const std::string subject = m_tree.full(dir_path + '/' + wanted->name);
  LHSM_TRY_ASSIGN(Fd object, open_regular(m_tree, dir_path + '/' + wanted->name, O_WRONLY));
  struct stat status {};
  if (::fstat(*object, &status) != 0) return errno_error("fstat", subject);
  if (status.st_ino != wanted->inode) return errno_error("resume", subject, ENOENT);
  LHSM_TRY_ASSIGN(Fd dir, m_tree.open_dir(dir_path));
  auto place = std::make_shared<const ObjectPlace>(m_tree, std::move(dir), dir_path, fid.str());
  LHSM_TRY_ASSIGN(Making record, m_table.claim(fid));
  // By its new name it is nobody else's: neither its former process, should that live after all, nor another run that
  // clears what dead ones left removes it from here on. Who of them was first is seen from the rename.
  const std::string making = place->name() + std::string(k_making_infix) + record.unique();
  LHSM_TRY(place->rename(wanted->name, making));
  auto writer = std::make_unique<PosixWriter>(place, std::move(object), std::move(record), std::vector<Fd>(), m_direct);
  const auto put_back = [&](const Error& error) -> Failure {
    std::ignore = place->rename(making, wanted->name);  // its name is what is on record
    writer->keep();
    return Failure(error);
  };
  const auto identity = place->identity(making);
  if (!identity) return put_back(identity.error());
  const auto& renamed = *identity;
  if (!renamed || renamed->second != wanted->inode || static_cast<std::uint64_t>(status.st_size) != size)
    return errno_error("resume", subject, ENOENT);
  if (const Status synced = place->sync(); !synced) return put_back(synced.error());
  return writer;
}

Outcome<std::unique_ptr<copy::ByteSink>> PosixBackend::join(const Fid& fid, const std::string& token) {
  const std::string dir_path = object_directory(m_format, fid);
  if (!is_making_name(fid, token)) return errno_error("join", m_tree.full(dir_path + '/' + token), EINVAL);
  const std::string path = dir_path + '/' + token;
  LHSM_TRY_ASSIGN(Fd fd, open_regular(m_tree, path, O_WRONLY));
  return std::make_unique<JoinedSink>(std::move(fd), m_tree.full(path), m_direct);
}

Outcome<std::optional<std::string>> PosixBackend::layout(const Fid& fid) {
  const std::string path = object_path(m_format, fid).append(k_layout_suffix);
  std::uint64_t size = 0;
  auto fd = open_regular(m_tree, path, O_RDONLY, &size);
  if (!fd && fd.error().sys_errno == ENOENT) return std::nullopt;
  if (!fd) return Failure(fd.error());
  if (size > k_max_layout) return failure(ErrorKind::corrupt, EFBIG, "read layout", m_tree.full(path));
  std::string lov(static_cast<std::size_t>(size), '\0');
  copy::FdSource source(**fd, m_tree.full(path));
  LHSM_TRY_ASSIGN(const std::size_t got, source.read_at(std::as_writable_bytes(std::span(lov)), 0));
  if (got != size) return failure(ErrorKind::corrupt, EIO, "read layout", m_tree.full(path));
  return lov;
}

Outcome<bool> PosixBackend::remove(const Fid& fid) {
  const std::string dir_path = object_directory(m_format, fid);
  auto dir = m_tree.open_dir(dir_path);
  if (!dir && dir.error().sys_errno == ENOENT) return false;
  if (!dir) return Failure(dir.error());
  const ObjectPlace place(m_tree, std::move(*dir), dir_path, fid.str());
  LHSM_TRY_ASSIGN(const bool object, place.unlink(place.name()));
  LHSM_TRY_ASSIGN(const bool layout, place.unlink(place.name() + std::string(k_layout_suffix)));
  LHSM_TRY_ASSIGN(const bool digest, place.unlink(place.name() + std::string(k_digest_suffix)));
  if (object || layout || digest) LHSM_TRY(place.sync());
  return object;
}

Status PosixBackend::note_path(const Fid& fid, const std::string& path) {
  return note_in_shadow(m_tree, path, object_path(m_format, fid), m_names.next());
}

}  // namespace

Outcome<std::unique_ptr<Backend>> open_posix_backend(PosixOptions options) {
  while (options.root.size() > 1 && options.root.ends_with('/')) options.root.pop_back();
  LHSM_TRY_ASSIGN(Beneath tree, Beneath::open_root(options.root));
  return std::make_unique<PosixBackend>(std::move(tree), options);
}

}  // namespace lhsm::archive
