// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/scan/manifest_sink.hpp"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <optional>

#include "lhsmtool_mpi/base/wall_clock.hpp"
#include "lhsmtool_mpi/store/disk.hpp"
#include "lhsmtool_mpi/store/job_files.hpp"
#include "lhsmtool_mpi/store/job_lock.hpp"
#include "lhsmtool_mpi/store/manifest.hpp"

namespace lhsm::scan {

namespace {

std::string user_name() {
  const passwd* const entry = ::getpwuid(::geteuid());
  return entry != nullptr ? entry->pw_name : std::to_string(::geteuid());
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

/// What stays the same in all rows is filled in once, at the end of a slice.
void add_row(store::ItemSlice& slice, const Row& row) {
  slice.fid_seq.push_back(row.fid.seq);
  slice.fid_oid.push_back(row.fid.oid);
  slice.fid_ver.push_back(row.fid.ver);
  slice.path_bytes += row.path;
  slice.path_end.push_back(slice.path_bytes.size());
  slice.size.push_back(row.size);
  slice.blocks.push_back(row.blocks);
  slice.uid.push_back(row.uid);
  slice.gid.push_back(row.gid);
  slice.projid.push_back(row.project_id);
  slice.mtime.push_back(row.mtime_ns);
  slice.archive_id.push_back(row.archive_id);
  slice.stripe_size.push_back(row.stripe_size);
  slice.stripe_count.push_back(row.stripe_count);
  slice.hsm_state.push_back(row.hsm_state);
  slice.mdt_index.push_back(row.mdt_index);
  slice.links.push_back(row.links);
}

void fill_up(store::ItemSlice& slice) {
  const store::Item usual;
  const std::size_t rows = slice.fid_seq.size();
  slice.volume.assign(rows, usual.volume);
  slice.position.assign(rows, usual.position);
  slice.action.assign(rows, usual.action);
  slice.result.assign(rows, usual.outcome.result);
  slice.sys_errno.assign(rows, usual.outcome.sys_errno);
  slice.attempts.assign(rows, usual.outcome.attempts);
  slice.has_digest.assign(rows, 0);
  slice.digest.assign(rows, usual.outcome.digest);
  slice.seconds.assign(rows, usual.outcome.seconds);
  slice.rank.assign(rows, usual.outcome.rank);
  slice.bytes_copied.assign(rows, usual.outcome.bytes_copied);
  slice.first_start.assign(rows, usual.outcome.first_start_ns);
  slice.last_start.assign(rows, usual.outcome.last_start_ns);
  slice.end.assign(rows, usual.outcome.end_ns);
}

}  // namespace

struct ManifestSink::State {
  /// The former manifest's journals are gone before it is, as they would be refused beside another one.
  Status clear_the_way() const {
    LHSM_TRY(lock.check());
    const std::string& path = lock.manifest_path();
    store::Disk& disk = store::Disk::real();
    for (const std::string& journal : {store::rotated_journal_path(path), store::journal_path(path)}) LHSM_TRY(disk.remove(journal));
    return disk.sync_directory_of(path);
  }

  store::JobLock lock;  // before the writer: it is given up last
  store::ManifestWriter writer;
  store::RunRecord run;
  store::ItemSlice slice;

  Status flush() {
    if (slice.fid_seq.empty()) return {};
    fill_up(slice);
    LHSM_TRY(writer.append(slice));
    slice.clear();
    return {};
  }
};

ManifestSink::ManifestSink() = default;
ManifestSink::~ManifestSink() = default;

Status ManifestSink::open(const std::string& path, const ManifestHead& head, bool replace) {
  LHSM_TRY_ASSIGN(store::JobLock lock, store::JobLock::acquire(path));
  // Before the work, not after it. A journal without its manifest belongs to one that somebody has moved away.
  for (const std::string& name : {path, store::journal_path(path), store::rotated_journal_path(path)})
    if (!replace && exists(name)) return errno_error("--force is not given, and there is", name, EEXIST);
  store::RunRecord run;
  run.user = user_name();
  run.command_line = head.command_line;
  run.hosts = head.host;
  run.ranks = head.ranks;
  run.begin_ns = wall_clock_ns();
  const store::ManifestAttributes attributes{head.creator, head.file_system, head.mount_point, "", run.begin_ns};
  LHSM_TRY_ASSIGN(store::ManifestWriter writer,
                  store::ManifestWriter::create(
                      path, attributes, store::ManifestIdentity::make(),
                      replace ? store::ManifestWriter::Replace::yes : store::ManifestWriter::Replace::no));
  m_state.reset(new State{std::move(lock), std::move(writer), std::move(run), {}});
  return {};
}

Status ManifestSink::add(std::string_view block) {
  LHSM_TRY(for_each_row(block, [this](const Row& row) { add_row(m_state->slice, row); }));
  return m_state->slice.fid_seq.size() >= store::k_slice_rows ? m_state->flush() : Status{};
}

Status ManifestSink::finish(int exit_code) {
  LHSM_TRY(m_state->flush());
  m_state->run.end_ns = wall_clock_ns();
  m_state->run.exit_code = exit_code;
  m_state->writer.add_run(m_state->run);
  LHSM_TRY(m_state->writer.finish([this] { return m_state->clear_the_way(); }));
  m_state.reset();
  return {};
}

void ManifestSink::discard() { m_state.reset(); }

}  // namespace lhsm::scan
