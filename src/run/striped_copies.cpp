// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/run/striped_copies.hpp"

#include <algorithm>
#include <utility>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/base/size.hpp"

namespace lhsm::run {

comm::Begin StripedCopies::begin(comm::Job job) const {
  comm::Begin message{std::move(job), {}, 0};
  // The volatile file of a restore is gone with the run that had it.
  if (m_unfinished == nullptr || message.job.item.kind != ActionKind::archive) return message;
  if (auto known = m_unfinished->known(message.job.item)) {
    message.object = std::move(known->object);
    message.data_version = known->data_version;
  }
  return message;
}

std::vector<Extent> StripedCopies::begun(const comm::Begun& message, const ActionItem& item) {
  m_work.insert_or_assign(message.id, Work{0, std::chrono::steady_clock::now(), 0});
  Copy& copy = m_copies.insert_or_assign(message.id, Copy{copy::DigestCollector(message.size), {}, false}).first->second;
  if (m_unfinished == nullptr || item.kind != ActionKind::archive) return {};
  std::vector<CopiedPiece> pieces = m_unfinished->take(item);
  if (message.object.empty()) return {};
  copy.version = CopyVersion{message.data_version, message.object};
  if (!message.is_resumed) return {};
  std::sort(pieces.begin(), pieces.end(),
            [](const CopiedPiece& a, const CopiedPiece& b) { return a.extent.offset < b.extent.offset; });
  std::vector<Extent> done;
  std::uint64_t bytes = 0;
  for (CopiedPiece& piece : pieces) {
    // They come from a disk: what does not fit is copied again.
    const Extent extent = piece.extent;
    if (extent.length == 0 || extent.offset >= message.size || extent.length > message.size - extent.offset) continue;
    if (!done.empty() && extent.offset < done.back().end()) continue;
    if (!add(copy, item, std::move(piece))) continue;
    done.push_back(extent);
    bytes += extent.length;
  }
  m_work.at(message.id).kept_bytes = bytes;
  log::info("{}: goes on where an earlier run ended, with {} of {} done", item.describe(), format_size(bytes),
            format_size(message.size));
  return done;
}

bool StripedCopies::add(Copy& copy, const ActionItem& item, CopiedPiece piece) {
  if (!copy.digests.add(piece.extent, piece.leaves)) return false;
  if (copy.version && m_unfinished->piece_done(item, *copy.version, std::move(piece))) copy.is_remembered = true;
  return true;
}

bool StripedCopies::extent_done(const comm::ExtentDone& message, const ActionItem& item) {
  if (const auto work = m_work.find(message.id); work != m_work.end()) work->second.bytes_moved += message.bytes_moved;
  const auto at = m_copies.find(message.id);
  return at == m_copies.end() || add(at->second, item, {message.extent, message.leaves});
}

std::uint64_t StripedCopies::kept_bytes(JobId job) const {
  const auto work = m_work.find(job);
  return work == m_work.end() ? 0 : work->second.kept_bytes;
}

std::optional<StripedCopies::Work> StripedCopies::ended(JobId job) {
  const auto at = m_work.extract(job);
  return at.empty() ? std::nullopt : std::optional(at.mapped());
}

std::optional<comm::Finish> StripedCopies::finish(JobId job, const std::optional<Error>& error, bool is_put_back) {
  const auto at = m_copies.extract(job);
  if (error) return comm::Finish{job, {}, error, is_put_back && !at.empty() && at.mapped().is_remembered};
  const auto digest = at.empty() ? std::nullopt : at.mapped().digests.digest();
  if (!digest) return std::nullopt;
  return comm::Finish{job, digest->text(), std::nullopt, false};
}

}  // namespace lhsm::run
