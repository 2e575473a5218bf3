// SPDX-License-Identifier: LGPL-2.1-or-later
#include "archive_probe.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <chrono>

#include "lhsmtool_mpi/base/lock_reach.hpp"
#include "lhsmtool_mpi/check/judge.hpp"

namespace lhsm::check {

namespace {

constexpr int k_directory_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr const char* k_subject = "archive";
constexpr mode_t k_mode = 0600;

CheckFinding failed(const std::string& text, const std::string& remedy) { return {CheckVerdict::fail, k_subject, text, remedy}; }

CheckFinding failed(const Error& error, const std::string& remedy) { return failed(error.describe(), remedy); }

const std::string k_rights = "let root write there: a network file system must be mounted rw, exported without root_squash";

const std::string k_look = "df and dmesg on this node, and the log of the server that has the archive";

/// A run restores from it, and refuses what would write.
CheckFinding restores_only(const std::string& root) {
  return {CheckVerdict::warn, k_subject, fmt::format("{} is mounted read-only: restores only", root),
          "mount it rw where files are to be archived or removed"};
}

/// Write into rank 0's file, and sync it, as a copy would do.
CheckFinding try_to_write(int root_fd, const std::string& root, const std::string& probe) {
  const std::string path = root + '/' + probe;
  const Fd fd(::openat(root_fd, probe.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  if (const int error = errno; !fd && error == ENOENT)
    return failed(fmt::format("{} is not the directory that rank 0 has: its file is not there", root),
                  "mount the same archive at the same place on every node");
  else if (!fd && error == EROFS)
    return restores_only(root);
  else if (!fd)
    return failed(errno_error("open for writing", root, error).value(), k_rights);
  const char byte = 0;
  if (::pwrite(*fd, &byte, 1, 0) != 1) return failed(errno_error("write into", root).value(), k_rights);
  if (::fsync(*fd) != 0) return failed(errno_error("fsync in", root).value(), k_look);
  if (::faccessat(root_fd, ".", W_OK | X_OK, AT_EACCESS) != 0)
    return failed(errno_error("make files in", root).value(), k_rights);
  if (!locks_reach_all_hosts(*fd))
    return {CheckVerdict::warn, k_subject,
            fmt::format("{}: can be written, but locks do not reach other hosts: only a start on the same host removes what a killed job left",
                        root),
            "mount it so that they do (-o flock on Lustre; no local_lock on NFS)"};
  return {CheckVerdict::ok, k_subject, fmt::format("{}: can be written", root), ""};
}

/// What tells of an archive that is not written to whether all ranks have the same one.
comm::CheckFact inode_fact(const struct stat& root) {
  return {"inode of the archive's root", fmt::format("{}", root.st_ino)};
}

}  // namespace

Outcome<ArchiveProbe> ArchiveProbe::make(const std::string& root, const std::string& host) {
  Fd root_fd(::open(root.c_str(), k_directory_flags));
  if (!root_fd) return errno_error("open", root);
  // No rank may have looked for this name before: some network file systems remember what was not there.
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  std::string name = fmt::format(".lhsmtool_mpi_check.{}.{}.{}", host, ::getpid(), now.count());
  const Fd fd(::openat(*root_fd, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, k_mode));
  if (!fd) return errno_error("create a file in", root);
  return ArchiveProbe(std::move(root_fd), std::move(name));
}

ArchiveProbe::~ArchiveProbe() {
  if (m_root) ::unlinkat(*m_root, m_name.c_str(), 0);
}

comm::CheckFound look_at_archive(const std::string& root, bool reads_only, const comm::CheckAsked& asked) {
  comm::CheckFound found;
  const Fd root_fd(::open(root.c_str(), k_directory_flags));
  if (!root_fd) {
    found.findings.push_back(failed(errno_error("open", root).value(), "mount the archive at this place on every node"));
    return found;
  }
  struct stat here {};
  if (::fstat(*root_fd, &here) != 0) {
    found.findings.push_back(failed(errno_error("stat", root).value(), k_look));
    return found;
  }
  // The tool makes a file there when it begins, whatever it is to do, unless the archive is mounted read-only.
  if (reads_only && ::faccessat(*root_fd, ".", W_OK | X_OK, AT_EACCESS) != 0 && errno != EROFS) {
    found.findings.push_back(failed(errno_error("make files in", root).value(), k_rights));
  } else if (reads_only) {
    found.findings.push_back({CheckVerdict::ok, k_subject, fmt::format("{}: can be read (--read-only: not written to)", root), ""});
    found.facts.push_back(inode_fact(here));
  } else if (!asked.probe.empty()) {
    found.findings.push_back(try_to_write(*root_fd, root, asked.probe));
  } else {
    // Rank 0 could not make its file. This one?
    auto made = ArchiveProbe::make(root, fmt::format("{}-", ::getppid()));
    if (!made && made.error().sys_errno == EROFS) {
      found.findings.push_back(restores_only(root));
      found.facts.push_back(inode_fact(here));
    } else {
      found.findings.push_back(made ? failed(fmt::format("{}: can be written here, but not by rank 0", root), k_rights)
                                    : failed(made.error(), k_rights));
    }
  }
  if (!asked.speaks_for_run) return found;
  struct statvfs room {};
  if (::fstatvfs(*root_fd, &room) == 0)
    found.findings.push_back(judge_room(k_subject, root,
                                        {static_cast<std::uint64_t>(room.f_bavail) * room.f_frsize,
                                         static_cast<std::uint64_t>(room.f_blocks) * room.f_frsize, room.f_favail, room.f_files}));
  return found;
}

}  // namespace lhsm::check
