// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A Lustre of one process: files in a temporary directory, request records by MDT and cookie, data
// versions, volatile files, released files. It holds every caller against the rules of facts 5, and
// says in `violations` who broke which. Any call can be made to fail, or to wait, by a hook.
#pragma once

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "lhsmtool_mpi/lustre/client.hpp"
#include "support/temp_dir.hpp"

namespace lhsm::test {

enum class Call { register_copytool, renew, unregister, open_by_fid, path_of, fid_of, mdt_index, file_at_mdt, create_volatile, copy_start, progress,
                  copy_end, set_times, match_project, set_project, layout, set_layout, xattrs, import, describe, request, hsm_state, clear_archived, request_progress,
                  forget_xattrs, osts, quota, count };

class FakeLustre final : public lustre::Client {
 public:
  struct Record {
    ActionItem item;
    bool cancelled = false;
    bool begun = false;
    bool forgotten = false;   ///< by a coordinator that was restarted
    bool sent_again = false;
    std::uint64_t data_version = 0;
    std::vector<Extent> reports;
    std::vector<int> ends;  ///< the errnos it was ended with, 0 = success; exactly one in the end
    int result = -1;        ///< what the coordinator made of the first end
  };
  using Key = std::pair<int, std::uint64_t>;  // MDT, cookie

  FakeLustre() {
    for (const char* name : {"mnt/dir", "files", "volatile"}) std::filesystem::create_directories(m_dir / name);
    m_mount_point = m_dir / "mnt";
  }

  // What a user does.

  Fid make_file(const std::string& content, int mdt = 0) {
    const std::lock_guard lock(m_mutex);
    const Fid fid{0x200000400ULL + static_cast<unsigned>(mdt), ++m_last_oid, 0};
    write_file(path(fid), content);
    m_files[fid].path = "dir/file" + std::to_string(fid.oid);
    return fid;
  }
  /// Let the file have the size and no data, as after `lfs hsm_release`.
  Fid make_released(std::uint64_t size, int mdt = 0) {
    const Fid fid = make_file({}, mdt);
    std::filesystem::resize_file(path(fid), size);
    return fid;
  }
  /// Change the file's content as an application would: its data version changes.
  void modify(const Fid& fid, const std::string& content) {
    const std::lock_guard lock(m_mutex);
    write_file(path(fid), content);
    ++m_files[fid].data_version;
  }
  void set_hsm_state(const Fid& fid, std::uint32_t states, std::uint32_t archive_id = 1) {
    const std::lock_guard lock(m_mutex);
    m_files[fid].hsm = {states, archive_id};
  }
  [[nodiscard]] std::uint32_t states(const Fid& fid) const {
    const std::lock_guard lock(m_mutex);
    const auto at = m_files.find(fid);
    return at != m_files.end() ? at->second.hsm.states : 0;
  }
  /// Keep requests to itself from now on, or send what was kept.
  void hold_requests(bool hold);
  /// Lose what was kept, as a coordinator does that was told to.
  void forget_requests();
  /// Lose what was sent and not received.
  void discard_deliveries() {
    const std::lock_guard lock(m_mutex);
    m_lists.clear();
  }
  void set_project(const Fid& fid, std::uint32_t project) { m_files[fid].project = project; }
  [[nodiscard]] std::uint32_t project_of(const Fid& fid) { return m_files[fid].project; }
  void set_file_at_mdt(const Fid& fid, const FileAtMdt& file) { m_files[fid].at_mdt = file; }
  /// Where a user has moved it to, below the mount; empty: it was removed.
  void set_path(const Fid& fid, const std::string& path) { m_files[fid].path = path; }
  void set_file_layout(const Fid& fid, const std::string& lov) { m_files[fid].layout = lov; }
  void unlink(const Fid& fid) { std::filesystem::remove(path(fid)); }
  [[nodiscard]] std::string content(const Fid& fid) const { return read_file(path(fid)); }
  [[nodiscard]] std::filesystem::path path(const Fid& fid) const { return m_dir / ("files/" + fid.str()); }
  [[nodiscard]] const TempDir& dir() const { return m_dir; }

