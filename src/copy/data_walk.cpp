// SPDX-License-Identifier: LGPL-2.1-or-later
#include "data_walk.hpp"

#include <algorithm>

#include "lhsmtool_mpi/base/size.hpp"
#include "zero_scan.hpp"

namespace lhsm::copy {

namespace {

constexpr std::size_t k_window = k_MiB;                    // read at once to find many segments
constexpr unsigned k_few = 4;                              // fewer in a window: asking is cheaper
constexpr std::uint64_t k_close = k_window / (2 * k_few);  // a segment and its hole: as dense as twice that

}  // namespace

DataWalk::DataWalk(ByteSource& source, Extent range, std::size_t buffer_bytes)
    : m_source(source),
      m_pos(range.offset),
      m_end(range.end()),
      m_buffer_bytes(buffer_bytes),
      m_window_bytes(std::min(buffer_bytes, k_window)),
      m_data_end(range.offset) {}

Outcome<Chunk> DataWalk::next() {
  Chunk chunk{.hole = {m_pos, 0}, .span = {m_end, 0}};
  if (m_pos == m_end) return chunk;
  if (!m_scanning && m_pos == m_data_end) LHSM_TRY(find_data(chunk.hole));
  if (m_pos == m_end) return chunk;

  const std::uint64_t most = m_scanning ? m_window_bytes : m_buffer_bytes;
  const std::uint64_t end = m_scanning ? m_end : m_data_end;
  // Ending on a block boundary keeps all that follows aligned.
  chunk.span = {m_pos, std::min(most - m_pos % k_hole_block, end - m_pos)};
  chunk.scan = m_scanning;
  m_pos = chunk.span.end();
  if (m_scanning) m_data_end = m_pos;
  return chunk;
}

Status DataWalk::find_data(Extent& hole) {
  LHSM_TRY_ASSIGN(const auto data, m_source.next_data({m_pos, m_end - m_pos}));
  if (data && (data->length == 0 || data->offset < m_pos || data->end() > m_end))
    return failure(ErrorKind::internal, EPROTO, "next_data", "an extent outside of the range");
  hole.length = (data ? data->offset : m_end) - m_pos;
  m_pos += hole.length;
  m_data_end = data ? data->end() : m_end;
  const bool close = data && hole.length + data->length <= k_close && data->end() < m_end;
  m_close_segments = close ? m_close_segments + 1 : 0;
  m_scanning = m_close_segments >= k_few;
  return {};
}

void DataWalk::scanned(std::size_t segments) {
  if (segments >= k_few) return;
  m_scanning = false;
  m_close_segments = 0;
}

}  // namespace lhsm::copy
