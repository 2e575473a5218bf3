// SPDX-License-Identifier: LGPL-2.1-or-later
#include "task_runner.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cstring>

#include "lhsmtool_mpi/scan/entry_list.hpp"
#include "names.hpp"
#include "open_directory.hpp"

namespace lhsm::scan {

namespace {

constexpr std::size_t k_buffer_bytes = std::size_t{256} << 10;
constexpr std::uint64_t k_deliver_rows = 128;
constexpr std::size_t k_deliver_names = std::size_t{64} << 10;  // bytes
constexpr std::size_t k_most_problems = 128;          // of one delivery that are told in words
constexpr std::uint64_t k_directories_per_task = 256;
constexpr std::uint32_t k_unknown_mdt = ~std::uint32_t{0};

/// As the kernel has it; glibc's readdir() would copy and lock for each.
struct DirectoryEntry {
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t length;
  std::uint8_t type;
};
constexpr std::size_t k_name_at = 19;

bool is_gone(const Error& error) { return error.sys_errno == ENOENT || error.sys_errno == ESTALE; }

/// Directories of some file systems do not tell; what is gone meanwhile is taken for a file, and then found to be gone.
std::uint8_t kind_of(int directory, std::string_view name) {
  struct stat status {};
  if (::fstatat(directory, name.data(), &status, AT_SYMLINK_NOFOLLOW) != 0) return DT_REG;
  return static_cast<std::uint8_t>(IFTODT(status.st_mode));
}

comm::ScanTask make_task(comm::ScanTaskKind kind, const std::string& directory) {
  comm::ScanTask task;
  task.kind = kind;
  task.directory = directory;
  return task;
}

}  // namespace

TaskRunner::TaskRunner(TaskContext context) : m_context(std::move(context)), m_buffer(k_buffer_bytes) {}

void TaskRunner::run(const comm::ScanTask& task) {
  switch (task.kind) {
    case comm::ScanTaskKind::directories:
      for_each_name(task, [&](std::string_view name) {
        if (!m_context.is_stopping()) walk_directory(join(task.directory, name));
      });
      break;
    case comm::ScanTaskKind::files: {
      const auto directory = open_directory(m_context.root, task.directory);
      if (directory)
        look_at_files(**directory, task);
      else
        for_each_name(task, [&](std::string_view name) { failed_entry(directory.error(), join(task.directory, name)); });
      break;
    }
    case comm::ScanTaskKind::lines:
      for_each_name(task, [&](std::string_view line) {
        if (!m_context.is_stopping()) look_at_line(task.directory, line);
        deliver_some();
      });
      break;
  }
  m_context.deliver(m_found);
}

void TaskRunner::walk_directory(const std::string& path) {
  const auto fd = open_directory(m_context.root, path);
  if (!fd) return failed_entry(fd.error(), path);
  struct stat status {};
  if (::fstat(**fd, &status) != 0) return failed_entry(errno_error("stat", path).value(), path);
  if (status.st_dev != m_context.device) {
    ++m_found.others;  // another file system is mounted here
    return;
  }
  ++m_found.directories;
  read_entries(**fd, path);
}

void TaskRunner::read_entries(int fd, const std::string& path) {
  comm::ScanTask files = make_task(comm::ScanTaskKind::files, path);
  comm::ScanTask directories = make_task(comm::ScanTaskKind::directories, path);
  for (;;) {
    const long size = ::syscall(SYS_getdents64, fd, m_buffer.data(), m_buffer.size());
    if (size == 0 || m_context.is_stopping()) break;
    if (size < 0) {
      failed_entry(errno_error("read directory", path).value(), path);
      break;
    }
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      DirectoryEntry entry{};
      std::memcpy(&entry, m_buffer.data() + at, k_name_at);
      const std::string_view name = reinterpret_cast<const char*>(m_buffer.data() + at + k_name_at);
      at += entry.length;
      if (name == "." || name == ".." || (path.empty() && name == ".lustre")) continue;
      if (entry.type == DT_UNKNOWN) entry.type = kind_of(fd, name);
      if (entry.type == DT_DIR) {
        add_name(directories, name);
        if (directories.count >= k_directories_per_task) hand_on(directories);
      } else if (entry.type == DT_REG) {
        // The last piece stays here; others are for whoever has nothing to do, on this rank or another.
        if (files.count >= m_context.options.names_per_task) {
          if (m_context.has_room()) {
            hand_on_files(fd, files);
          } else {
            look_at_files(fd, files);
            files = make_task(files.kind, path);
          }
        }
        add_name(files, name);
      } else {
        ++m_found.others;
      }
    }
  }
  if (directories.count > 0) hand_on(directories);
  look_at_files(fd, files);
}