  ActionItem request(ActionKind kind, const Fid& fid, std::uint32_t archive_id = 1) {
    ActionItem item;
    item.kind = kind;
    item.fid = item.dfid = fid;
    item.archive_id = archive_id;
    const std::lock_guard lock(m_mutex);
    item.cookie = ++m_last_cookie;
    item.mdt_index = mdt_of(fid);
    m_records[{item.mdt_index, item.cookie}].item = item;
    return item;
  }
  /// The same with a cookie that is given, as two MDTs may issue the same one.
  ActionItem request_with_cookie(ActionKind kind, const Fid& fid, std::uint64_t cookie) {
    {
      const std::lock_guard lock(m_mutex);
      m_last_cookie = cookie - 1;
    }
    return request(kind, fid);
  }
  /// Request and send a list of actions to the copytool.
  std::vector<ActionItem> send(ActionKind kind, const std::vector<Fid>& fids) {
    std::vector<ActionItem> items;
    for (const Fid& fid : fids) items.push_back(request(kind, fid));
    deliver(items);
    return items;
  }
  /// Let the copytool's next receive() return these.
  void deliver(std::vector<ActionItem> items) {
    for (ActionItem& item : items) item.mdt_index = -1;
    lustre::ActionList list;
    list.fsname = m_fsname;
    list.items = std::move(items);
    deliver_list(std::move(list));
  }
  void cancel(const ActionItem& target) {
    ActionItem cancel = target;
    cancel.kind = ActionKind::cancel;
    {
      const std::lock_guard lock(m_mutex);
      m_records.at({target.mdt_index, target.cookie}).cancelled = true;
    }
    deliver({cancel});
  }
  /// Let the coordinator know nothing of these any more, as after a restart (facts 4.4).
  void forget(const std::vector<ActionItem>& items) {
    const std::lock_guard lock(m_mutex);
    for (const ActionItem& item : items) m_records.at({item.mdt_index, item.cookie}).forgotten = true;
  }
  /// Send what was forgotten again, with the same cookies.
  void send_again(const std::vector<ActionItem>& items) {
    {
      const std::lock_guard lock(m_mutex);
      for (const ActionItem& item : items) {
        Record& record = m_records.at({item.mdt_index, item.cookie});
        record.forgotten = record.begun = false;
        record.sent_again = true;
      }
    }
    deliver(items);
  }
  /// Let the coordinator forget its copytool, as a restart does: nothing reaches it until it registers anew.
  void forget_copytool() {
    const std::lock_guard lock(m_mutex);
    m_forgotten = true;
  }
  /// Let the copytool's next receive() return exactly this.
  void deliver_list(lustre::ActionList list) {
    const std::lock_guard lock(m_mutex);
    m_lists.push_back(std::move(list));
    signal_stream();
  }
  void break_stream(int sys_errno) {
    const std::lock_guard lock(m_mutex);
    m_stream_errno = sys_errno;
    signal_stream();
  }

  // What a test looks at.

