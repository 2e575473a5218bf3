// SPDX-License-Identifier: LGPL-2.1-or-later
#include "support/fake_lustre.hpp"

namespace lhsm::test {

class FakeStream final : public lustre::ActionStream {
 public:
  explicit FakeStream(FakeLustre& lustre) : m_lustre(lustre) {}
  ~FakeStream() override {
    const std::lock_guard lock(m_lustre.m_mutex);
    m_lustre.m_registered = false;
  }
  FakeStream(const FakeStream&) = delete;
  FakeStream& operator=(const FakeStream&) = delete;

  [[nodiscard]] int poll_fd() const override { return *m_lustre.m_stream_event; }
  [[nodiscard]] Outcome<std::optional<lustre::ActionList>> receive() override {
    const std::lock_guard lock(m_lustre.m_mutex);
    eventfd_t value = 0;
    std::ignore = ::eventfd_read(*m_lustre.m_stream_event, &value);
    if (m_lustre.m_lists.empty() && m_lustre.m_stream_errno != 0) {
      m_lustre.signal_stream();
      return errno_error("receive actions of", "fake", m_lustre.m_stream_errno);
    }
    if (m_lustre.m_lists.empty() || m_lustre.m_forgotten) return std::optional<lustre::ActionList>{};
    auto list = std::move(m_lustre.m_lists.front());
    m_lustre.m_lists.pop_front();
    return std::optional(std::move(list));
  }
  [[nodiscard]] Status renew() override {
    LHSM_TRY(m_lustre.enter(Call::renew, {}, m_lustre.register_operation));
    const std::lock_guard lock(m_lustre.m_mutex);
    m_lustre.m_registered = true;
    m_lustre.m_forgotten = false;
    m_lustre.signal_stream();
    return {};
  }
  void unregister() override {
    std::ignore = m_lustre.enter(Call::unregister, {}, "unregister");
    const std::lock_guard lock(m_lustre.m_mutex);
    m_lustre.m_registered = false;
  }

 private:
  FakeLustre& m_lustre;
};

Status FakeLustre::enter(Call call, const Fid& fid, std::string_view name) {
  Hook hook;
  {
    const std::lock_guard lock(m_mutex);
    ++m_calls.at(static_cast<std::size_t>(call));
    if (const auto it = m_hooks.find(call); it != m_hooks.end()) hook = it->second;
  }
  m_changed.notify_all();
  if (hook)
    if (const int sys_errno = hook(fid); sys_errno != 0) return errno_error(name, fid.bracketed(), sys_errno);
  return {};
}

FakeLustre::Record* FakeLustre::find(const Fid& fid, std::uint64_t cookie) {
  const auto it = m_records.find({mdt_of(fid), cookie});
  return it != m_records.end() && it->second.ends.empty() && !it->second.forgotten ? &it->second : nullptr;
}

Outcome<std::unique_ptr<lustre::ActionStream>> FakeLustre::register_copytool(
    const std::vector<std::uint32_t>& archive_ids) {
  LHSM_TRY(enter(Call::register_copytool, {}, register_operation));
  const std::lock_guard lock(m_mutex);
  m_registered = true;
  registered_for = archive_ids;
  return std::make_unique<FakeStream>(*this);
}

Outcome<Fd> FakeLustre::open_by_fid(const Fid& fid, int flags) {
  LHSM_TRY(enter(Call::open_by_fid, fid, "open by FID"));
  // O_NOATIME is for owners and root only, and of no interest here.
  Fd fd(::open(place(fid).c_str(), (flags & ~O_NOATIME) | O_CLOEXEC));
  if (!fd) return errno_error("open by FID", fid.bracketed());
  return fd;
}

Outcome<std::string> FakeLustre::path_of(const Fid& fid) {
  LHSM_TRY(enter(Call::path_of, fid, "fid2path"));
  const std::lock_guard lock(m_mutex);
  const auto it = m_files.find(fid);
  if (it == m_files.end() || it->second.path.empty()) return errno_error("fid2path", fid.bracketed(), ENOENT);
  return it->second.path;
}

Outcome<Fid> FakeLustre::fid_of(int fd) {
  auto name = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd)).filename().string();
  name = name.substr(0, name.find(" (deleted)"));  // an unlinked file keeps its FID
  auto fid = Fid::parse(name);
  struct stat status {};
  if (!fid && ::fstat(fd, &status) == 0) {
    const std::lock_guard lock(m_mutex);
    if (const auto at = m_inodes.find(status.st_ino); at != m_inodes.end()) fid = at->second;
  }
  if (!fid) return errno_error("fd2fid", name, ENOTTY);
  LHSM_TRY(enter(Call::fid_of, *fid, "fd2fid"));
  return *fid;
}

