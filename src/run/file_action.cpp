// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/file_action.hpp"

#include <fcntl.h>

#include <algorithm>

#include "coordinator_answer.hpp"
#include "copy_range.hpp"
#include "hole_checked_source.hpp"
#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/copy/fd_bytes.hpp"

namespace lhsm::run {

namespace {

constexpr std::chrono::milliseconds k_least_wait{10};  // between two reports, also when all are asked for

/// Lets a copy stand still before its next buffer while work is paused.
class PausingSource final : public copy::ByteSource {
 public:
  PausingSource(copy::ByteSource& source, Pulse& pulse) : m_source(source), m_pulse(pulse) {}
  [[nodiscard]] Outcome<std::size_t> read_at(std::span<std::byte> out, std::uint64_t offset) override {
    m_pulse.wait();
    return m_source.read_at(out, offset);
  }
  [[nodiscard]] Outcome<std::optional<Extent>> next_data(Extent range) override { return m_source.next_data(range); }

 private:
  copy::ByteSource& m_source;
  Pulse& m_pulse;
};

/// A cookie that its coordinator does not know any more: its time was over, or it was restarted.
bool is_forgotten(const Error& error) { return error.kind == ErrorKind::cancelled && error.sys_errno == ENOENT; }

}  // namespace

void note_taken(Environment& environment, const Status& answer) {
  if (environment.is_untaken != nullptr) *environment.is_untaken = !answer && is_estranged(answer.error().sys_errno);
}

void note_answer(Environment& environment, const Status& answer) {
  note_taken(environment, answer);
  if (!answer && is_estranged(answer.error().sys_errno)) ++environment.estranged;
}

Outcome<CopiedExtent> copy_range(Environment& environment, copy::Engine& engine, copy::ByteSource& source,
                                 copy::ByteSink& sink, Extent range, std::uint64_t file_size, const StopFlag& stop,
                                 const std::function<Status(Extent)>& report) {
  copy::CopyControl control;
  control.stop = &stop.raised();
  Extent unreported{range.offset, 0};
  TimePoint last_report = std::chrono::steady_clock::now();
  const auto report_now = [&]() -> Status {
    if (!report) return {};
    const TimePoint now = std::chrono::steady_clock::now();
    if (now - last_report < environment.options.update_interval) return {};
    last_report = now;
    LHSM_TRY(report(unreported));
    unreported = {unreported.end(), 0};
    return {};
  };
  control.on_done = [&](Extent done) {
    environment.bytes_moved += done.length;
    if (environment.done_of_file != nullptr) *environment.done_of_file += done.length;
    unreported.length += done.length;
    return report_now();
  };
  const Duration wait = std::max<Duration>(environment.options.update_interval / 2, k_least_wait);
  BudgetedSource budgeted(source, environment.budget, stop, wait, report_now);
  copy::LeafDigester digester(range, file_size);
  PausingSource pausing(budgeted, environment.pulse);
  copy::DigestingSource digested(pausing, digester);
  const auto copied = engine.copy(digested, sink, range, control);
  if (!copied && stop.raised()) return Failure(stop.error());
  if (!copied) return Failure(copied.error());
  return CopiedExtent{copied->bytes_moved, digester.finish()};
}

Outcome<CopiedFile> copy_whole(Environment& environment, copy::Engine& engine, copy::ByteSource& source,
                               copy::ByteSink& sink, std::uint64_t file_size, const StopFlag& stop,
                               const std::function<Status(Extent)>& report) {
  const Extent all{0, file_size};
  LHSM_TRY_ASSIGN(const auto copied, copy_range(environment, engine, source, sink, all, file_size, stop, report));
  copy::DigestCollector collector(file_size);
  if (!collector.add(all, copied.leaves)) throw Fatal("the digests of a whole file do not fit it");
  return CopiedFile{copied.bytes_moved, *collector.digest()};
}

Status report_progress(Environment& environment, const lustre::HsmAction& action, Extent done) {
  const Status reported = action.progress(done);
  if (reported) return {};
  Error error = reported.error();
  if (error.sys_errno != ECANCELED && error.sys_errno != ENOENT) {
    log::warning("{}: its progress was not taken: {}", action.item().describe(), error.describe());
    note_answer(environment, reported);
    return {};
  }
  // What the coordinator does not know any more counts as cancelled, too: by its timeout.
  error.kind = ErrorKind::cancelled;
  return Failure(error);
}

Status check_version(const archive::ObjectReader& object, const std::string& version, const Fid& fid) {
  LHSM_TRY_ASSIGN(const std::string now, object.version());
  if (now != version) return failure(ErrorKind::changed, EIO, "object was replaced while it was restored, of", fid.bracketed());
  return {};
}

void end_failed(Environment& environment, lustre::HsmAction& action, const Error& error) {
  const ActionItem item = action.item();
  if (is_forgotten(error)) {
    action.abandon();
    note_answer(environment, Failure(error));
    return;
  }
  const Status ended = action.end(lustre::reportable_errno(error));
  if (!ended && ended.error().sys_errno != ENOENT)
    log::warning("{}: could not be ended as failed: {}", item.describe(), ended.error().describe());
  (error.kind == ErrorKind::cancelled ? note_taken : note_answer)(environment, ended);
}

Outcome<std::unique_ptr<FileAction>> FileAction::open(Environment& environment, const ActionItem& item) {
  switch (item.kind) {
    case ActionKind::archive: return open_archive(environment, item);
    case ActionKind::restore: return open_restore(environment, item);
    default: return failure(ErrorKind::invalid, EINVAL, "copy for action " + std::string(to_string(item.kind)), item.fid.bracketed());
  }
}

Outcome<CopiedExtent> copy_extent(Environment& environment, copy::Engine& engine, ActionKind kind, const Fid& fid,
                                  const Fid& dfid, const std::string& token, Extent extent, std::uint64_t file_size,
                                  const StopFlag& stop) {
  const std::string name = dfid.bracketed();
  environment.pulse.wait();
  if (stop.raised()) return Failure(stop.error());
  CopiedExtent copied;
  if (kind == ActionKind::restore) {
    // Plain O_WRONLY: the volatile has its layout already, and nothing of it may be cut off.
    LHSM_TRY_ASSIGN(Fd file, environment.client.open_by_fid(dfid, O_WRONLY | O_NOFOLLOW));
    LHSM_TRY_ASSIGN(const auto object, environment.backend.open(fid));
    LHSM_TRY(check_version(*object, token, fid));
    copy::FdSink sink(*file, name, environment.options.direct);
    LHSM_TRY_ASSIGN(copied, copy_range(environment, engine, *object, sink, extent, file_size, stop, {}));
    // The owner's fsync covers its own client only, and its end must find nobody else writing.
    LHSM_TRY(sink.sync());
    LHSM_TRY(file.close(name));
  } else {
    LHSM_TRY_ASSIGN(const Fd file, environment.client.open_by_fid(dfid, O_RDONLY | O_NOATIME | O_NOFOLLOW));
    copy::FdSource source(*file, name, environment.options.direct);
    HoleCheckedSource checked(source, environment.client, *file);
    LHSM_TRY_ASSIGN(const auto object, environment.backend.join(fid, token));
    LHSM_TRY_ASSIGN(copied, copy_range(environment, engine, checked, *object, extent, file_size, stop, {}));
    LHSM_TRY(object->sync());
  }
  return copied;
}

Status refuse(Environment& environment, const ActionItem& item, const Error& reason) {
  if (is_forgotten(reason)) {
    note_answer(environment, Failure(reason));
    return {};
  }
  const Status ended = lustre::end_unbegun(environment.client, item, lustre::reportable_errno(reason));
  (reason.kind == ErrorKind::cancelled ? note_taken : note_answer)(environment, ended);
  if (!ended && ended.error().sys_errno == ENOENT) return {};
  return ended;
}

}  // namespace lhsm::run