  using Hook = std::function<int(const Fid&)>;
  /// Called before each call of this kind, outside of any lock: 0 goes on, an errno is returned instead.
  void before(Call call, Hook hook) {
    const std::lock_guard lock(m_mutex);
    m_hooks[call] = std::move(hook);
  }
  void fail(Call call, int sys_errno) {
    before(call, [sys_errno](const Fid&) { return sys_errno; });
  }
  [[nodiscard]] int calls(Call call) const {
    const std::lock_guard lock(m_mutex);
    return m_calls.at(static_cast<std::size_t>(call));
  }
  [[nodiscard]] Record record(const ActionItem& item) const {
    const std::lock_guard lock(m_mutex);
    return m_records.at({item.mdt_index, item.cookie});
  }
  [[nodiscard]] std::map<Key, Record> records() const {
    const std::lock_guard lock(m_mutex);
    return m_records;
  }
  [[nodiscard]] std::vector<std::string> violations() const {
    const std::lock_guard lock(m_mutex);
    return m_violations;
  }
  [[nodiscard]] bool registered() const {
    const std::lock_guard lock(m_mutex);
    return m_registered;
  }
  /// Those that are open: a volatile that is closed is gone.
  [[nodiscard]] std::size_t volatiles() const;
  /// Wait until `condition`, which is looked at after every call, holds. False after half a minute.
  [[nodiscard]] bool wait_for(const std::function<bool(const std::map<Key, Record>&)>& condition) {
    std::unique_lock lock(m_mutex);
    return m_changed.wait_for(lock, std::chrono::seconds(120), [&] { return condition(m_records); });
  }
  [[nodiscard]] bool wait_for_calls(Call call, int count) {
    std::unique_lock lock(m_mutex);
    return m_changed.wait_for(lock, std::chrono::seconds(120),
                              [&] { return m_calls.at(static_cast<std::size_t>(call)) >= count; });
  }
  [[nodiscard]] bool wait_for_end_of(const std::vector<ActionItem>& items) {
    return wait_for([&](const auto& records) {
      return std::all_of(items.begin(), items.end(),
                         [&](const ActionItem& i) { return !records.at({i.mdt_index, i.cookie}).ends.empty(); });
    });
  }

  // lustre::Client

  [[nodiscard]] const std::string& mount_point() const override { return m_mount_point; }
  [[nodiscard]] const std::string& fsname() const override { return m_fsname; }
  [[nodiscard]] Outcome<std::unique_ptr<lustre::ActionStream>> register_copytool(
      const std::vector<std::uint32_t>& archive_ids) override;
  [[nodiscard]] Outcome<Fd> open_by_fid(const Fid& fid, int flags) override;
  [[nodiscard]] Outcome<std::string> path_of(const Fid& fid) override;
  [[nodiscard]] Outcome<Fid> fid_of(int fd) override;
  [[nodiscard]] Outcome<int> mdt_index(const Fid& fid) override;
  /// What the MDT was told to say; nothing of other files.
  [[nodiscard]] Outcome<std::optional<FileAtMdt>> file_at_mdt(const Fid& fid) override;
  [[nodiscard]] Outcome<Fd> create_volatile(const std::string& directory, int mdt_index, int flags, int like) override;
  [[nodiscard]] Status copy_start(abi::hsm_copy& copy) override;
  [[nodiscard]] Status progress(abi::hsm_progress& progress) override;
  [[nodiscard]] Status copy_end(abi::hsm_copy& copy) override;
  [[nodiscard]] Status set_times(int fd, const struct stat& times) override;
  [[nodiscard]] Status match_project(int fd, int like) override;
  [[nodiscard]] Status set_project(int fd, std::uint32_t project) override;
  [[nodiscard]] Outcome<std::optional<std::string>> layout(int fd) override;
  [[nodiscard]] Status set_layout(int fd, const std::string& lov) override;
  [[nodiscard]] Outcome<std::vector<std::pair<std::string, std::string>>> xattrs(int fd) override;
  /// With mode and times of `attributes`; the owner is only noted.
  [[nodiscard]] Outcome<Fid> import_released(const std::string& path, std::uint32_t archive_id,
                                             const struct stat& attributes) override;
  /// The rules of facts 3.2; the hook of Call::request is called for each file.
  [[nodiscard]] Status request(abi::hsm_user_action action, std::uint32_t archive_id, std::span<const Fid> fids) override;
  [[nodiscard]] Outcome<lustre::HsmState> hsm_state(int fd) override;
  [[nodiscard]] Outcome<lustre::RequestProgress> request_progress(int fd) override;
  [[nodiscard]] Outcome<std::string> agent_uuid() override { return std::string("fake-uuid"); }
  /// Files below the mount point; their FIDs are made of inode numbers, unless made by make_file().
  [[nodiscard]] Outcome<lustre::FileFacts> describe_file(int directory, const std::string& name, lustre::KnownKind kind,
                                                         lustre::FactsFrom from) override;
  [[nodiscard]] Status clear_archived(int fd) override;
  /// The hook of Call::forget_xattrs decides.
  [[nodiscard]] Status forget_xattrs() override { return enter(Call::forget_xattrs, {}, "forget"); }
  [[nodiscard]] Outcome<lustre::FileFacts> describe_open_file(int fd) override;
  [[nodiscard]] Outcome<std::vector<lustre::OstSpace>> osts() override;
  /// The hook of Call::quota gets the kind as sequence and the id as oid.
  [[nodiscard]] Outcome<lustre::Quota> quota(lustre::QuotaKind kind, std::uint32_t id) override;