Outcome<std::optional<lustre::Client::FileAtMdt>> FakeLustre::file_at_mdt(const Fid& fid) {
  LHSM_TRY(enter(Call::file_at_mdt, fid, "ask the MDT about"));
  const std::lock_guard lock(m_mutex);
  return m_files[fid].at_mdt;
}

Outcome<int> FakeLustre::mdt_index(const Fid& fid) {
  LHSM_TRY(enter(Call::mdt_index, fid, "find the MDT of"));
  return mdt_of(fid);
}

Outcome<Fd> FakeLustre::create_volatile(const std::string& directory, int mdt_index, int flags, int like) {
  LHSM_TRY(enter(Call::create_volatile, {}, "create volatile"));
  if (!std::filesystem::is_directory(directory)) return errno_error("create volatile", directory, ENOENT);
  const std::lock_guard lock(m_mutex);
  volatile_directories.push_back(directory);
  if (::fcntl(like, F_GETFD) < 0) violated("a volatile like a file that is not open");
  const Fid fid{0x300000400ULL + static_cast<unsigned>(mdt_index), ++m_last_oid, 0};
  m_files[fid].has_objects = (flags & abi::O_LOV_DELAY_CREATE) != abi::O_LOV_DELAY_CREATE;
  Fd fd(::open(place(fid).c_str(), (flags & O_ACCMODE) | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return errno_error("create volatile", directory);
  return fd;
}

/// How many descriptors of this process have the file open with any of these flags (0: at all).
int FakeLustre::open_descriptors(const std::filesystem::path& path, int with_flags) {
  struct stat wanted {};
  if (::stat(path.c_str(), &wanted) != 0) return 0;
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    const int fd = std::stoi(entry.path().filename().string());
    struct stat here {};
    if (::fstat(fd, &here) != 0 || here.st_ino != wanted.st_ino || here.st_dev != wanted.st_dev) continue;
    const int flags = ::fcntl(fd, F_GETFL);
    if (with_flags == 0 || (flags >= 0 && (flags & O_ACCMODE) == with_flags)) ++count;
  }
  return count;
}

std::size_t FakeLustre::volatiles() const {
  const auto names = files_below(m_dir / "volatile");
  return static_cast<std::size_t>(std::count_if(names.begin(), names.end(), [this](const std::string& name) {
    return open_descriptors(m_dir / ("volatile/" + name), 0) > 0;
  }));
}

Status FakeLustre::copy_start(abi::hsm_copy& copy) {
  const Fid fid = to_fid(copy.hc_hai.hai_fid);
  LHSM_TRY(enter(Call::copy_start, fid, "begin action of"));
  const std::lock_guard lock(m_mutex);
  Record* const record = find(fid, copy.hc_hai.hai_cookie);
  if (record == nullptr) return errno_error("begin action of", fid.bracketed(), ENOENT);
  if (record->begun) violated("begun twice: " + fid.bracketed());
  if (record->cancelled) return errno_error("begin action of", fid.bracketed(), ECANCELED);
  if (record->item.kind == ActionKind::restore && !is_volatile(to_fid(copy.hc_hai.hai_dfid)))
    violated("a restore begun without a volatile");
  record->begun = true;
  const bool is_released = (m_files[fid].hsm.states & abi::HS_RELEASED) != 0;
  record->data_version = copy.hc_data_version = is_released ? 0 : m_files[fid].data_version;
  return {};
}

Status FakeLustre::progress(abi::hsm_progress& progress) {
  const Fid fid = to_fid(progress.hp_fid);
  LHSM_TRY(enter(Call::progress, fid, "report progress of"));
  Status status;
  {
    const std::lock_guard lock(m_mutex);
    Record* const record = find(fid, progress.hp_cookie);
    if (record == nullptr) return errno_error("report progress of", fid.bracketed(), ENOENT);
    if (!record->begun && progress.hp_extent.length != 0) violated("progress before begin");
    if (record->cancelled) return errno_error("report progress of", fid.bracketed(), ECANCELED);
    const Extent extent{progress.hp_extent.offset, progress.hp_extent.length};
    if (extent.end() < extent.offset) violated("progress overflows");
    if (progress.hp_flags != 0 || progress.hp_errval != 0) violated("progress with flags");
    record->reports.push_back(extent);
  }
  m_changed.notify_all();
  return status;
}

/// Return the errno of a coordinator that takes the end.
int FakeLustre::finish(Record& record, const abi::hsm_copy& copy) {
  const Fid dfid = to_fid(copy.hc_hai.hai_fid);
  const Fid& fid = record.item.fid;
  if (copy.hc_errval != 0) return 0;
  if (record.item.kind == ActionKind::remove) return 0;
  if (!record.begun) violated("success without a begin");
  if (record.item.kind == ActionKind::archive) {
    if (copy.hc_data_version != record.data_version) violated("an end with another data version than the begin's");
    return m_files[fid].data_version == record.data_version ? 0 : EBUSY;
  }
  if (open_descriptors(place(dfid), 0) == 0) return ENOENT;  // the volatile is gone
  if (open_descriptors(place(dfid), O_WRONLY) != 0) violated("a helper has the volatile open at the end");
  // Lustre would have refused the writes (EBADF).
  if (const File& made = m_files[dfid]; !made.has_objects && !made.layout) violated("a volatile without a layout was written");
  std::filesystem::rename(place(dfid), path(fid));
  return 0;
}

Status FakeLustre::copy_end(abi::hsm_copy& copy) {
  const Fid fid = to_fid(copy.hc_hai.hai_fid);
  if (const Status entered = enter(Call::copy_end, fid, "end action of"); !entered) {
    if (is_volatile(fid)) std::filesystem::remove(place(fid));  // whatever the answer, its opener closes it
    return entered;
  }
  int sys_errno = 0;
  {
    const std::lock_guard lock(m_mutex);
    copy_ends.push_back(copy);
    const std::uint64_t offset = copy.hc_hai.hai_extent.offset;
    if (offset + copy.hc_hai.hai_extent.length < offset) return errno_error("end action of", fid.bracketed(), EINVAL);
    Record* const record = find(fid, copy.hc_hai.hai_cookie);
    if (record == nullptr) {
      const auto known = m_records.find({mdt_of(fid), std::uint64_t{copy.hc_hai.hai_cookie}});
      if (known != m_records.end() && !known->second.forgotten) violated("ended twice: " + fid.bracketed());
      m_changed.notify_all();
      return errno_error("end action of", fid.bracketed(), ENOENT);
    }
    if (is_volatile(fid) && open_descriptors(place(fid), 0) == 0) violated("the volatile was closed before the end");
    if (record->sent_again && !record->cancelled && copy.hc_errval == ECANCELED)
      violated("ECANCELED, a success to a coordinator that nobody told to cancel: " + fid.bracketed());
    sys_errno = finish(*record, copy);
    record->ends.push_back(copy.hc_errval);
    record->result = sys_errno != 0 ? sys_errno : copy.hc_errval;
    if (record->result == 0) {
      std::uint32_t& states = m_files[record->item.fid].hsm.states;
      if (record->item.kind == ActionKind::archive) states = (states | abi::HS_EXISTS | abi::HS_ARCHIVED) & ~abi::HS_DIRTY;
      if (record->item.kind == ActionKind::restore) states &= ~std::uint32_t{abi::HS_RELEASED};
      if (record->item.kind == ActionKind::remove) states = 0;
    }
    if (is_volatile(fid)) std::filesystem::remove(place(fid));
  }
  m_changed.notify_all();
  if (sys_errno != 0) return errno_error("end action of", fid.bracketed(), sys_errno);
  return {};
}

Status FakeLustre::set_times(int fd, const struct stat& times) {
  LHSM_TRY(enter(Call::set_times, {}, "set times"));
  const std::array<timespec, 2> both{times.st_atim, times.st_mtim};
  if (::futimens(fd, both.data()) != 0) return errno_error("set times", "fd");
  return {};
}

Status FakeLustre::match_project(int fd, int like) {
  LHSM_TRY(enter(Call::match_project, {}, "match project"));
  LHSM_TRY_ASSIGN(const Fid fid, fid_of(fd));
  LHSM_TRY_ASSIGN(const Fid other, fid_of(like));
  struct stat status {};
  if (::fstat(fd, &status) != 0) return errno_error("fstat", fid.bracketed());
  const std::lock_guard lock(m_mutex);
  if (status.st_blocks != 0) violated("a project given to a file with data");
  m_files[fid].project = m_files[other].project;
  return {};
}

Status FakeLustre::set_project(int fd, std::uint32_t project) {
  LHSM_TRY(enter(Call::set_project, {}, "set project"));
  LHSM_TRY_ASSIGN(const Fid fid, fid_of(fd));
  const std::lock_guard lock(m_mutex);
  m_files[fid].project = project;
  return {};
}

Outcome<std::optional<std::string>> FakeLustre::layout(int fd) {
  LHSM_TRY(enter(Call::layout, {}, "get layout"));
  LHSM_TRY_ASSIGN(const Fid fid, fid_of(fd));
  const std::lock_guard lock(m_mutex);
  return m_files[fid].layout;
}

Status FakeLustre::set_layout(int fd, const std::string& lov) {
  LHSM_TRY(enter(Call::set_layout, {}, "set layout"));
  LHSM_TRY_ASSIGN(const Fid fid, fid_of(fd));
  struct stat status {};
  if (::fstat(fd, &status) != 0) return errno_error("fstat", fid.bracketed());
  const std::lock_guard lock(m_mutex);
  if (status.st_size != 0 || m_files[fid].has_objects) violated("a layout set on a file with objects");
  m_files[fid].layout = lov;
  layout_that_was_set = lov;
  return {};
}

Outcome<std::vector<std::pair<std::string, std::string>>> FakeLustre::xattrs(int) {
  LHSM_TRY(enter(Call::xattrs, {}, "list xattrs"));
  return std::vector<std::pair<std::string, std::string>>{{"user.color", "blue"}};
}

Outcome<Fid> FakeLustre::import_released(const std::string& path, std::uint32_t archive_id,
                                         const struct stat& attributes) {
  LHSM_TRY(enter(Call::import, {}, path));
  if (std::filesystem::exists(std::filesystem::symlink_status(path))) return errno_error("import", path, EEXIST);
  const Fid fid = make_released(static_cast<std::uint64_t>(attributes.st_size));
  if (::link(place(fid).c_str(), path.c_str()) != 0) return errno_error("import", path);
  const std::array<timespec, 2> times{attributes.st_atim, attributes.st_mtim};
  struct stat made {};
  if (::chmod(path.c_str(), attributes.st_mode & 0777U) != 0 || ::utimensat(AT_FDCWD, path.c_str(), times.data(), 0) != 0 ||
      ::stat(path.c_str(), &made) != 0)
    return errno_error("import", path);
  const std::lock_guard lock(m_mutex);
  m_inodes[made.st_ino] = fid;
  File& file = m_files[fid];
  file.hsm = {abi::HS_EXISTS | abi::HS_ARCHIVED | abi::HS_RELEASED, archive_id};
  if (path.starts_with(m_mount_point + '/')) file.path = path.substr(m_mount_point.size() + 1);
  imported[path] = std::pair{fid, archive_id};
  imported_owners[path] = {attributes.st_uid, attributes.st_gid};
  return fid;
}

Outcome<lustre::FileFacts> FakeLustre::describe_file(int directory, const std::string& name, lustre::KnownKind,
                                                     lustre::FactsFrom) {
  LHSM_TRY(enter(Call::describe, {}, "describe"));
  lustre::FileFacts facts;
  if (::fstatat(directory, name.c_str(), &facts.attributes, AT_SYMLINK_NOFOLLOW) != 0) return errno_error("stat", name);
  facts.fid = {0x200000400ULL, static_cast<std::uint32_t>(facts.attributes.st_ino), 0};
  return facts;
}

Outcome<lustre::FileFacts> FakeLustre::describe_open_file(int fd) {
  LHSM_TRY_ASSIGN(const Fid fid, fid_of(fd));
  LHSM_TRY(enter(Call::describe, fid, "describe"));
  lustre::FileFacts facts;
  if (::fstat(fd, &facts.attributes) != 0) return errno_error("stat", fid.bracketed());
  facts.fid = fid;
  return facts;
}

}  // namespace lhsm::test