void TaskRunner::hand_on_files(int directory, comm::ScanTask& files) {
  // Who reads a directory and looks at the entries in their order gets their attributes many at a time; other threads of this client
  // then find them there. Without their sizes, which each would wait for here.
  if (m_context.facts_from != lustre::FactsFrom::servers)
    for_each_name(files, [&](std::string_view name) {
      struct statx ignored {};
      if (!m_context.is_stopping() && m_context.options.filter.keeps_path(join(files.directory, name)))
        std::ignore = ::statx(directory, name.data(), AT_SYMLINK_NOFOLLOW, STATX_TYPE, &ignored);
    });
  hand_on(files);
}

void TaskRunner::hand_on(comm::ScanTask& task) {
  m_context.push(std::exchange(task, make_task(task.kind, task.directory)));
}

void TaskRunner::look_at_files(int directory, const comm::ScanTask& task) {
  if (task.count == 0) return;
  for_each_name(task, [&](std::string_view name) {
    if (m_context.is_stopping()) return;
    look_at_file(directory, task.directory, name);
    deliver_some();
  });
}

void TaskRunner::look_at_file(int directory, const std::string& parent, std::string_view name) {
  std::string path = join(parent, name);
  if (!m_context.options.filter.keeps_path(path)) {
    ++m_found.filtered;
    return;
  }
  const auto facts = m_context.client.describe_file(directory, std::string(name), lustre::KnownKind::regular_file,
                                                    m_context.facts_from);
  if (!facts) {
    if (is_gone(facts.error()))
      ++m_found.vanished;
    else
      failed_entry({facts.error().kind, facts.error().sys_errno, facts.error().operation, path}, path);
    return;
  }
  if (!S_ISREG(facts->attributes.st_mode)) {
    ++m_found.others;
    return;
  }
  add(*facts, std::move(path));
}

void TaskRunner::add(const lustre::FileFacts& facts, std::string path) {
  if (facts.is_known_not_released) {
    ++m_found.filtered;
    return;
  }
  const struct stat& st = facts.attributes;
  m_row.fid = facts.fid;
  m_row.path = std::move(path);
  m_row.size = static_cast<std::uint64_t>(st.st_size);
  m_row.blocks = static_cast<std::uint64_t>(st.st_blocks);
  m_row.mtime_ns = st.st_mtim.tv_sec * 1'000'000'000 + st.st_mtim.tv_nsec;
  m_row.stripe_size = facts.stripe_size;
  m_row.stripe_count = facts.stripe_count;
  m_row.uid = st.st_uid;
  m_row.gid = st.st_gid;
  m_row.project_id = facts.project_id;
  m_row.archive_id = facts.archive_id;
  m_row.hsm_state = facts.hsm_state;
  m_row.links = static_cast<std::uint32_t>(st.st_nlink);
  if (!m_context.options.filter.keeps(m_row)) {
    ++m_found.filtered;
    return;
  }
  m_row.mdt_index = mdt_of(facts.fid);
  append_row(m_found.rows, m_row);
  ++m_found.row_count;
  m_found.bytes += m_row.size;
}

std::uint32_t TaskRunner::mdt_of(const Fid& fid) {
  if (fid.seq == m_mdt_sequence) return m_mdt;
  const auto index = m_context.client.mdt_index(fid);
  m_mdt_sequence = fid.seq;
  m_mdt = index ? static_cast<std::uint32_t>(*index) : k_unknown_mdt;
  return m_mdt;
}

void TaskRunner::failed_entry(const Error& error, std::string_view path) {
  problem(error, m_found.failed_entries);
  keep_name(m_context.client.mount_point(), path);
}

void TaskRunner::failed_line(const Error& error, const std::string& base, std::string_view line) {
  problem(error, m_found.failed_lines);
  const auto entry = parse_line(line);
  const bool is_relative = entry && *entry && std::holds_alternative<std::string>(**entry) && !line.starts_with('/');
  keep_name(is_relative ? std::string_view(base) : std::string_view(), line);
}

void TaskRunner::keep_name(std::string_view directory, std::string_view name) {
  if (!m_context.options.keeps_failed) return;
  m_found.failed_names.append(join(directory, name)).push_back('\0');
}

void TaskRunner::problem(const Error& error, std::uint64_t& counter) {
  ++counter;
  if (m_found.problems.size() < k_most_problems) m_found.problems.push_back(error);
}

void TaskRunner::deliver_some() {
  if (m_found.row_count >= k_deliver_rows || m_found.failed_names.size() >= k_deliver_names) m_context.deliver(m_found);
}

}  // namespace lhsm::scan