  std::string register_operation = "ask the coordinator of";  ///< what fails when a registration does
  std::vector<lustre::OstSpace> all_osts;
  std::map<std::pair<lustre::QuotaKind, std::uint32_t>, lustre::Quota> quotas;
  std::vector<std::uint32_t> registered_for;
  std::vector<std::string> volatile_directories;  ///< in which volatile files were made
  std::vector<abi::hsm_copy> copy_ends;           ///< as they were sent
  std::string layout_that_was_set;
  std::map<std::string, std::pair<Fid, std::uint32_t>> imported;  ///< by path: the new file, its archive id
  std::map<std::string, std::pair<uid_t, gid_t>> imported_owners;  ///< likewise

 private:
  friend class FakeStream;
  struct File {
    std::string path;
    std::uint64_t data_version = 1;
    std::optional<std::string> layout;
    bool has_objects = true;
    std::uint32_t project = 0;
    lustre::HsmState hsm;
    std::optional<FileAtMdt> at_mdt;
  };
  [[nodiscard]] Outcome<bool> is_needed(abi::hsm_user_action action, std::uint32_t archive_id, const Fid& fid);
  static int mdt_of(const Fid& fid) { return static_cast<int>(fid.seq & 0xffU); }
  static bool is_volatile(const Fid& fid) { return (fid.seq & 0xf00000000ULL) == 0x300000000ULL; }
  static Fid to_fid(const abi::lu_fid& fid) { return {fid.f_seq, fid.f_oid, fid.f_ver}; }
  [[nodiscard]] std::filesystem::path place(const Fid& fid) const {
    return is_volatile(fid) ? m_dir / ("volatile/" + fid.str()) : path(fid);
  }
  Status enter(Call call, const Fid& fid, std::string_view name);
  Record* find(const Fid& fid, std::uint64_t cookie);
  int finish(Record& record, const abi::hsm_copy& copy);
  [[nodiscard]] static int open_descriptors(const std::filesystem::path& path, int with_flags);
  void signal_stream() { std::ignore = ::eventfd_write(*m_stream_event, 1); }
  void violated(std::string rule) { m_violations.push_back(std::move(rule)); }

  TempDir m_dir;
  std::string m_mount_point;
  std::string m_fsname = "fake";
  mutable std::mutex m_mutex;
  std::condition_variable m_changed;
  std::map<Fid, File> m_files;
  std::map<ino_t, Fid> m_inodes;  // of files that have other names than their FIDs
  std::map<Key, Record> m_records;
  std::map<Call, Hook> m_hooks;
  std::array<int, static_cast<std::size_t>(Call::count)> m_calls{};
  std::vector<std::string> m_violations;
  std::deque<lustre::ActionList> m_lists;
  Fd m_stream_event{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  int m_stream_errno = 0;
  bool m_registered = false;
  bool m_forgotten = false;
  bool m_holds_requests = false;
  std::vector<ActionItem> m_held;
  std::uint32_t m_last_oid = 0;
  std::uint64_t m_last_cookie = 0;
};

}  // namespace lhsm::test
