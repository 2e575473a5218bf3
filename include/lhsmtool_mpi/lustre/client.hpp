// SPDX-License-Identifier: LGPL-2.1-or-later
//
// One mount of a Lustre file system as this process sees it: the checked lower storey under
// everything that talks to Lustre. Each call is one or a few calls of liblustreapi or ioctls; its
// failures are values. All calls may be made from any thread at once.
//
// A released file's data must never be read through this client by the copytool itself: the read
// would wait for a restore (facts, pitfall 25). Opening one, fstat and xattrs are harmless.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lhsmtool_mpi/base/action_item.hpp"
#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/lustre/abi.hpp"
#include "lhsmtool_mpi/lustre/action_list.hpp"
#include "lhsmtool_mpi/lustre/file_facts.hpp"
#include "lhsmtool_mpi/lustre/space.hpp"

namespace lhsm::lustre {

/// Where the coordinator's lists come out: this client's registration as a copytool.
class ActionStream {
 public:
  virtual ~ActionStream() = default;

  // For one thread, the reader. It must go on reading while renew() and unregister() run in another
  // one: the kernel holds them up while it has a list to write into a full pipe.

  /// A descriptor that polls readable when something arrives. Owned by the stream.
  [[nodiscard]] virtual int poll_fd() const = 0;
  /// Return the next list, or nothing when none is there now; call it until then before polling again.
  /// mdt_index of the items is not filled in. ESHUTDOWN: the file system was unmounted. EPROTO: what
  /// came is no message, and was thrown away. After either renew() may help.
  [[nodiscard]] virtual Outcome<std::optional<ActionList>> receive() = 0;

  // For one other thread. They wait for all MDTs.

  /// Register anew, as an MDT that was restarted, or whose coordinator was, has forgotten us. What was
  /// sent before can still be received. Where a coordinator does not run (EAGAIN) everything stays as it was. After an
  /// error of k_register_copytool the stream is of no use any more; after any other it may be called again.
  [[nodiscard]] virtual Status renew() = 0;
  /// Let nothing more be sent. What was sent before can still be received.
  virtual void unregister() = 0;
};

/// What Lustre keeps of a file for HSM.
struct HsmState {
  std::uint32_t states = 0;  ///< HS_* bits
  std::uint32_t archive_id = 0;
  friend bool operator==(const HsmState&, const HsmState&) = default;
};

// Error::operation of the call that registers.
inline constexpr std::string_view k_register_copytool = "register as copytool on";

// Error::operation of the calls that begin, report and end an action: ENOENT in one of those need not be the file's.
inline constexpr std::string_view k_begin_action = "begin action of";
inline constexpr std::string_view k_report_progress = "report progress of";
inline constexpr std::string_view k_end_action = "end action of";

/// What the coordinator has in hand for a file.
enum class RequestProgress : std::uint8_t {
  none,     ///< no request that is not final
  waiting,  ///< not sent to a copytool
  running,  ///< sent to a copytool, not ended
};

/// Most files in one request (facts 8): a longer list is refused with E2BIG.
inline constexpr std::size_t k_most_requested = 51;

class Client {
 public:
  virtual ~Client() = default;

  [[nodiscard]] virtual const std::string& mount_point() const = 0;
  [[nodiscard]] virtual const std::string& fsname() const = 0;

  /// Register this client as copytool for `archive_ids` (empty = all). Only one process of a client
  /// may do so (facts 5a). Dropping the stream unregisters the whole client. EAGAIN: the coordinator of an MDT does not
  /// run; then, and where it would be refused as well, the registration is not even tried. An error of k_register_copytool: it
  /// was, and refused, which may have damaged the client's kernel (LU-20311): not to be repeated.
  [[nodiscard]] virtual Outcome<std::unique_ptr<ActionStream>> register_copytool(
      const std::vector<std::uint32_t>& archive_ids) = 0;

  /// Open a file by FID; it may be unlinked as long as somebody has it open. O_CLOEXEC is added.
  [[nodiscard]] virtual Outcome<Fd> open_by_fid(const Fid& fid, int flags) = 0;
  /// Return the first path of a file relative to the mount, without a leading slash.
  [[nodiscard]] virtual Outcome<std::string> path_of(const Fid& fid) = 0;
  [[nodiscard]] virtual Outcome<Fid> fid_of(int fd) = 0;
  [[nodiscard]] virtual Outcome<int> mdt_index(const Fid& fid) = 0;

  /// What the MDT says of a file.
  struct FileAtMdt {
    struct stat attributes {};  ///< times in seconds
    std::string layout;         ///< raw; what counts is whether it is released (a composite one's header is not to be set again)
  };
  /// Ask the file's MDT, in one RPC and without a lock of this client. An ordinary stat of a released file can wait for its restore: where a
  /// PCC backend attaches files when they are looked at it asks for the layout, which the MDT has locked then; and what the client
  /// remembers of the layout may be of before a release. Nothing where that cannot be asked: Lustre before 2.13, a mounted
  /// subdirectory, the emulator.
  [[nodiscard]] virtual Outcome<std::optional<FileAtMdt>> file_at_mdt(const Fid& fid) = 0;

  /// Create a file without a name in `directory` (absolute) on the given MDT (-1: the directory's);
  /// it lives as long as somebody has it open. `flags` are open(2) flags. In an encrypted directory it gets the encryption
  /// context of the open file `like`, whose data it can take over then.
  [[nodiscard]] virtual Outcome<Fd> create_volatile(const std::string& directory, int mdt_index, int flags, int like) = 0;

