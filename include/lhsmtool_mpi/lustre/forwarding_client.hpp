// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <utility>

#include "lhsmtool_mpi/lustre/client.hpp"

namespace lhsm::lustre {

/// A client that has another one, which outlives it, do everything. For those that want to see or
/// change a few of the calls.
class ForwardingClient : public Client {
 public:
  explicit ForwardingClient(Client& inner) : m_inner(inner) {}

  [[nodiscard]] const std::string& mount_point() const override { return m_inner.mount_point(); }
  [[nodiscard]] const std::string& fsname() const override { return m_inner.fsname(); }
  [[nodiscard]] Outcome<std::unique_ptr<ActionStream>> register_copytool(
      const std::vector<std::uint32_t>& archive_ids) override {
    return m_inner.register_copytool(archive_ids);
  }
  [[nodiscard]] Outcome<Fd> open_by_fid(const Fid& fid, int flags) override { return m_inner.open_by_fid(fid, flags); }
  [[nodiscard]] Outcome<std::string> path_of(const Fid& fid) override { return m_inner.path_of(fid); }
  [[nodiscard]] Outcome<Fid> fid_of(int fd) override { return m_inner.fid_of(fd); }
  [[nodiscard]] Outcome<int> mdt_index(const Fid& fid) override { return m_inner.mdt_index(fid); }
  [[nodiscard]] Outcome<std::optional<FileAtMdt>> file_at_mdt(const Fid& fid) override { return m_inner.file_at_mdt(fid); }
  [[nodiscard]] Outcome<Fd> create_volatile(const std::string& directory, int mdt, int flags, int like) override {
    return m_inner.create_volatile(directory, mdt, flags, like);
  }
  [[nodiscard]] Status copy_start(abi::hsm_copy& copy) override { return m_inner.copy_start(copy); }
  [[nodiscard]] Status progress(abi::hsm_progress& report) override { return m_inner.progress(report); }
  [[nodiscard]] Status copy_end(abi::hsm_copy& copy) override { return m_inner.copy_end(copy); }
  [[nodiscard]] Status set_times(int fd, const struct stat& times) override { return m_inner.set_times(fd, times); }
  [[nodiscard]] Status match_project(int fd, int like) override { return m_inner.match_project(fd, like); }
  [[nodiscard]] Status set_project(int fd, std::uint32_t project) override { return m_inner.set_project(fd, project); }
  [[nodiscard]] Outcome<std::optional<std::string>> layout(int fd) override { return m_inner.layout(fd); }
  [[nodiscard]] Status set_layout(int fd, const std::string& lov) override { return m_inner.set_layout(fd, lov); }
  [[nodiscard]] Outcome<std::vector<std::pair<std::string, std::string>>> xattrs(int fd) override {
    return m_inner.xattrs(fd);
  }
  [[nodiscard]] Outcome<Fid> import_released(const std::string& path, std::uint32_t archive_id,
                                             const struct stat& attributes) override {
    return m_inner.import_released(path, archive_id, attributes);
  }
  [[nodiscard]] Status request(abi::hsm_user_action action, std::uint32_t archive_id,
                               std::span<const Fid> fids) override {
    return m_inner.request(action, archive_id, fids);
  }
  [[nodiscard]] Outcome<HsmState> hsm_state(int fd) override { return m_inner.hsm_state(fd); }
  [[nodiscard]] Outcome<RequestProgress> request_progress(int fd) override { return m_inner.request_progress(fd); }
  [[nodiscard]] Outcome<std::string> agent_uuid() override { return m_inner.agent_uuid(); }
  [[nodiscard]] Outcome<FileFacts> describe_file(int directory, const std::string& name, KnownKind kind,
                                                 FactsFrom from) override {
    return m_inner.describe_file(directory, name, kind, from);
  }
  [[nodiscard]] Status clear_archived(int fd) override { return m_inner.clear_archived(fd); }
  [[nodiscard]] Status forget_xattrs() override { return m_inner.forget_xattrs(); }
  [[nodiscard]] Outcome<FileFacts> describe_open_file(int fd) override { return m_inner.describe_open_file(fd); }
  [[nodiscard]] Outcome<std::vector<OstSpace>> osts() override { return m_inner.osts(); }
  [[nodiscard]] Outcome<Quota> quota(QuotaKind kind, std::uint32_t id) override { return m_inner.quota(kind, id); }

 protected:
  [[nodiscard]] Client& inner() { return m_inner; }

 private:
  Client& m_inner;
};

}  // namespace lhsm::lustre
