// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/xattr.h>

#include <array>
#include <climits>
#include <cstring>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "copytool_stream.hpp"
#include "describe.hpp"
#include "file_at_mdt.hpp"
#include "kept_locks.hpp"
#include "llapi_client.hpp"
#include "mount_directory.hpp"
#include "project.hpp"
#include "space.hpp"
#include "volatile_file.hpp"

namespace lhsm::lustre {

namespace {

abi::lu_fid to_abi(const Fid& fid) { return {fid.seq, fid.oid, fid.ver}; }

/// liblustreapi returns -errno.
Failure llapi_error(int rc, std::string_view operation, std::string_view subject) {
  return errno_error(operation, subject, -rc);
}

/// Return a descriptor or -errno; -ENOENT when the file is gone. To be tried when an open by handle (liblustreapi since 2.16) says ESTALE:
/// there the kernel does so for every error of the look-up, ENOENT as well as the EIO of an eviction.
int open_by_name_of_fid(int mount, const Fid& fid, int flags) {
  const Fd names(::openat(mount, ".lustre/fid", O_PATH | O_DIRECTORY | O_CLOEXEC));
  // Where a subdirectory is mounted there are no such names, which says nothing of the file.
  if (!names) return errno == ENOENT ? -ESTALE : -errno;
  const int fd = ::openat(*names, fid.str().c_str(), flags);
  return fd < 0 ? -errno : fd;
}

class LlapiClient final : public Client {
 public:
  explicit LlapiClient(const LlapiTable& api) : m_api(api), m_describer(api), m_mdt_asker(m_api) {}
  Status open(const std::string& mount_point) {
    LHSM_TRY_ASSIGN(m_mount, MountDirectory::open(m_api, mount_point));
    m_probe.emplace(m_api, m_mount->path());
    LHSM_TRY_ASSIGN(m_is_lustre, is_lustre(mount_point));
    return {};
  }

  [[nodiscard]] const std::string& mount_point() const override { return m_mount->path(); }
  [[nodiscard]] const std::string& fsname() const override { return m_mount->fsname(); }

  [[nodiscard]] Outcome<std::unique_ptr<ActionStream>> register_copytool(
      const std::vector<std::uint32_t>& archive_ids) override {
    return open_copytool_stream(m_api, *m_probe, mount_point(), fsname(), archive_ids);
  }

  [[nodiscard]] Outcome<Fd> open_by_fid(const Fid& fid, int flags) override {
    const abi::lu_fid raw = to_abi(fid);
    const int rc = m_mount->with([&](int mount) {
      const int fd = m_api.open_by_fid_at != nullptr ? m_api.open_by_fid_at(mount, &raw, flags | O_CLOEXEC)
                                                     : m_api.open_by_fid(mount_point().c_str(), &raw, flags | O_CLOEXEC);
      return fd == -ESTALE ? open_by_name_of_fid(mount, fid, flags | O_CLOEXEC) : fd;
    });
    // The kernel looks a stale name up once more, so this one went or came in that moment: another attempt tells.
    if (rc == -ESTALE) return failure(ErrorKind::io, ESTALE, "open by FID", fid.bracketed());
    if (rc < 0) return llapi_error(rc, "open by FID", fid.bracketed());
    return Fd(rc);
  }

  [[nodiscard]] Outcome<std::string> path_of(const Fid& fid) override {
    std::array<char, PATH_MAX> path{};
    const int size = static_cast<int>(path.size());
    const int rc = m_mount->with([&](int mount) {
      long long recno = -1;
      int link = 0;
      const abi::lu_fid raw = to_abi(fid);
      return m_api.fid2path_at != nullptr
                 ? m_api.fid2path_at(mount, &raw, path.data(), size, &recno, &link)
                 : m_api.fid2path(mount_point().c_str(), fid.str().c_str(), path.data(), size, &recno, &link);
    });
    if (rc != 0) return llapi_error(rc, "fid2path", fid.bracketed());
    std::string_view text = path.data();
    while (text.starts_with('/')) text.remove_prefix(1);
    return std::string(text);
  }

