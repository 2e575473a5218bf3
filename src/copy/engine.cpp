// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/copy/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <system_error>

#include "data_walk.hpp"
#include "writer_thread.hpp"
#include "zero_scan.hpp"

namespace lhsm::copy {

struct Engine::Pipeline {
  explicit Pipeline(std::size_t bytes) : batches{Batch(bytes), Batch(bytes)} {}

  std::array<Batch, WriterThread::k_batches> batches;
  std::optional<WriterThread> writer;  // destroyed first: it uses the batches
};

namespace {

Status check_stop(const CopyControl& control, std::uint64_t offset) {
  if (control.stop == nullptr || !control.stop->load(std::memory_order_relaxed)) return {};
  return failure(ErrorKind::cancelled, ECANCELED, "copy", fmt::format("stopped at byte {}", offset));
}

Status tell(const CopyControl& control, Extent piece) {
  if (piece.length == 0 || !control.on_done) return {};
  return control.on_done(piece);
}

/// Read `span` into the batch's buffer, all of it.
Status read_all(ByteSource& source, Batch& batch, Extent span) {
  const auto buffer = batch.buffer.get();
  if (buffer.empty()) return failure(ErrorKind::busy, ENOMEM, "copy", "no memory for a buffer");
  batch.span = span;
  batch.segments.assign(1, span);
  LHSM_TRY_ASSIGN(const std::size_t got,
                  source.read_at(buffer.first(static_cast<std::size_t>(span.length)), span.offset));
  if (got == span.length) return {};
  return failure(ErrorKind::corrupt, EIO, "read",
                 fmt::format("the source ends at byte {}, not at {} or later", span.offset + got, span.end()));
}

void drop_zero_blocks(Batch& batch) { batch.segments = nonzero_runs(batch.bytes(), batch.span.offset); }

/// A copy that fits into one buffer: no thread, and as a rule no question for holes. Only a file
/// with zero blocks is asked whether it has holes at all.
Outcome<CopyResult> copy_inline(Batch& batch, ByteSource& source, ByteSink& sink, Extent range,
                                const CopyControl& control) {
  LHSM_TRY(check_stop(control, range.offset));
  LHSM_TRY(read_all(source, batch, range));
  if (has_zero_block(batch.bytes(), range.offset)) {
    LHSM_TRY_ASSIGN(const auto data, source.next_data(range));
    if (!data || *data != range) drop_zero_blocks(batch);
  }
  for (const Extent& segment : batch.segments) LHSM_TRY(sink.write_at(batch.bytes_of(segment), segment.offset));
  LHSM_TRY(tell(control, range));
  return CopyResult{batch.bytes_to_write()};
}

/// A copy of more than one buffer: this thread reads, the writer writes, batches take turns.
class OverlappedCopy {
 public:
  OverlappedCopy(std::array<Batch, WriterThread::k_batches>& batches, WriterThread& writer, ByteSource& source,
                 ByteSink& sink, const CopyControl& control)
      : m_batches(batches), m_writer(writer), m_source(source), m_control(control) {
    m_writer.begin(sink);
  }
  // Whatever ends the copy, an exception too: the sink is the caller's again.
  ~OverlappedCopy() { m_writer.cancel(); }
  OverlappedCopy(const OverlappedCopy&) = delete;
  OverlappedCopy& operator=(const OverlappedCopy&) = delete;

  Outcome<CopyResult> run(DataWalk walk) {
    for (;;) {
      LHSM_TRY_ASSIGN(const Chunk chunk, walk.next());
      if (chunk.span.length == 0) return finish(chunk.hole);
      LHSM_TRY(check_stop(m_control, chunk.span.offset));
      if (m_submitted - m_told == m_batches.size()) LHSM_TRY(wait_for_oldest());
      LHSM_TRY(fill(walk, chunk));
    }
  }

 private:
  Status fill(DataWalk& walk, const Chunk& chunk) {
    Batch& batch = m_batches[m_submitted % m_batches.size()];
    batch.hole = chunk.hole;
    LHSM_TRY(read_all(m_source, batch, chunk.span));
    if (chunk.scan) {
      drop_zero_blocks(batch);
      walk.scanned(batch.segments.size());
    }
    m_writer.submit(batch);
    ++m_submitted;
    return {};
  }

  Status wait_for_oldest() {
    LHSM_TRY(m_writer.wait_written(m_told + 1));
    const Batch& batch = m_batches[m_told % m_batches.size()];
    ++m_told;
    m_result.bytes_moved += batch.bytes_to_write();
    LHSM_TRY(tell(m_control, batch.hole));
    return tell(m_control, batch.span);
  }

  Outcome<CopyResult> finish(Extent last_hole) {
    while (m_told < m_submitted) LHSM_TRY(wait_for_oldest());
    LHSM_TRY(tell(m_control, last_hole));
    return m_result;
  }

  std::array<Batch, WriterThread::k_batches>& m_batches;
  WriterThread& m_writer;
  ByteSource& m_source;
  const CopyControl& m_control;
  std::uint64_t m_submitted = 0;
  std::uint64_t m_told = 0;  // waited for, and on_done called
  CopyResult m_result;
};

Status start_if_needed(std::optional<WriterThread>& writer) try {
  if (!writer) writer.emplace();
  return {};
} catch (const std::system_error& error) {
  return failure(ErrorKind::busy, error.code().value(), "start thread", "writer of the copy");
}

std::size_t round_up(std::size_t bytes) {
  const std::size_t whole = std::max<std::size_t>(bytes, 1) + k_direct_alignment - 1;
  return whole - whole % k_direct_alignment;
}

}  // namespace

Engine::Engine(std::size_t buffer_bytes) : m_buffer_bytes(round_up(buffer_bytes)) {}

Engine::~Engine() = default;

Outcome<CopyResult> Engine::copy(ByteSource& source, ByteSink& sink, Extent range, const CopyControl& control) {
  constexpr auto k_last = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (range.offset > k_last || range.length > k_last - range.offset)
    return failure(ErrorKind::invalid, EINVAL, "copy", fmt::format("extent {}+{}", range.offset, range.length));
  if (range.length == 0) return CopyResult{};
  if (!m_pipeline) m_pipeline = std::make_unique<Pipeline>(m_buffer_bytes);
  if (range.length <= m_buffer_bytes) return copy_inline(m_pipeline->batches[0], source, sink, range, control);
  LHSM_TRY(start_if_needed(m_pipeline->writer));
  OverlappedCopy copy(m_pipeline->batches, *m_pipeline->writer, source, sink, control);
  return copy.run(DataWalk(source, range, m_buffer_bytes));
}

}  // namespace lhsm::copy
