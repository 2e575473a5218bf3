// SPDX-License-Identifier: LGPL-2.1-or-later
#include "copy_range.hpp"
#include "hole_checked_source.hpp"
#include "lhsmtool_mpi/archive/kept_xattrs.hpp"
#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/copy/fd_bytes.hpp"
#include "lhsmtool_mpi/lustre/layout.hpp"

namespace lhsm::run {

namespace {

class ArchiveAction final : public FileAction {
 public:
  ArchiveAction(Environment& environment, lustre::HsmAction action)
      : m_environment(environment), m_action(std::move(action)) {}

  [[nodiscard]] std::uint64_t size() const override {
    return static_cast<std::uint64_t>(m_action.attributes().st_size);
  }

  [[nodiscard]] Status begin(const std::optional<CopyVersion>& earlier) override {
    LHSM_TRY(m_action.begin());
    if (earlier) LHSM_TRY(take_over(*earlier));
    if (m_is_resumed) return {};
    LHSM_TRY_ASSIGN(m_object, m_environment.backend.create(m_action.item().fid));
    return m_object->set_size(size());
  }

  [[nodiscard]] Announcement announce() const override {
    std::uint64_t stripe_size = 0;
    if (const auto layout = m_environment.client.layout(m_action.file_fd()); layout && *layout)
      stripe_size = lustre::stripe_size_of(**layout);
    std::optional<CopyVersion> version;
    if (auto ticket = m_object->ticket()) version = CopyVersion{m_action.data_version(), std::move(*ticket)};
    return {m_action.dfid(), stripe_size, m_object->token(), std::move(version), m_is_resumed};
  }

  [[nodiscard]] Outcome<CopiedFile> copy(copy::Engine& engine, const StopFlag& stop) override {
    copy::FdSource source(m_action.data_fd(), m_action.item().fid.bracketed(), m_environment.options.direct);
    HoleCheckedSource checked(source, m_environment.client, m_action.data_fd());
    return copy_whole(m_environment, engine, checked, *m_object, size(), stop,
                      [this](Extent done) { return report_progress(m_environment, m_action, done); });
  }

  [[nodiscard]] Status report(Extent done) override { return report_progress(m_environment, m_action, done); }

  [[nodiscard]] Outcome<Verified> finish(const copy::ObjectDigest& digest) override {
    if (const Status complete = keep_metadata(digest); !complete) return give_up(complete.error());
    auto publication = m_object->publish();
    if (!publication) return give_up(publication.error());
    note_path();
    // Now durable and visible. Where the coordinator certainly did not take it (the file changed
    // meanwhile), the object that was there before is put back. After any other failure the file may
    // count as archived all the same, so its object has to stay.
    if (const Status ended = m_action.end(0); !ended) {
      note_answer(m_environment, ended);
      const Status kept = certainly_not_taken(ended.error()) ? (*publication)->roll_back() : (*publication)->commit();
      if (!kept) log::warning("{}: its object is not as it should be: {}", m_action.item().describe(), kept.error().describe());
      return Failure(ended.error());
    }
    if (const Status committed = (*publication)->commit(); !committed)
      log::warning("{}: the object's predecessor stays behind: {}", m_action.item().describe(),
                   committed.error().describe());
    return Verified::yes;
  }

  void fail(const Error& error) override {
    m_object.reset();
    end_failed(m_environment, m_action, error);
  }
  void fail_keeping(const Error& error) override {
    if (m_object) m_object->keep();
    fail(error);
  }

 private:
  /// Go on with what an earlier run copied if it is of this content of the file, and still there. An error that may pass is
  /// one of this attempt: the next one may find it.
  Status take_over(const CopyVersion& earlier) {
    auto object = m_environment.backend.resume(m_action.item().fid, earlier.object, size());
    const bool is_unchanged = earlier.data_version == m_action.data_version();
    if (object && is_unchanged) {
      m_object = std::move(*object);
      m_is_resumed = true;
    } else if (is_unchanged && may_pass(object.error())) {
      return Failure(object.error());
    } else {
      log::info("{}: begins anew, though an earlier run had copied some of it: {}", m_action.item().describe(),
                is_unchanged ? object.error().describe() : "it has changed");
    }
    return {};
  }

  static bool may_pass(const Error& error) {
    return error.kind == ErrorKind::io || error.kind == ErrorKind::busy || error.kind == ErrorKind::timeout ||
           error.kind == ErrorKind::no_space;
  }

  /// ENOENT is not among them: a repeated end of which the first was taken finds the cookie gone.
  static bool certainly_not_taken(const Error& error) {
    switch (error.sys_errno) {
      case EBUSY:  // the data version changed
      case EPERM:
      case EINVAL:
        return true;
      default:
        return false;
    }
  }

  Failure give_up(const Error& error) {
    fail(error);
    return Failure(error);
  }

  Status keep_metadata(const copy::ObjectDigest& digest) {
    const CopyOptions& options = m_environment.options;
    const struct stat& attributes = m_action.attributes();
    const int file = m_action.file_fd();
    LHSM_TRY_ASSIGN(auto layout, m_environment.client.layout(file));
    if (layout) LHSM_TRY(m_object->set_layout(lustre::layout_for_new_file(std::move(*layout))));
    if (options.keep_xattrs) {
      LHSM_TRY_ASSIGN(const auto found, m_environment.client.xattrs(file));
      std::vector<archive::Xattr> xattrs;
      for (const auto& [name, value] : found)
        if (!archive::describes_inode(name)) xattrs.push_back({name, value});
      if (!xattrs.empty()) LHSM_TRY(m_object->set_xattrs(xattrs));
    }
    if (options.keep_attributes)
      LHSM_TRY(m_object->set_attributes({attributes.st_mode & 07777U, attributes.st_uid, attributes.st_gid,
                                         attributes.st_atim, attributes.st_mtim}));
    return m_object->set_digest(digest);
  }

  /// The link by which people find an object by its path. The data is safe without it.
  void note_path() {
    if (!m_environment.options.keep_shadow) return;
    const Fid& fid = m_action.item().fid;
    const auto path = m_environment.client.path_of(fid);
    if (!path) {
      if (path.error().kind != ErrorKind::not_found)  // an unlinked file has no path
        log::warning("{}: no shadow link, for want of a path: {}", m_action.item().describe(), path.error().describe());
      return;
    }
    if (const Status noted = m_environment.backend.note_path(fid, *path); !noted)
      log::warning("{}: no shadow link: {}", m_action.item().describe(), noted.error().describe());
  }

  Environment& m_environment;
  lustre::HsmAction m_action;
  std::unique_ptr<archive::ObjectWriter> m_object;
  bool m_is_resumed = false;
};

}  // namespace

Outcome<std::unique_ptr<FileAction>> open_archive(Environment& environment, const ActionItem& item) {
  LHSM_TRY_ASSIGN(auto action, lustre::HsmAction::open(environment.client, item));
  return std::make_unique<ArchiveAction>(environment, std::move(action));
}

}  // namespace lhsm::run
