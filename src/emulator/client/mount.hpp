// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A process's view of emulated file systems: which one a path or a descriptor belongs to, and the
// connections to its daemon. Any thread may call; a child of fork() gets connections of its own.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/cluster_model.hpp"
#include "core/attributes.hpp"
#include "core/handle_table.hpp"
#include "core/socket.hpp"
#include "core/wire.hpp"
#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::emulator {

/// What the daemon answered: `rc` as the call will return it, the results, a descriptor perhaps.
struct Answer {
  int rc = 0;
  std::string bytes;
  Fd fd;

  [[nodiscard]] Reader results() const {
    Reader reader(bytes);
    std::ignore = reader.get<std::int32_t>();
    return reader;
  }
};

class Mount {
 public:
  Mount(std::string path, Fd root, std::string fsname, std::uint32_t mdt_count, std::string_view name_space,
        std::uint32_t ost_count = k_default_osts);

  [[nodiscard]] const std::string& path() const { return m_path; }
  [[nodiscard]] const std::string& fsname() const { return m_fsname; }
  [[nodiscard]] std::uint32_t mdt_count() const { return m_mdt_count; }
  [[nodiscard]] const AttributeNames& names() const { return m_names; }
  [[nodiscard]] int root_fd() const { return *m_root; }
  [[nodiscard]] std::uint32_t ost_count() const { return m_ost_count; }
  [[nodiscard]] ClusterModel& model() { return m_model; }

  /// Return whether this process may do what needs root on Lustre: root itself, or who owns the mount.
  [[nodiscard]] bool is_admin() const;

  /// Ask the daemon. The answer's rc is -ENOTCONN or another negative errno when it cannot be reached.
  [[nodiscard]] Answer call(const Writer& request, int fd = -1);

  /// Return the FID of the inode behind a descriptor of this mount, O_PATH ones included.
  Outcome<Fid> fid_of(int fd);
  /// Return a FID for a volatile file on an MDT. ENODEV when there is no such MDT.
  Outcome<Fid> volatile_fid(std::uint32_t mdt);
  /// Return whether a descriptor is open on the mount point itself.
  [[nodiscard]] bool is_root(const struct stat& st) const {
    return st.st_ino == m_root_stat.st_ino && st.st_dev == m_root_stat.st_dev;
  }
  /// Open a file by FID with open(2)'s flags. ENOENT when there is none.
  Outcome<Fd> open(const Fid& fid, int flags);

 private:
  struct FidBlock {
    Fid next;
    std::uint32_t left = 0;
  };
  void leave_parent();
  Outcome<Fd> connection();
  [[nodiscard]] std::string handle_of(const Fid& fid);
  void put_back(Fd connection);

  std::string m_path;
  Fd m_root;
  std::string m_fsname;
  std::uint32_t m_mdt_count;
  AttributeNames m_names;
  std::mutex m_mutex;
  struct stat m_root_stat {};
  std::vector<Fd> m_idle;                                // connections that no call is using
  std::unordered_map<std::uint32_t, FidBlock> m_blocks;  // by MDT: FIDs that are ours to use
  std::shared_ptr<const HandleTableReader> m_handles;    // opened anew with every connection
  pid_t m_owner;                                         // the process these belong to
  std::uint32_t m_ost_count;
  ClusterModel m_model;
};

/// Return the emulated mount that holds a path (or would hold it, when it does not exist yet).
/// Mounts live as long as the process.
[[nodiscard]] Mount* find_mount(const std::string& path);
/// Return the mount of an open descriptor, and its path relative to the mount point in `relative`.
[[nodiscard]] Mount* find_mount(int fd, std::string* relative = nullptr);

/// Return the uuid by which the coordinators know this process's client: one per process, or that of
/// the pretended node LHSM_EMULATOR_NODE.
[[nodiscard]] const std::string& client_uuid();
/// Return the uuid of the processes on a pretended node.
[[nodiscard]] std::string node_uuid(std::string_view node);

}  // namespace lhsm::emulator
