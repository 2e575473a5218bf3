// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Copies one extent from a source to a sink: holes stay holes, reading and writing overlap, somebody
// is told how far it is, and it can be stopped between two buffers.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "lhsmtool_mpi/copy/bytes.hpp"

namespace lhsm::copy {

struct CopyControl {
  /// Looked at before each buffer; when it reads true the copy ends with ECANCELED. May be null.
  const std::atomic<bool>* stop = nullptr;
  /// Called in the copying thread for each piece that was written, or skipped as a hole, in ascending
  /// order and adjacent; an error from it ends the copy with that error. May be empty. Small holes
  /// inside a buffer count with it. After an error some pieces may be written and not told.
  std::function<Status(Extent)> on_done;
};

struct CopyResult {
  std::uint64_t bytes_moved = 0;  ///< read and written; holes are not counted
};

/// One engine serves one copy at a time; it owns its aligned buffers (allocated at first use) and the
/// thread that writes while the caller's thread reads (started at the first copy that needs it).
class Engine {
 public:
  /// `buffer_bytes` is rounded up to a multiple of 4 KiB; a copy holds two such buffers, one when it
  /// fits into one.
  explicit Engine(std::size_t buffer_bytes);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Copy `range`. The sink must read as zeros where nothing was written. A source that ends inside
  /// `range` is an error of kind `corrupt` with EIO. Does not sync the sink; neither end is used any
  /// more when it returns. Zero blocks of a file that has holes may become holes. If all of `range`
  /// was moved (bytes_moved == length) the sink has been written to its end, otherwise its size may
  /// have to be set.
  [[nodiscard]] Outcome<CopyResult> copy(ByteSource& source, ByteSink& sink, Extent range, const CopyControl& control);

 private:
  struct Pipeline;
  std::size_t m_buffer_bytes;
  std::unique_ptr<Pipeline> m_pipeline;
};

}  // namespace lhsm::copy