  /// The three ioctls that begin, report and end an action. They may be called by any client.
  [[nodiscard]] virtual Status copy_start(abi::hsm_copy& copy) = 0;
  [[nodiscard]] virtual Status progress(abi::hsm_progress& progress) = 0;
  [[nodiscard]] virtual Status copy_end(abi::hsm_copy& copy) = 0;

  /// Set atime, mtime and ctime of an open file.
  [[nodiscard]] virtual Status set_times(int fd, const struct stat& times) = 0;
  /// Give an open file without data the project of another open one, so that what is written to it counts there: a swap of
  /// layouts does not move what the OSTs count. Where files have no projects nothing is done.
  [[nodiscard]] virtual Status match_project(int fd, int like) = 0;
  /// Give an open file a project. EOPNOTSUPP, ENOTTY: files have none.
  [[nodiscard]] virtual Status set_project(int fd, std::uint32_t project) = 0;
  /// Return the raw layout (xattr lustre.lov), or nothing when the file has none.
  [[nodiscard]] virtual Outcome<std::optional<std::string>> layout(int fd) = 0;
  /// Give an open file without objects a layout.
  [[nodiscard]] virtual Status set_layout(int fd, const std::string& lov) = 0;
  /// Return the xattrs of an open file that an archive keeps.
  [[nodiscard]] virtual Outcome<std::vector<std::pair<std::string, std::string>>> xattrs(int fd) = 0;

  /// Create the file `path` (absolute) as one that is archived in `archive_id` (0: Lustre's default when
  /// it is restored) and released, with the size, owner, permission bits and times of `attributes`
  /// (llapi_hsm_import). Returns its FID. EEXIST when the file is there; nothing is left after an error.
  [[nodiscard]] virtual Outcome<Fid> import_released(const std::string& path, std::uint32_t archive_id,
                                                     const struct stat& attributes) = 0;
  /// Ask for `action` (HUA_*) on at most k_most_requested files. They are taken in their order, and the first that is
  /// refused ends it: those before it are recorded, those after it are not (facts 3.2). What needs nothing to be done
  /// is passed over without a word. HUA_RELEASE is done here and now, by this client. EAGAIN: the coordinator does not
  /// run; EPERM: the state of a file does not allow it; ENOENT: a file is gone.
  [[nodiscard]] virtual Status request(abi::hsm_user_action action, std::uint32_t archive_id, std::span<const Fid> fids) = 0;
  /// Return the HSM state of an open file (O_RDONLY | O_NONBLOCK opens a released one without restoring it).
  [[nodiscard]] virtual Outcome<HsmState> hsm_state(int fd) = 0;
  /// Let the file not count as archived, so that nobody can release it. That a copy may exist stays on record: it can be asked to be
  /// removed. EINVAL: it is released; its MDT looks at that under its lock.
  [[nodiscard]] virtual Status clear_archived(int fd) = 0;
  /// Look an open file up among the coordinator's requests. Each call reads the MDT's whole list: not for many files.
  [[nodiscard]] virtual Outcome<RequestProgress> request_progress(int fd) = 0;
  /// Return the UUID by which the coordinator knows this client.
  [[nodiscard]] virtual Outcome<std::string> agent_uuid() = 0;

  /// Return what the servers know of the file `name` in an open directory, or of an open file, with as few requests to
  /// them as are right. A symbolic link is not followed; no data is touched, nothing restored. One that is
  /// known to be a regular file, as the directory says so, is not asked for its kind before it is opened. By xattrs is
  /// quickest in the thread that opened the directory, in the order in which it lists its entries: for that the client fetches the
  /// attributes of many files with one request. What has no such xattrs is asked of the servers.
  [[nodiscard]] virtual Outcome<FileFacts> describe_file(int directory, const std::string& name, KnownKind kind,
                                                         FactsFrom from) = 0;
  [[nodiscard]] virtual Outcome<FileFacts> describe_open_file(int fd) = 0;

  /// Let this mount forget the xattrs that it keeps, which may be older than what the servers have (a coordinator changes trusted.hsm
  /// without taking it back from clients): its unused metadata locks are dropped, for all who use the mount. After an
  /// error facts are not to be taken from xattrs: EOPNOTSUPP where xattrs do not tell all (before 2.15; who is not root),
  /// EACCES and others where locks cannot be dropped.
  [[nodiscard]] virtual Status forget_xattrs() = 0;

  /// Return all OSTs. One that does not answer is not waited for. EOPNOTSUPP: they cannot be asked.
  [[nodiscard]] virtual Outcome<std::vector<OstSpace>> osts() = 0;
  /// Return the limits of an id (not 0, which has none), and what it uses. Asks all servers. EOPNOTSUPP: there are no
  /// quotas; EPERM: who is not root may ask for himself only.
  [[nodiscard]] virtual Outcome<Quota> quota(QuotaKind kind, std::uint32_t id) = 0;
};

/// Open the file system at `mount_point` through liblustreapi: the system's when it is a Lustre, the
/// emulator's when the directory was prepared by it. ENODEV when it is neither.
[[nodiscard]] Outcome<std::unique_ptr<Client>> open_client(const std::string& mount_point);

}  // namespace lhsm::lustre
