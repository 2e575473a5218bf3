// SPDX-License-Identifier: LGPL-2.1-or-later
#include "check_object.hpp"

#include <algorithm>

namespace lhsm::verify {

namespace {

/// Digest an extent of the object; return its leaves. Holes are not read.
Outcome<std::string> read_extent(archive::ObjectReader& object, const comm::VerifyTask& task, Extent extent,
                                 std::span<std::byte> buffer, Pace& pace, const std::atomic<bool>& stop,
                                 std::uint64_t& bytes_read) {
  copy::LeafDigester digester(extent, object.size());
  const std::size_t most = pace.piece(buffer.size());
  for (Extent rest = extent; rest.length > 0;) {
    LHSM_TRY_ASSIGN(const auto data, object.next_data(rest));
    if (!data) break;
    for (std::uint64_t at = data->offset; at < data->end();) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(most, data->end() - at));
      if (stop || !pace.take(wanted)) return errno_error("read object of", task.fid.bracketed(), ECANCELED);
      LHSM_TRY_ASSIGN(const std::size_t got, object.read_at(buffer.first(wanted), at));
      if (got == 0)
        return failure(ErrorKind::corrupt, EIO, "object became shorter while it was read, of", task.fid.bracketed());
      digester.add(buffer.first(got), at);
      bytes_read += got;
      at += got;
    }
    rest = {data->end(), extent.end() - data->end()};
  }
  return digester.finish();
}

Status check(archive::Backend& backend, const comm::VerifyTask& task, std::span<std::byte> buffer, Pace& pace,
             const std::atomic<bool>& stop, comm::VerifyResult& result) {
  LHSM_TRY_ASSIGN(const auto object, backend.open(task.fid));
  result.size = object->size();
  LHSM_TRY_ASSIGN(result.version, object->version());
  LHSM_TRY_ASSIGN(const auto kept, object->digest());
  if (!kept) return {};
  result.kept = kept->text();
  // What has another size has another digest; and an extent would not fit.
  if (kept->size != result.size || (!task.is_whole && result.size != task.size)) return {};
  const Extent extent = task.is_whole ? Extent{0, result.size} : task.extent;
  LHSM_TRY_ASSIGN(std::string leaves, read_extent(*object, task, extent, buffer, pace, stop, result.bytes_read));
  LHSM_TRY_ASSIGN(const std::string version, object->version());
  if (version != result.version)
    return failure(ErrorKind::changed, EIO, "object was written to while it was verified, of", task.fid.bracketed());
  if (!task.is_whole) {
    result.leaves = std::move(leaves);
    return {};
  }
  copy::DigestCollector collector(result.size);
  const bool fits = collector.add(extent, leaves);
  const auto digest = collector.digest();
  if (!fits || !digest) return failure(ErrorKind::internal, EPROTO, "digest", task.fid.bracketed());
  result.computed = digest->text();
  return {};
}

}  // namespace

comm::VerifyResult check_object(archive::Backend& backend, const comm::VerifyTask& task, std::span<std::byte> buffer,
                                Pace& pace, const std::atomic<bool>& stop) {
  comm::VerifyResult result;
  result.row = task.row;
  result.extent = task.extent;
  if (const Status checked = check(backend, task, buffer, pace, stop, result); !checked) {
    result.has_failed = true;
    result.error = checked.error();
  }
  return result;
}

}  // namespace lhsm::verify
