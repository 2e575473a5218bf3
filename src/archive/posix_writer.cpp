// SPDX-License-Identifier: LGPL-2.1-or-later
#include "posix_writer.hpp"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <tuple>

#include "names.hpp"
#include "object_digest.hpp"
#include "posix_publication.hpp"
#include "ticket.hpp"

namespace lhsm::archive {

namespace {

/// Errors that say "not this xattr on this file system": no such namespace (EOPNOTSUPP), one that
/// wants a privilege here (EPERM, root over NFS), too large or no room left beside the inode (ENOSPC
/// of ext4). Data that finds no room fails by itself.
bool cannot_hold(int error) {
  return error == EOPNOTSUPP || error == EPERM || error == E2BIG || error == ERANGE || error == ENOSPC;
}

}  // namespace

PosixWriter::PosixWriter(std::shared_ptr<const ObjectPlace> place, Fd object, Making record, std::vector<Fd> changed,
                         copy::Direct direct)
    : m_place(std::move(place)),
      m_record(std::make_shared<Making>(std::move(record))),
      m_making(m_place->name() + std::string(k_making_infix) + m_record->unique()),
      m_old(m_place->name() + std::string(k_old_infix) + m_record->unique()),
      m_changed(std::move(changed)),
      m_object(std::move(object)) {
  m_sink.emplace(*m_object, m_place->full(m_making), direct);
}

PosixWriter::~PosixWriter() {
  if (m_left) return;
  // Nobody is left to hear of an error but the next start.
  if (!m_place->unlink(m_making) || (m_layout && !m_place->unlink(layout_name())) ||
      (m_digest && !m_place->unlink(digest_name())))
    m_record->keep();
}

Outcome<std::string> PosixWriter::ticket() const {
  struct stat now {};
  if (::fstat(*m_object, &now) != 0) return errno_error("fstat", subject());
  return ticket_text({m_making, now.st_ino});
}

void PosixWriter::keep() {
  // What is kept beside it belongs to the moment of its publication. What cannot be removed the next start finds.
  if (m_layout) std::ignore = m_place->unlink(layout_name());
  if (m_digest) std::ignore = m_place->unlink(digest_name());
  m_record->keep();
  m_left = true;
}

std::string PosixWriter::layout_name() const { return m_making + std::string(k_layout_suffix); }

std::string PosixWriter::digest_name() const { return m_making + std::string(k_digest_suffix); }

Status PosixWriter::write_at(std::span<const std::byte> bytes, std::uint64_t offset) {
  return m_sink->write_at(bytes, offset);
}

Status PosixWriter::sync() { return m_sink->sync(); }

void PosixWriter::start_writeback(Extent range) { m_sink->start_writeback(range); }

Status PosixWriter::set_size(std::uint64_t size) {
  if (::ftruncate(*m_object, static_cast<off_t>(size)) != 0) return errno_error("ftruncate", subject());
  return {};
}

Status PosixWriter::set_attributes(const ObjectAttributes& attributes) {
  // The owner first: a change of it takes the set-uid bit away.
  if (::fchown(*m_object, attributes.uid, attributes.gid) != 0) return errno_error("fchown", subject());
  if (::fchmod(*m_object, attributes.mode & 07777U) != 0) return errno_error("fchmod", subject());
  const std::array times{attributes.atime, attributes.mtime};
  if (::futimens(*m_object, times.data()) != 0) return errno_error("futimens", subject());
  return {};
}

Status PosixWriter::set_xattrs(const std::vector<Xattr>& xattrs) {
  for (const Xattr& xattr : xattrs) {
    // Known by Lustre only, and there they would change the object's own layout.
    if (xattr.name.starts_with("lustre.")) continue;
    if (::fsetxattr(*m_object, xattr.name.c_str(), xattr.value.data(), xattr.value.size(), 0) == 0) continue;
    if (const int error = errno; !cannot_hold(error)) return errno_error("fsetxattr " + xattr.name, subject(), error);
  }
  return {};
}

Status PosixWriter::set_layout(const std::string& lov) {
  if (lov.empty()) return {};  // lhsmtool_posix stumbles over an empty .lov
  return keep_beside(layout_name(), m_layout, lov);
}

Status PosixWriter::set_digest(const copy::ObjectDigest& digest) {
  const std::string text = digest.text();
  if (::fsetxattr(*m_object, k_digest_xattr, text.data(), text.size(), 0) == 0) return {};
  if (const int error = errno; !cannot_hold(error)) return errno_error("fsetxattr digest", subject(), error);
  struct stat now {};
  if (::fstat(*m_object, &now) != 0) return errno_error("fstat", subject());
  return keep_beside(digest_name(), m_digest, digest_beside(text, now.st_mtim));
}

Status PosixWriter::keep_beside(const std::string& name, Fd& file, std::string_view bytes) const {
  if (!file) {
    LHSM_TRY_ASSIGN(file, m_place->create(name));
  } else if (::ftruncate(*file, 0) != 0) {
    return errno_error("ftruncate", m_place->full(name));
  }
  return copy::FdSink(*file, m_place->full(name)).write_at(std::as_bytes(std::span(bytes)), 0);
}

Outcome<std::unique_ptr<Publication>> PosixWriter::publish() {
  LHSM_TRY(m_sink->sync());
  if (m_layout && ::fsync(*m_layout) != 0) return errno_error("fsync", m_place->full(layout_name()));
  if (m_digest && ::fsync(*m_digest) != 0) return errno_error("fsync", m_place->full(digest_name()));
  m_sink.reset();
  Companion layout{k_layout_suffix, bool(m_layout)};
  // What lies there without a predecessor is not looked at while the object has an xattr.
  Companion digest{k_digest_suffix, bool(m_digest)};
  digest.of_predecessor_only = true;
  auto publication =
      std::make_unique<PosixPublication>(m_place, std::move(m_object), m_old, std::vector{layout, digest}, m_record);
  LHSM_TRY(publication->replace(m_making));
  for (const Fd& parent : m_changed) LHSM_TRY(sync_directory(parent, "a directory above " + m_place->full("")));
  m_left = true;
  return publication;
}

}  // namespace lhsm::archive
