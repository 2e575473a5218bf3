// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <optional>
#include <vector>

#include "copy_range.hpp"
#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/copy/fd_bytes.hpp"
#include "lhsmtool_mpi/lustre/layout.hpp"

namespace lhsm::run {

namespace {

class RestoreAction final : public FileAction {
 public:
  RestoreAction(Environment& environment, lustre::HsmAction action, std::unique_ptr<archive::ObjectReader> object,
                std::string version, std::optional<copy::ObjectDigest> digest)
      : m_environment(environment),
        m_action(std::move(action)),
        m_object(std::move(object)),
        m_version(std::move(version)),
        m_digest(digest) {}

  /// That of the object: an empty file grows to it.
  [[nodiscard]] std::uint64_t size() const override { return m_object->size(); }

  [[nodiscard]] Status begin(const std::optional<CopyVersion>&) override {
    LHSM_TRY_ASSIGN(const std::vector<std::string> layouts, find_layouts());
    LHSM_TRY(m_action.begin(layouts.empty() ? lustre::VolatileLayout::by_default : lustre::VolatileLayout::set_later));
    if (!layouts.empty()) LHSM_TRY(set_layout(layouts));
    // Helpers are to see the final size. For others that is what the copy comes to: to set it costs an RPC to the MDT and one to an OST.
    return size() >= m_environment.options.stripe_threshold ? set_size() : Status{};
  }

  [[nodiscard]] Announcement announce() const override {
    // As it is: who sets a layout on a file that has one is told of a success.
    std::uint64_t stripe_size = 0;
    if (const auto layout = m_environment.client.layout(m_action.data_fd()); layout && *layout)
      stripe_size = lustre::stripe_size_of(**layout);
    return {m_action.dfid(), stripe_size, m_version, std::nullopt, false};
  }

  [[nodiscard]] Outcome<CopiedFile> copy(copy::Engine& engine, const StopFlag& stop) override {
    copy::FdSink sink(m_action.data_fd(), m_action.item().fid.bracketed(), m_environment.options.direct);
    LHSM_TRY_ASSIGN(auto copied, copy_whole(m_environment, engine, *m_object, sink, size(), stop, [this](Extent done) {
      return report_progress(m_environment, m_action, done);
    }));
    if (copied.bytes_moved < size()) LHSM_TRY(add_last_hole());
    return copied;
  }

  [[nodiscard]] Status report(Extent done) override { return report_progress(m_environment, m_action, done); }
  [[nodiscard]] Outcome<Verified> finish(const copy::ObjectDigest& digest) override {
    if (const Status good = check(digest); !good) {
      fail(good.error());
      return Failure(good.error());
    }
    const Status ended = m_action.end(0);
    note_answer(m_environment, ended);
    LHSM_TRY(ended);
    return m_digest ? Verified::yes : Verified::no_digest;
  }
  void fail(const Error& error) override { end_failed(m_environment, m_action, error); }

 private:
  Status set_size() const {
    if (::ftruncate(m_action.data_fd(), static_cast<off_t>(size())) == 0) return {};
    return errno_error("ftruncate volatile of", m_action.item().fid.bracketed());
  }

  /// A hole at the end is not copied.
  Status add_last_hole() const {
    struct stat status {};
    if (::fstat(m_action.data_fd(), &status) != 0) return errno_error("fstat volatile of", m_action.item().fid.bracketed());
    return static_cast<std::uint64_t>(status.st_size) == size() ? Status{} : set_size();
  }

  Status check(const copy::ObjectDigest& digest) const {
    const Fid& fid = m_action.item().fid;
    LHSM_TRY(check_version(*m_object, m_version, fid));
    if (!m_digest || *m_digest == digest) return {};
    return failure(ErrorKind::corrupt, EIO, "verify object of",
                   fmt::format("{} (digest {}, expected {})", fid.bracketed(), digest.text(), m_digest->text()));
  }

