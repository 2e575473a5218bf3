// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/fid_allocator.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <sstream>

#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm::emulator {
namespace {

constexpr const char* k_counters = ".lustre/counters";
constexpr const char* k_counters_new = ".lustre/counters.new";
// More cookies than one run gives out; the wall clock passes them in half a year.
constexpr std::uint64_t k_cookies_per_run = std::uint64_t{1} << 24U;

}  // namespace

Outcome<FidAllocator> FidAllocator::load(int mount_fd, std::uint32_t mdt_count) {
  FidAllocator allocator;
  allocator.m_mount_fd = mount_fd;
  std::string text;
  if (Fd file(::openat(mount_fd, k_counters, O_RDONLY | O_CLOEXEC)); file) {
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(*file, buffer, sizeof buffer)) != 0;) {
      if (got < 0) return errno_error("read", k_counters);
      text.append(buffer, static_cast<std::size_t>(got));
    }
  } else if (errno != ENOENT) {
    return errno_error("open", k_counters);
  }
  // One line per MDT: next sequence, next cookie.
  std::istringstream lines(text);
  Mdt mdt;
  while (lines >> mdt.next_sequence >> mdt.next_cookie) allocator.m_mdts.push_back(mdt);
  if (!lines.eof()) return failure(ErrorKind::corrupt, EUCLEAN, "read", k_counters);
  for (auto index = allocator.m_mdts.size(); index < mdt_count; ++index)
    allocator.m_mdts.push_back({k_first_sequence + index * k_sequences_per_mdt, 0, 0, k_oids_per_sequence});
  return allocator;
}

Status FidAllocator::save() {
  std::string text;
  for (const auto& mdt : m_mdts)
    text += std::to_string(mdt.next_sequence) + " " + std::to_string(mdt.next_cookie) + "\n";
  Fd file(::openat(m_mount_fd, k_counters_new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) return errno_error("open", k_counters_new);
  if (::write(*file, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return errno_error("write", k_counters_new);
  if (::fsync(*file) != 0) return errno_error("fsync", k_counters_new);
  LHSM_TRY(file.close(k_counters_new));
  if (::renameat(m_mount_fd, k_counters_new, m_mount_fd, k_counters) != 0) return errno_error("rename", k_counters);
  return {};
}

Outcome<Fid> FidAllocator::next(std::uint32_t mdt) {
  return next_block(mdt, 1).map([](const Block& block) { return block.first; });
}

Outcome<FidAllocator::Block> FidAllocator::next_block(std::uint32_t mdt, std::uint32_t wanted) {
  if (mdt >= m_mdts.size()) return errno_error("allocate FID", "MDT " + std::to_string(mdt), ENODEV);
  Mdt& state = m_mdts[mdt];
  if (state.last_oid == k_oids_per_sequence) {
    state.sequence = state.next_sequence++;
    LHSM_TRY(save());
    state.last_oid = 0;
  }
  const Block block{{state.sequence, state.last_oid + 1, 0},
                    std::clamp(wanted, 1U, k_oids_per_sequence - state.last_oid)};
  state.last_oid += block.count;
  return block;
}

Outcome<std::uint64_t> FidAllocator::first_cookie(std::uint32_t mdt) {
  Mdt& state = m_mdts.at(mdt);
  const auto cookie = std::max(static_cast<std::uint64_t>(std::time(nullptr)), state.next_cookie);
  state.next_cookie = cookie + k_cookies_per_run;
  LHSM_TRY(save());
  return cookie;
}

}  // namespace lhsm::emulator
