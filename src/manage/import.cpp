// SPDX-License-Identifier: LGPL-2.1-or-later
#include <sys/stat.h>
#include <unistd.h>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/manage/manage.hpp"

namespace lhsm::manage {

namespace {

/// Make the directories above `path`.
Status make_parents(const std::string& path) {
  for (auto slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string directory = path.substr(0, slash);
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return errno_error("mkdir", directory);
  }
  return {};
}

class Import {
 public:
  Import(lustre::Client& client, const archive::PosixTree& tree, const Options& options)
      : m_client(client), m_tree(tree), m_options(options) {}

  Status any(const std::string& source, const std::string& destination) {
    if (const auto fid = Fid::parse(source)) return object(*fid, destination);
    if (const auto directory = m_tree.tree().open_dir(source); directory) {
      if (!directory_below(source, destination)) log::debug("import of '{}' ended early", source);
      return m_first;
    } else if (directory.error().sys_errno != ENOTDIR) {
      return Failure(directory.error());
    }
    return file(source, destination);
  }

 private:
  Status object(const Fid& fid, const std::string& destination) {
    // A file that is there has its own data; its object must not become another file's, too.
    const auto path = m_client.path_of(fid);
    if (path) return errno_error("import what is in Lustre already,", fid.bracketed(), EEXIST);
    if (path.error().kind != ErrorKind::not_found) return Failure(path.error());
    return file(m_tree.object_path(fid), destination);
  }

  Status file(const std::string& source, const std::string& destination) {
    log::info("importing '{}' from '{}'", destination, source);
    LHSM_TRY_ASSIGN(const auto candidate, m_tree.open_candidate(source));
    if (m_options.dry_run) return {};
    LHSM_TRY_ASSIGN(const Fid fid, m_client.import_released(destination, m_options.archive_id, candidate.attributes));
    if (const Status adopted = m_tree.adopt(candidate, fid); !adopted) {
      // A released file without an object could never be read.
      if (::unlink(destination.c_str()) != 0 && errno != ENOENT)
        log::error("{}", errno_error("unlink", destination).value().describe());
      return adopted;
    }
    log::info("imported '{}' from '{}' as {}", destination, source, fid.bracketed());
    return {};
  }

  /// Return false to end.
  bool directory_below(const std::string& source, const std::string& destination) {
    bool go_on = true;
    const Status walked = m_tree.for_each(source, [&](const archive::PosixTree::Entry& entry) -> Status {
      const std::string below = source + '/' + entry.name;
      if (entry.is_directory) {
        go_on = directory_below(below, destination);
      } else {
        const std::string made = destination + '/' + below;
        Status status = m_options.dry_run ? Status() : make_parents(made);
        if (status) status = file(below, made);
        go_on = note(status);
      }
      if (!go_on) return errno_error("import", below, ECANCELED);
      return {};
    });
    if (!walked && go_on) go_on = note(walked);
    return go_on;
  }

  /// Return whether to go on.
  bool note(const Status& status) {
    if (status) return true;
    log::error("{}", status.error().describe());
    if (m_first) m_first = status;
    return !m_options.abort_on_error;
  }

  lustre::Client& m_client;
  const archive::PosixTree& m_tree;
  Options m_options;
  Status m_first;
};

}  // namespace

Status import(lustre::Client& client, const archive::PosixTree& tree, const std::string& source,
              const std::string& destination, const Options& options) {
  return Import(client, tree, options).any(source, destination);
}

}  // namespace lhsm::manage
