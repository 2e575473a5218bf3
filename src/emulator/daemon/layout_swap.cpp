// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/layout_swap.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "core/data_version.hpp"
#include "core/directory_layout.hpp"
#include "core/layout.hpp"
#include "daemon/file_copy.hpp"
#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/base/size.hpp"

namespace lhsm::emulator {
namespace {

/// Up to here a copy costs no more than an exchange, and keeps the inode.
constexpr off_t k_copy_inline = static_cast<off_t>(128 * k_KiB);

Outcome<struct stat> stat_of(const Fd& fd, const Fid& fid) {
  struct stat st {};
  if (::fstat(*fd, &st) != 0) return errno_error("stat", fid.bracketed());
  return st;
}

bool has_readers(const Fd& file) {
  const Fd look(::open(inode_path(*file).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  return !look || is_open_elsewhere(*look);
}

/// Return the bytes of a layout, "" if there is none.
std::string layout_behind(const Fd& file, const std::string& name) {
  char value[64 * 1024];
  const auto size = ::fgetxattr(*file, name.c_str(), value, sizeof value);
  return size <= 0 ? std::string() : std::string(value, static_cast<std::size_t>(size));
}

/// The layout belongs to the data: the file gets the volatile's, or none.
Status set_layout(const Fd& to, const std::string& name, const std::string& layout) {
  const int rc = layout.empty() ? ::fremovexattr(*to, name.c_str())
                                : ::fsetxattr(*to, name.c_str(), layout.data(), layout.size(), 0);
  if (rc != 0 && errno != ENODATA) return errno_error("set layout", name);
  return {};
}

}  // namespace

LayoutSwap::LayoutSwap(FileStore& store, Volatiles& volatiles, int mount_fd)
    : m_store(store), m_volatiles(volatiles), m_mount_fd(mount_fd), m_wakeup(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!m_wakeup) throw Fatal("eventfd: " + errno_name(errno));
}

LayoutSwap::~LayoutSwap() {
  for (const auto& copy : m_copies) copy->thread.join();
}

/// Return the layout that the file gets with the volatile's data, if it had the layout `before`. EOPNOTSUPP:
/// the data would have to move to the MDT, where a file has room only for the MDT component that it has.
Outcome<std::string> LayoutSwap::layout_after(const Swap& swap, const Fd& from, std::string before) {
  auto layout = layout_behind(from, m_store.names().layout);
  if (layout.empty()) return layout;
  if (const auto dom_size = dom_size_of(layout); dom_size > 0) {
    if (const auto path = m_store.path_of(swap.file); before.empty() && path)
      before = layout_for_entry(m_mount_fd, m_store.names(), *path);
    if (dom_size_of(before) != dom_size) return errno_error("swap layouts", swap.file.bracketed(), EOPNOTSUPP);
  }
  // The release was a change too, of which nothing is written down.
  const auto generation = std::max(generation_of(before) + 1, generation_of(layout)) + 1;
  return with_generation(std::move(layout), generation);
}

void LayoutSwap::start(const Swap& swap, Done done) {
  // Two copies at once would mix their data.
  if (std::any_of(m_copies.begin(), m_copies.end(),
                  [&swap](const auto& copy) { return copy->swap.file == swap.file; })) {
    done(-EBUSY);
    return;
  }
  const auto run = [&]() -> Outcome<bool> {
    LHSM_TRY_ASSIGN(Fd from, m_volatiles.find(swap.volatile_file));
    LHSM_TRY_ASSIGN(const auto from_st, stat_of(from, swap.volatile_file));
    LHSM_TRY_ASSIGN(const auto file_st, m_store.attributes_of(swap.file));
    if (from_st.st_uid != file_st.st_uid || from_st.st_gid != file_st.st_gid)
      return errno_error("swap", swap.file.bracketed(), EPERM);
    const bool is_small = from_st.st_size <= k_copy_inline;
    if (!is_small && file_st.st_nlink == 1) {
      LHSM_TRY_ASSIGN(const Fd file, m_store.open(swap.file));
      if (!has_readers(file)) {
        LHSM_TRY_ASSIGN(const auto layout, layout_after(swap, from, stored_layout(*file, m_store.names())));
        LHSM_TRY_ASSIGN(const bool exchanged, exchange(swap, from, from_st, file, file_st, layout));
        if (exchanged) return true;
      }
    }
    LHSM_TRY_ASSIGN(Fd to, m_store.open_data(swap.file));
    LHSM_TRY_ASSIGN(const auto layout, layout_after(swap, from, layout_behind(to, m_store.names().layout)));
    if (!is_small) {
      copy_later(swap, std::move(from), std::move(to), layout, done);
      return false;
    }
    at_step("copy");
    LHSM_TRY(replace_content(*from, *to));
    LHSM_TRY(set_layout(to, m_store.names().layout, layout));
    if (const int rc = conclude_copy(swap); rc != 0) return errno_error("swap", swap.file.bracketed(), -rc);
    return true;
  };
  const auto outcome = run();
  if (!outcome) {
    log::warning("restore of {}: {}", swap.file.bracketed(), outcome.error().describe());
    m_volatiles.remove_aside(swap.file);
    done(-outcome.error().sys_errno);
  } else if (*outcome) {
    done(0);
  }
}

Outcome<bool> LayoutSwap::exchange(const Swap& swap, const Fd& from, const struct stat& from_st, const Fd& file,
                                   const struct stat& file_st, const std::string& layout) {
  const auto path = m_store.path_of(swap.file);
  if (!path) return false;  // unlinked, but alive: the inode itself gets the data
  const auto slash = path->rfind('/');
  const auto parent_path = slash == std::string::npos ? std::string(".") : path->substr(0, slash);
  const auto name = slash == std::string::npos ? *path : path->substr(slash + 1);
  const Fd parent(::openat(m_mount_fd, parent_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat parent_st {};
  if (!parent || ::fstat(*parent, &parent_st) != 0) return false;

  at_step("adopt");
  LHSM_TRY(copy_inode_attributes(inode_path(*file), *from, m_store.names().name_space));
  LHSM_TRY(set_layout(from, m_store.names().layout, layout));
  auto after = swap.after;
  const auto version = data_version(from_st);
  after.archive_version = version;
  LHSM_TRY(m_store.adopt(swap.file, *from, after));

  at_step("set aside");
  const auto aside = m_volatiles.set_aside(swap.volatile_file, swap.file);
  if (!aside) return false;
  const auto exchange_names = [&] {
    return ::renameat2(m_volatiles.directory(), aside->c_str(), *parent, name.c_str(), RENAME_EXCHANGE);
  };
  at_step("exchange");
  if (exchange_names() != 0) return false;
  at_step("check");
  struct stat old {};
  if (::fstatat(m_volatiles.directory(), aside->c_str(), &old, AT_SYMLINK_NOFOLLOW) != 0 ||
      old.st_ino != file_st.st_ino) {
    // Somebody renamed another file to this name meanwhile: give it back.
    if (exchange_names() != 0) return errno_error("exchange back", *path);
    return false;
  }
  at_step("remove");
  // A restore is no change of the directory.
  const timespec times[2] = {parent_st.st_atim, parent_st.st_mtim};
  if (::futimens(*parent, times) != 0) log::warning("utimes {}: {}", parent_path, errno_name(errno));
  m_store.replaced(swap.file, *from, *path, after, version);
  m_volatiles.remove_aside(swap.file);
  return true;
}

int LayoutSwap::conclude_copy(const Swap& swap) {
  at_step("conclude");
  m_store.changed(swap.file);
  // As it is now: a user may have set a flag while the data were copied.
  const auto present = m_store.view(swap.file);
  if (!present) return -present.error().sys_errno;
  auto after = present->hsm;
  after.flags &= ~(abi::HS_RELEASED | abi::HS_DIRTY);
  const auto version = m_store.version_of(swap.file);
  if (!version) return -version.error().sys_errno;
  after.archive_version = *version;
  if (const auto stored = m_store.set_hsm(swap.file, after); !stored) return -stored.error().sys_errno;
  // One of the two names: an exchange may have been tried before.
  m_volatiles.remove(swap.volatile_file);
  m_volatiles.remove_aside(swap.file);
  return 0;
}

void LayoutSwap::copy_later(const Swap& swap, Fd from, Fd to, const std::string& layout, Done done) {
  auto copy = std::make_unique<Copy>();
  copy->swap = swap;
  copy->from = std::move(from);
  copy->to = std::move(to);
  copy->done = std::move(done);
  Copy* raw = copy.get();
  copy->thread = std::thread([this, raw, layout, name = m_store.names().layout] {
    auto copied = replace_content(*raw->from, *raw->to);
    if (copied) copied = set_layout(raw->to, name, layout);
    {
      const std::lock_guard lock(m_mutex);
      raw->result = copied ? 0 : -copied.error().sys_errno;
      raw->finished = true;
    }
    const std::uint64_t one = 1;
    // A full counter wakes the loop as well.
    std::ignore = ::write(*m_wakeup, &one, sizeof one);
  });
  m_copies.push_back(std::move(copy));
}

void LayoutSwap::finish() {
  while (!m_copies.empty()) {
    pollfd ready{*m_wakeup, POLLIN, 0};
    if (::poll(&ready, 1, -1) > 0) process_events();
  }
}

void LayoutSwap::process_events() {
  std::uint64_t count = 0;
  std::ignore = ::read(*m_wakeup, &count, sizeof count);
  for (std::size_t i = 0; i < m_copies.size();) {
    {
      const std::lock_guard lock(m_mutex);
      if (!m_copies[i]->finished) {
        ++i;
        continue;
      }
    }
    const auto copy = std::move(m_copies[i]);
    m_copies.erase(m_copies.begin() + static_cast<std::ptrdiff_t>(i));
    copy->thread.join();
    if (copy->result != 0) m_volatiles.remove_aside(copy->swap.file);
    copy->done(copy->result != 0 ? copy->result : conclude_copy(copy->swap));
  }
}

}  // namespace lhsm::emulator