  [[nodiscard]] Outcome<Fid> fid_of(int fd) override {
    abi::lu_fid raw{};
    if (const int rc = m_api.fd2fid(fd, &raw); rc != 0) return llapi_error(rc, "fd2fid", fmt::format("fd {}", fd));
    return Fid{raw.f_seq, raw.f_oid, raw.f_ver};
  }

  [[nodiscard]] Outcome<int> mdt_index(const Fid& fid) override {
    {
      // All FIDs of one sequence live on one MDT: one look-up per some 10^5 files.
      const std::lock_guard lock(m_mdt_mutex);
      if (const auto it = m_mdt_of_sequence.find(fid.seq); it != m_mdt_of_sequence.end()) return it->second;
    }
    const abi::lu_fid raw = to_abi(fid);
    int index = -1;
    const int rc = m_mount->with([&](int mount) { return m_api.get_mdt_index_by_fid(mount, &raw, &index); });
    if (rc < 0) return llapi_error(rc, "find the MDT of", fid.bracketed());
    const std::lock_guard lock(m_mdt_mutex);
    m_mdt_of_sequence.emplace(fid.seq, index);
    return index;
  }

  [[nodiscard]] Outcome<std::optional<FileAtMdt>> file_at_mdt(const Fid& fid) override {
    if (!m_is_lustre) return std::optional<FileAtMdt>();
    return m_mdt_asker.ask(*m_mount, fid);
  }

  [[nodiscard]] Outcome<Fd> create_volatile(const std::string& directory, int mdt_index, int flags, int like) override {
    if (m_is_lustre) {
      const std::string below = directory.size() > mount_point().size() ? directory.substr(mount_point().size() + 1) : ".";
      const int made = m_mount->with([&](int mount) {
        auto file = make_volatile(mount, below, mdt_index, flags, like);
        return file ? file->release() : -file.error().sys_errno;
      });
      if (made < 0) return errno_error("create volatile file in", directory, -made);
      return Fd(made);
    }
    const int rc = m_api.create_volatile_idx(directory.c_str(), mdt_index, flags | O_CLOEXEC);
    if (rc < 0) return llapi_error(rc, "create volatile file in", directory);
    return Fd(rc);
  }

  [[nodiscard]] Status copy_start(abi::hsm_copy& copy) override {
    return mount_ioctl(abi::LL_IOC_HSM_COPY_START, &copy, k_begin_action, copy.hc_hai.hai_fid);
  }
  [[nodiscard]] Status progress(abi::hsm_progress& progress) override {
    return mount_ioctl(abi::LL_IOC_HSM_PROGRESS, &progress, k_report_progress, progress.hp_fid);
  }
  [[nodiscard]] Status copy_end(abi::hsm_copy& copy) override {
    return mount_ioctl(abi::LL_IOC_HSM_COPY_END, &copy, k_end_action, copy.hc_hai.hai_fid);
  }

  [[nodiscard]] Status set_times(int fd, const struct stat& times) override {
    abi::ll_futimes_3 arg{};
    arg.lfu_atime_sec = static_cast<std::uint64_t>(times.st_atim.tv_sec);
    arg.lfu_atime_nsec = static_cast<std::uint64_t>(times.st_atim.tv_nsec);
    arg.lfu_mtime_sec = static_cast<std::uint64_t>(times.st_mtim.tv_sec);
    arg.lfu_mtime_nsec = static_cast<std::uint64_t>(times.st_mtim.tv_nsec);
    arg.lfu_ctime_sec = static_cast<std::uint64_t>(times.st_ctim.tv_sec);
    arg.lfu_ctime_nsec = static_cast<std::uint64_t>(times.st_ctim.tv_nsec);
    if (m_api.ioctl(fd, abi::LL_IOC_FUTIMES_3, &arg) != 0) return errno_error("LL_IOC_FUTIMES_3", fmt::format("fd {}", fd));
    return {};
  }

  [[nodiscard]] Status match_project(int fd, int like) override { return lustre::match_project(m_api, fd, like); }

  [[nodiscard]] Status set_project(int fd, std::uint32_t project) override {
    return lustre::set_project(m_api, fd, project, fmt::format("fd {}", fd));
  }

