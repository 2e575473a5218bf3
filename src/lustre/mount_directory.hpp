// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/lustre/llapi_table.hpp"

namespace lhsm::lustre {

/// The open directory of a mount, through which a client speaks. A file system that is unmounted by force and
/// mounted again lies at the same path, but the descriptor still is of the dead mount: then the directory is
/// opened anew. Any thread.
class MountDirectory {
 public:
  /// `api` outlives this.
  static Outcome<std::unique_ptr<MountDirectory>> open(const LlapiTable& api, std::string path);

  [[nodiscard]] const std::string& path() const { return m_path; }
  /// Of the file system; what is mounted later must have the same.
  [[nodiscard]] const std::string& fsname() const { return m_fsname; }

  /// Return what `call(descriptor)` returns, which is -errno after an error. When that may come from a dead mount,
  /// and there is another one by now, it is called once more.
  template <class Call>
  int with(Call call) {
    const auto held = descriptor();
    const int rc = call(**held);
    if (rc >= 0 || !may_be_of_dead_mount(-rc) || !follow(held)) return rc;
    return call(**descriptor());
  }

 private:
  using Shared = std::shared_ptr<const Fd>;  // a call may still use the old one
  MountDirectory(const LlapiTable& api, std::string path, std::string fsname, Fd directory)
      : m_api(api),
        m_path(std::move(path)),
        m_fsname(std::move(fsname)),
        m_directory(std::make_shared<const Fd>(std::move(directory))) {}
  static bool may_be_of_dead_mount(int sys_errno);
  Shared descriptor() const;
  bool follow(const Shared& held);

  const LlapiTable& m_api;
  std::string m_path;
  std::string m_fsname;
  mutable std::mutex m_mutex;
  Shared m_directory;
};

}  // namespace lhsm::lustre
