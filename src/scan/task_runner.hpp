// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lhsmtool_mpi/comm/message.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"
#include "lhsmtool_mpi/scan/row.hpp"
#include "lhsmtool_mpi/scan/walker.hpp"

namespace lhsm::scan {

/// What a task runner needs of the walker it works for. The functions may be called by any thread.
struct TaskContext {
  lustre::Client& client;
  const ScanOptions& options;
  lustre::FactsFrom facts_from;
  int root;      ///< descriptor of the mount point
  dev_t device;  ///< of the file system
  std::function<void(comm::ScanTask)> push;
  std::function<bool()> has_room;                   ///< whether more pieces of a directory should be pushed
  std::function<bool()> is_stopping;
  std::function<void(comm::ScanFound&)> deliver;  ///< takes what was found, leaves nothing; may wait
};

/// Carries out tasks, one after the other, in one thread.
class TaskRunner {
 public:
  explicit TaskRunner(TaskContext context);
  void run(const comm::ScanTask& task);

 private:
  void walk_directory(const std::string& path);
  void read_entries(int fd, const std::string& path);
  void hand_on(comm::ScanTask& task);
  void hand_on_files(int directory, comm::ScanTask& files);
  void look_at_files(int directory, const comm::ScanTask& task);
  void look_at_file(int directory, const std::string& parent, std::string_view name);
  void look_at_line(const std::string& base, std::string_view line);
  [[nodiscard]] Status take_fid(const Fid& fid);
  [[nodiscard]] Status take_path(const std::string& base, const std::string& path);
  [[nodiscard]] Outcome<std::string> below_mount(const std::string& base, const std::string& path) const;

  void add(const lustre::FileFacts& facts, std::string path);
  [[nodiscard]] std::uint32_t mdt_of(const Fid& fid);
  void failed_entry(const Error& error, std::string_view path);
  void failed_line(const Error& error, const std::string& base, std::string_view line);
  void problem(const Error& error, std::uint64_t& counter);
  void keep_name(std::string_view directory, std::string_view name);
  void deliver_some();

  TaskContext m_context;
  comm::ScanFound m_found;
  Row m_row;
  std::uint64_t m_mdt_sequence = 0;  // whose MDT was looked up last
  std::uint32_t m_mdt = 0;
  std::vector<std::byte> m_buffer;  // of getdents
};

}  // namespace lhsm::scan