  [[nodiscard]] Outcome<std::optional<std::string>> layout(int fd) override {
    return get_xattr(fd, "lustre.lov");
  }

  [[nodiscard]] Status set_layout(int fd, const std::string& lov) override {
    if (m_api.fsetxattr(fd, "lustre.lov", lov.data(), lov.size(), XATTR_CREATE) != 0)
      return errno_error("fsetxattr lustre.lov", fmt::format("fd {}", fd));
    return {};
  }

  [[nodiscard]] Outcome<std::vector<std::pair<std::string, std::string>>> xattrs(int fd) override {
    std::vector<std::pair<std::string, std::string>> found;
    std::string names(1024, '\0');
    ssize_t size = 0;
    while ((size = m_api.flistxattr(fd, names.data(), names.size())) < 0) {
      if (errno == EOPNOTSUPP) return found;
      if (errno != ERANGE || names.size() > XATTR_LIST_MAX * 2) return errno_error("flistxattr", fmt::format("fd {}", fd));
      names.resize(names.size() * 4);
    }
    const std::string_view list(names.data(), static_cast<std::size_t>(size));
    for (std::size_t at = 0; at < list.size();) {  // NUL-terminated names, one after the other
      std::string name(list.substr(at, list.find('\0', at) - at));
      at += name.size() + 1;
      LHSM_TRY_ASSIGN(auto value, get_xattr(fd, name.c_str()));
      if (value) found.emplace_back(std::move(name), std::move(*value));
    }
    return found;
  }

  [[nodiscard]] Outcome<Fid> import_released(const std::string& path, std::uint32_t archive_id,
                                             const struct stat& attributes) override {
    abi::lu_fid raw{};
    // Default striping; pattern 0 becomes RAID0, released.
    const int rc = m_api.hsm_import(path.c_str(), static_cast<int>(archive_id), &attributes, 0, -1, 0, 0, nullptr, &raw);
    if (rc != 0) return llapi_error(rc, "import", path);
    return Fid{raw.f_seq, raw.f_oid, raw.f_ver};
  }

  [[nodiscard]] Status request(abi::hsm_user_action action, std::uint32_t archive_id,
                               std::span<const Fid> fids) override {
    if (fids.empty()) return {};
    std::string bytes(sizeof(abi::hsm_user_request) + fids.size() * sizeof(abi::hsm_user_item), '\0');
    abi::hsm_user_request head{};
    head.hur_request.hr_action = action;
    head.hur_request.hr_archive_id = archive_id;
    head.hur_request.hr_itemcount = static_cast<std::uint32_t>(fids.size());
    std::memcpy(bytes.data(), &head, sizeof head);
    char* at = bytes.data() + sizeof head;
    for (const Fid& fid : fids) {
      const abi::hsm_user_item item{to_abi(fid), {0, ~std::uint64_t{0}}};
      std::memcpy(at, &item, sizeof item);
      at += sizeof item;
    }
    return mount_ioctl(abi::LL_IOC_HSM_REQUEST, bytes.data(), "request an action on", to_abi(fids.front()));
  }

  [[nodiscard]] Outcome<HsmState> hsm_state(int fd) override {
    abi::hsm_user_state state{};
    if (m_api.ioctl(fd, abi::LL_IOC_HSM_STATE_GET, &state) != 0)
      return errno_error("read the HSM state of", fmt::format("fd {}", fd));
    return HsmState{state.hus_states, state.hus_archive_id};
  }

  [[nodiscard]] Status clear_archived(int fd) override {
    abi::hsm_state_set change{};
    change.hss_valid = abi::HSS_CLEARMASK;
    change.hss_clearmask = abi::HS_ARCHIVED | abi::HS_DIRTY | abi::HS_LOST;
    if (m_api.ioctl(fd, abi::LL_IOC_HSM_STATE_SET, &change) == 0) return {};
    return errno_error("clear the HSM state of", fmt::format("fd {}", fd));
  }

