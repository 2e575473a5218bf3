// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>

#include "lhsmtool_mpi/lustre/hsm_action.hpp"
#include "lhsmtool_mpi/run/file_action.hpp"

namespace lhsm::run {

/// Copy a range of a file of `file_size` bytes, digesting it on the way, counting bytes into the
/// environment and telling the coordinator each update interval through `report`, which may be empty. A
/// raised stop flag gives the flag's error.
[[nodiscard]] Outcome<CopiedExtent> copy_range(Environment& environment, copy::Engine& engine,
                                               copy::ByteSource& source, copy::ByteSink& sink, Extent range,
                                               std::uint64_t file_size, const StopFlag& stop,
                                               const std::function<Status(Extent)>& report);

/// The same for all of a file.
[[nodiscard]] Outcome<CopiedFile> copy_whole(Environment& environment, copy::Engine& engine, copy::ByteSource& source,
                                             copy::ByteSink& sink, std::uint64_t file_size, const StopFlag& stop,
                                             const std::function<Status(Extent)>& report);

[[nodiscard]] Outcome<std::unique_ptr<FileAction>> open_archive(Environment& environment, const ActionItem& item);
[[nodiscard]] Outcome<std::unique_ptr<FileAction>> open_restore(Environment& environment, const ActionItem& item);

/// FileAction::report() over the action's own progress().
[[nodiscard]] Status report_progress(Environment& environment, const lustre::HsmAction& action, Extent done);

/// Fail with kind `changed`, EIO, when the object is not as it was when `version` was taken: all of a
/// file must come from one object.
[[nodiscard]] Status check_version(const archive::ObjectReader& object, const std::string& version, const Fid& fid);

/// End `action` with the error, but for one that its coordinator does not know; when that fails too, say so in the log.
void end_failed(Environment& environment, lustre::HsmAction& action, const Error& error);

/// Note whether the coordinator took an end.
void note_taken(Environment& environment, const Status& answer);

/// The same of what nothing cancelled; also count the answer if it shows that the coordinator may have forgotten us.
void note_answer(Environment& environment, const Status& answer);

}  // namespace lhsm::run
