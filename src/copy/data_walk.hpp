// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "lhsmtool_mpi/copy/bytes.hpp"

namespace lhsm::copy {

/// The next piece of work: a hole to skip, then a span to read with one call. An empty span comes
/// once, last.
struct Chunk {
  Extent hole;
  Extent span;
  bool scan = false;  ///< zero blocks in the span are holes; look for them in memory
};

/// Cuts a range into chunks of at most a buffer, asking the source where its data is. Each question
/// costs two system calls, on Lustre messages to the servers, so where small segments follow each other closely a whole
/// window is read and scanned instead, until segments are rare again.
class DataWalk {
 public:
  DataWalk(ByteSource& source, Extent range, std::size_t buffer_bytes);

  [[nodiscard]] Outcome<Chunk> next();

  /// Tell how many segments the scan of the last chunk found.
  void scanned(std::size_t segments);

 private:
  [[nodiscard]] Status find_data(Extent& hole);

  ByteSource& m_source;
  std::uint64_t m_pos;
  std::uint64_t m_end;
  std::size_t m_buffer_bytes;
  std::size_t m_window_bytes;
  std::uint64_t m_data_end;  // m_pos up to here is known to be data
  unsigned m_close_segments = 0;
  bool m_scanning = false;
};

}  // namespace lhsm::copy