  /// Return the layouts to try, the best first. `busy` where the file is not released: an earlier restore of it has come to its end
  /// though it was cancelled, and who works on it now would lose that, as the coordinator does not look. A released file still has its own. An imported one has what its
  /// import chose, as a rule the default: the striping with which it was archived lies beside the object,
  /// where lhsmtool_posix takes it from, too. Without any, Lustre's default for the directory serves.
  Outcome<std::vector<std::string>> find_layouts() {
    std::vector<std::string> found;
    Outcome<std::optional<std::string>> own = m_environment.client.layout(m_action.file_fd());
    const bool has_own = own && *own;
    std::optional<bool> is_released = m_action.is_released();
    if (!is_released && has_own) is_released = lustre::is_released(**own);
    if (is_released == false)
      return errno_error("restore what is not released,", m_action.item().fid.bracketed(), EBUSY);
    Outcome<std::optional<std::string>> kept;
    if (!has_own || m_object->is_shared()) kept = m_environment.backend.layout(m_action.item().fid);
    for (auto* layout : {&kept, &own}) {
      if (!*layout)
        log::warning("{}: a layout of it cannot be read: {}", m_action.item().describe(), layout->error().describe());
      else if (*layout && **layout)
        found.push_back(std::move(***layout));
    }
    return found;
  }

  /// Set the first of them that can be set, else Lustre's default: a file that was made without objects cannot be written
  /// as long as it has no layout (EBADF), and the action has begun with this one.
  Status set_layout(const std::vector<std::string>& layouts) {
    for (const std::string& layout : layouts) {
      const Status set = m_environment.client.set_layout(m_action.data_fd(), lustre::layout_for_new_file(layout));
      if (set) return {};
      log::warning("{}: its layout cannot be set: {}", m_action.item().describe(), set.error().describe());
      // A file that was imported may come from a file system with other pools.
      const std::string anywhere = lustre::layout_without_pools(layout);
      if (anywhere != layout && m_environment.client.set_layout(m_action.data_fd(), lustre::layout_for_new_file(anywhere))) return {};
    }
    return m_environment.client.set_layout(m_action.data_fd(), lustre::default_layout());
  }

  Environment& m_environment;
  lustre::HsmAction m_action;
  std::unique_ptr<archive::ObjectReader> m_object;
  std::string m_version;  ///< of the object when it was opened
  std::optional<copy::ObjectDigest> m_digest;  ///< that was kept with the object
};

/// Whether somebody seems to have truncated the file just now, as a truncation sets both times to its own. Lustre changes the size of
/// a released file first, then waits for this restore, and cuts the data then (vvp_io_setattr_start; sanity-hsm 58). Without
/// a limit an older version's object would pass, too.
bool is_being_truncated(const struct stat& file, const timespec& object_modified) {
  constexpr std::time_t k_recent = 3600;  // also the clocks of clients and of this host may differ
  const std::time_t age = std::time(nullptr) - file.st_mtim.tv_sec;
  return file.st_mtim.tv_sec == file.st_ctim.tv_sec && age < k_recent && age > -k_recent &&
         file.st_mtim.tv_sec > object_modified.tv_sec;  // Lustre has no times finer than seconds
}

/// Lustre knows the size of a released file. An object of another one is not its data: a truncated one must not become it. But an
/// empty file has none to lose; it may have been made to take in an object (a rebind).
Status check_size(const archive::ObjectReader& object, const lustre::HsmAction& action) {
  const struct stat& file = action.attributes();
  const auto size = static_cast<std::uint64_t>(file.st_size);
  if (object.size() == size || size == 0) return {};
  LHSM_TRY_ASSIGN(const timespec modified, object.modified());
  const Fid& fid = action.item().fid;
  if (!is_being_truncated(file, modified))
    return failure(ErrorKind::corrupt, EIO, "verify size of object of",
                   fmt::format("{} ({} bytes, expected {})", fid.bracketed(), object.size(), size));
  log::warning("{}: all {} bytes of its object come back, as the file was truncated to {} just now", action.item().describe(),
               object.size(), size);
  return {};
}

}  // namespace

Outcome<std::unique_ptr<FileAction>> open_restore(Environment& environment, const ActionItem& item) {
  LHSM_TRY_ASSIGN(auto object, environment.backend.open(item.fid));
  LHSM_TRY_ASSIGN(auto action, lustre::HsmAction::open(environment.client, item));
  LHSM_TRY(check_size(*object, action));
  LHSM_TRY_ASSIGN(auto version, object->version());
  LHSM_TRY_ASSIGN(const auto digest, object->digest());
  return std::make_unique<RestoreAction>(environment, std::move(action), std::move(object), std::move(version), digest);
}

}  // namespace lhsm::run
