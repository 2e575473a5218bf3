// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A directory out of which no path leads: every open below it is by openat2(2) with RESOLVE_BENEATH,
// so that links which a hostile hand put into the tree end in an error (`denied`, EXDEV).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>
#include <vector>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::archive {

/// How paths are resolved: by the kernel with one call, or where it does not know openat2 component
/// by component, refusing every link on the way.
enum class Resolve { by_kernel, by_walking };

/// Which links a path may go through: those that stay below the root, or none.
enum class Links { inside, none };

/// Directories below a root that were found there, and whose entries, and those of all above them, have been synced since. Any thread.
class DurableDirectories {
 public:
  [[nodiscard]] bool contains(const std::string& path) const;
  void add(const std::string& path);

 private:
  mutable std::mutex m_mutex;
  std::unordered_set<std::string> m_paths;
};

/// Immutable but for what it knows to be durable; any thread may use it.
class Beneath {
 public:
  /// Open `root`, which must be a directory that can be read and searched.
  [[nodiscard]] static Outcome<Beneath> open_root(std::string root, Resolve resolve = Resolve::by_kernel);

  [[nodiscard]] int root_fd() const { return *m_root_fd; }
  /// Return the path that people know, for messages.
  [[nodiscard]] std::string full(const std::string& path) const { return m_root + '/' + path; }
  [[nodiscard]] const std::string& root() const { return m_root; }

  /// Open `path`, relative to the root. A link as its last component is not
  /// followed (ELOOP) unless a directory is asked for.
  [[nodiscard]] Outcome<Fd> open(const std::string& path, int flags, Links links = Links::inside) const;

  /// Open the directory `path` for use with *at calls and fsync.
  [[nodiscard]] Outcome<Fd> open_dir(const std::string& path, Links links = Links::inside) const;

  /// Like open_dir, making what is missing (0700). Directories that got a new entry are added to
  /// `changed`; they are not synced. What is there already somebody else may have made and not synced yet: it is synced, once.
  [[nodiscard]] Outcome<Fd> make_dir(const std::string& path, std::vector<Fd>& changed,
                                     Links links = Links::inside) const;

 private:
  Beneath(std::string root, Fd root_fd, Resolve resolve)
      : m_root(std::move(root)),
        m_root_fd(std::move(root_fd)),
        m_resolve(resolve),
        m_durable(std::make_unique<DurableDirectories>()) {}
  [[nodiscard]] int raw_open(const std::string& path, int flags, Links links) const;
  [[nodiscard]] int walk(const std::string& path, int flags) const;

  std::string m_root;
  Fd m_root_fd;
  Resolve m_resolve;
  std::unique_ptr<DurableDirectories> m_durable;
};

/// Open `path` as Beneath::open does and make sure, without blocking, that it is a regular file:
/// `invalid` with EISDIR, ELOOP or EINVAL otherwise. The size is stored into `size` if it is not null.
[[nodiscard]] Outcome<Fd> open_regular(const Beneath& tree, const std::string& path, int flags,
                                       std::uint64_t* size = nullptr);

}  // namespace lhsm::archive
