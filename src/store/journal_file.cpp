// SPDX-License-Identifier: LGPL-2.1-or-later
#include "journal_file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <string_view>
#include <tuple>

#include "journal_frame.hpp"
#include "lhsmtool_mpi/base/process_identity.hpp"
#include "manifest_seal.hpp"
#include "random.hpp"
#include "read_at.hpp"

namespace lhsm::store {

namespace {

constexpr std::string_view k_temporary = ".tmp-";

Status write_journal(const Fd& fd, const std::string& path, const JournalBase& base,
                     const std::vector<JournalRecord>& records, Disk& disk) {
  std::string bytes = base_bytes(base);
  const std::uint64_t seed = seed_of(base);
  std::uint64_t offset = 0;
  bool first = true;
  for (const JournalRecord& record : records) {
    // One that was read from a journal is not too long for another.
    if (!append_frame(record, first, seed, offset + bytes.size(), bytes))
      return failure(ErrorKind::invalid, EMSGSIZE, "write", path);
    first = false;
    if (bytes.size() < (std::size_t{4} << 20U)) continue;
    LHSM_TRY(disk.write_at(*fd, std::as_bytes(std::span(bytes)), offset, path));
    offset += bytes.size();
    bytes.clear();
  }
  LHSM_TRY(disk.write_at(*fd, std::as_bytes(std::span(bytes)), offset, path));
  return disk.sync(*fd, path);
}

}  // namespace

JournalBase new_base(const ManifestIdentity& manifest, std::uint64_t item_count) {
  return {manifest, item_count, random_number()};
}

Outcome<Fd> make_journal(const std::string& temporary, const JournalBase& base, const std::vector<JournalRecord>& records,
                         Disk& disk) {
  Fd fd(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd) return errno_error("create", temporary);
  if (const Status status = write_journal(fd, temporary, base, records, disk); !status) {
    std::ignore = disk.remove(temporary);
    return Failure(status.error());
  }
  return fd;
}

Status create_journal(const std::string& path, const JournalBase& base, const std::vector<JournalRecord>& records,
                      Disk& disk, const std::function<Status()>& may_be_named) {
  const std::string temporary = temporary_name(path);
  LHSM_TRY_ASSIGN(const Fd fd, make_journal(temporary, base, records, disk));
  Status status = may_be_named ? may_be_named() : Status{};
  if (status) status = disk.rename(temporary, path);
  if (!status) {
    std::ignore = disk.remove(temporary);
    return status;
  }
  return disk.sync_directory_of(path);
}

Outcome<Fd> open_to_append(const std::string& path, const JournalReach& reach, Disk& disk) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd) return errno_error("open", path);
  if (reach.torn != 0) LHSM_TRY(disk.truncate(*fd, reach.valid, path));
  std::vector<std::byte> piece(std::size_t{1} << 20U);
  for (std::uint64_t offset = reach.last_batch; offset < reach.valid;) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), reach.valid - offset));
    LHSM_TRY_ASSIGN(const std::size_t got, read_at(*fd, std::span(piece).first(want), offset, path));
    if (got < want) return corrupt(path, "became shorter");
    LHSM_TRY(disk.write_at(*fd, std::span(piece).first(got), offset, path));
    offset += got;
  }
  LHSM_TRY(disk.sync(*fd, path));
  return fd;
}

std::string temporary_name(const std::string& path) {
  return fmt::format("{}{}{}-{}-{:016x}", path, k_temporary, host_name(), ::getpid(), random_number());
}

void remove_temporaries(const std::string& path, Disk& disk) {
  const auto slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "./" : path.substr(0, slash + 1);
  const std::string prefix = path.substr(slash == std::string::npos ? 0 : slash + 1) + std::string(k_temporary);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(directory.c_str()), ::closedir);
  if (!listing) return;  // they harm nobody
  while (const dirent* entry = ::readdir(listing.get()))
    if (std::string_view(entry->d_name).starts_with(prefix)) std::ignore = disk.remove(directory + entry->d_name);
}

}  // namespace lhsm::store
