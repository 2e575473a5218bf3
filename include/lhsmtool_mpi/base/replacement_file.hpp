// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm {

/// A text that takes the place of a file when it is whole, and leaves nothing when not: written beside it under a name of
/// this process, as two runs that were given one file by mistake must not make one text of theirs. For one thread.
class ReplacementFile {
 public:
  enum class Durability : std::uint8_t { synced, not_synced };

  /// Make the file beside `path` (0644), a new one: what has its name goes first. It may be a link that somebody else made,
  /// who guessed the name of a temporary file of root's. A device or a pipe, or a link to one, is written to instead and stays (ENXIO: a
  /// pipe that nobody reads); any other link is replaced, as it may lead to what whoever made it could not write.
  /// EINVAL: a block device, a socket.
  [[nodiscard]] static Outcome<ReplacementFile> create(std::string path);
  ReplacementFile(ReplacementFile&& other) noexcept;
  ReplacementFile& operator=(ReplacementFile&& other) noexcept;
  ~ReplacementFile();

  [[nodiscard]] Status write(std::string_view bytes);
  /// Give it its name. Once, as the last.
  [[nodiscard]] Status finish(Durability durability = Durability::synced);
  [[nodiscard]] const std::string& path() const { return m_path; }

 private:
  explicit ReplacementFile(std::string path);
  [[nodiscard]] static Outcome<ReplacementFile> write_through(std::string path);
  void discard() noexcept;

  std::string m_path;
  std::string m_temporary;  ///< empty: there is none (any more)
  Fd m_file;
};

/// Write all of it to a descriptor; `subject` is for the message.
[[nodiscard]] Status write_all(int fd, std::string_view bytes, const std::string& subject);

}  // namespace lhsm