  [[nodiscard]] Outcome<RequestProgress> request_progress(int fd) override {
    abi::hsm_current_action action{};
    if (m_api.ioctl(fd, abi::LL_IOC_HSM_ACTION, &action) != 0)
      return errno_error("look for requests for", fmt::format("fd {}", fd));
    // Without a request the MDT leaves the state at that of a waiting one: the action tells.
    if (action.hca_action < abi::HUA_ARCHIVE) return RequestProgress::none;
    if (action.hca_state == abi::HPS_WAITING) return RequestProgress::waiting;
    if (action.hca_state == abi::HPS_RUNNING) return RequestProgress::running;
    return RequestProgress::none;
  }

  [[nodiscard]] Outcome<std::string> agent_uuid() override {
    if (m_api.get_agent_uuid == nullptr) return errno_error("find the UUID of", mount_point(), EOPNOTSUPP);
    std::string path = mount_point();
    std::array<char, 64> uuid{};
    if (const int rc = m_api.get_agent_uuid(path.data(), uuid.data(), uuid.size()); rc != 0)
      return llapi_error(rc, "find the UUID of", mount_point());
    std::string text = uuid.data();
    while (text.ends_with('\n')) text.pop_back();
    return text;
  }

  [[nodiscard]] Outcome<FileFacts> describe_file(int directory, const std::string& name, KnownKind kind,
                                                 FactsFrom from) override {
    return from == FactsFrom::servers ? m_describer.by_name(directory, name, kind)
                                      : m_describer.by_xattrs(directory, name, from);
  }
  [[nodiscard]] Status forget_xattrs() override {
    LHSM_TRY(m_describer.expect_xattrs(mount_point()));
    return drop_kept_locks(m_api, mount_point());
  }
  [[nodiscard]] Outcome<FileFacts> describe_open_file(int fd) override { return m_describer.by_descriptor(fd); }

  [[nodiscard]] Outcome<std::vector<OstSpace>> osts() override { return ask_osts(m_api, *m_mount); }
  [[nodiscard]] Outcome<Quota> quota(QuotaKind kind, std::uint32_t id) override {
    return ask_quota(m_api, *m_mount, kind, id);
  }

 private:
  Status mount_ioctl(unsigned long request, void* argument, std::string_view operation, const abi::lu_fid& fid) {
    const int rc = m_mount->with([&](int mount) { return m_api.ioctl(mount, request, argument) != 0 ? -errno : 0; });
    if (rc != 0) return llapi_error(rc, operation, Fid{fid.f_seq, fid.f_oid, fid.f_ver}.bracketed());
    return {};
  }

  Outcome<std::optional<std::string>> get_xattr(int fd, const char* name) {
    std::string value(512, '\0');
    for (;;) {
      const ssize_t size = m_api.fgetxattr(fd, name, value.data(), value.size());
      if (size >= 0) {
        value.resize(static_cast<std::size_t>(size));
        return value;
      }
      if (errno == ENODATA || errno == EOPNOTSUPP) return std::nullopt;
      if (errno != ERANGE || value.size() > XATTR_SIZE_MAX) return errno_error(std::string("fgetxattr ") + name, fmt::format("fd {}", fd));
      value.resize(value.size() * 8);
    }
  }

  LlapiTable m_api;
  std::unique_ptr<MountDirectory> m_mount;
  std::optional<CoordinatorProbe> m_probe;  // whoever registers
  bool m_is_lustre = false;                 // and no file system that stands for one
  Describer m_describer;
  MdtAsker m_mdt_asker;
  std::mutex m_mdt_mutex;
  std::unordered_map<std::uint64_t, int> m_mdt_of_sequence;
};

}  // namespace

Outcome<std::unique_ptr<Client>> open_client_with(const LlapiTable& api, const std::string& mount_point) {
  // What the library would print to stderr reaches the user as our own errors.
  if (api.msg_set_level != nullptr) api.msg_set_level(0);
  auto client = std::make_unique<LlapiClient>(api);
  LHSM_TRY(client->open(mount_point));
  return std::unique_ptr<Client>(std::move(client));
}

Outcome<std::unique_ptr<Client>> open_client(const std::string& mount_point) {
  LHSM_TRY_ASSIGN(const std::string library, llapi_library_for(mount_point));
  LHSM_TRY_ASSIGN(const LlapiTable api, load_llapi(library));
  return open_client_with(api, mount_point);
}

}  // namespace lhsm::lustre
