// SPDX-License-Identifier: LGPL-2.1-or-later
//
// What the dispatcher (rank 0) and the workers say to each other. Plain data; codec.hpp puts it on
// the wire. Everything goes between a worker and the dispatcher, never from worker to worker.
//
//   worker                            dispatcher
//     Hello                      ->                       who I am, what build
//                                <-  Jobs                 actions to carry out whole
//     Results                    ->                       outcomes; or "this one is large"
//                                <-  Begin                own a large one: begin it
//     Begun                      ->                       what helpers need to copy extents of it
//                                <-  CopyExtent           to any worker, as it has room
//     ExtentDone                 ->
//                                <-  Covered              to the owner, for its progress reports
//     Trouble                    ->                       the owner learnt that it must stop
//                                <-  Finish               to the owner: end it (all helpers closed)
//                                <-  Cancel               stop what you do for this job
//                                <-  Recall; Returned ->  jobs not started go back
//     Tick                       ->                       what moves, and whether the coordinator knows us
//                                <-  Heartbeat            the dispatcher goes on; without it workers pause
//     Events                     ->                       what happens to actions, for a monitor (event_channel.hpp)
//                                <-  BandwidthLimit       of the whole run, when it changes
//     BandwidthWanted            ->
//                                <-  BandwidthGrant       copies may read so much more
//                                <-  Stop; Bye        ->
//
// A job (part `bulk`) is a run of which ranks ask the coordinator, too:
//                                <-  AskFiles
//     FilesAsked                 ->                       in their order
//
// A scan (part `scan`) has the same greeting and end, and between them:
//     ScanTasks                  <->                      to be gone through; back: what others may do
//     ScanState                  ->                       how much is left here
//                                <-  ScanRecall           give some of it back
//     ScanFound                  ->                       rows, problems, counts
//                                <-  ScanTaken            of the above, by whoever writes the manifest
//
// So has a verification of an archive (part `verify`):
//                                <-  VerifyTasks          objects, or extents of large ones, to be read
//     VerifyResults              ->
//
// A job whose actions the ranks carry out themselves (part `bulk`: release, import) has them, too, and between them:
//                                <-  FilesToDo
//     FilesDone                  ->                       not in their order
//
// And a check of what a run will find (part `check`):
//                                <-  ClockAsked; ClockTold ->
//                                <-  CheckAsked
//     CheckFound                 ->                       after each step
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lhsmtool_mpi/base/action_item.hpp"
#include "lhsmtool_mpi/base/error.hpp"
#include "lhsmtool_mpi/base/ids.hpp"
#include "lhsmtool_mpi/comm/ask_messages.hpp"
#include "lhsmtool_mpi/comm/check_messages.hpp"

namespace lhsm::comm {

/// Raised with every change of a message's shape.
inline constexpr std::uint32_t k_protocol_version = 16;

/// An action with the dispatcher's name for it. `reject_errno` != 0: do not carry it out, end it so.
struct Job {
  JobId id = 0;
  std::int32_t reject_errno = 0;
  ActionItem item;
};

struct Hello {
  std::uint32_t protocol = k_protocol_version;
  std::string build;  ///< identity of the executable
  std::string host;
  std::uint32_t slots = 0;
  std::optional<Error> unable;  ///< why this rank cannot work: no mount, no archive
  std::string options;          ///< as the rank came to them, "name=value" lines
  std::string file_system;      ///< that is mounted where it works; empty: none
};

struct Jobs {
  std::vector<Job> jobs;
};

enum class Disposition : std::uint8_t {
  done,    ///< ended with success
  failed,  ///< ended with `error`
  large,   ///< not begun: `size` is over the stripe threshold
};

struct Result {
  JobId id = 0;
  Disposition disposition = Disposition::done;
  Error error;
  std::uint64_t size = 0;         ///< of the file
  std::uint64_t bytes_moved = 0;  ///< without holes
  std::uint64_t microseconds = 0;
  bool is_verified = false;  ///< against a digest that was kept with the object
  std::string digest;        ///< of the content (copy::ObjectDigest's value): 16 bytes, or none
  bool is_untaken = false;   ///< of what failed: its coordinator took no end of it, as it did not know it or does not run
};

struct Results {
  std::vector<Result> results;
};

struct Begin {
  Job job;
  std::string object;              ///< of an archive: what an earlier run left in the making (run::CopyVersion); may be empty
  std::uint64_t data_version = 0;  ///< of the file when that was begun
};

struct Begun {
  JobId id = 0;
  Fid dfid;                      ///< what helpers open: the source of an archive, the target of a restore
  std::uint64_t size = 0;
  std::uint64_t stripe_size = 0; ///< of the Lustre file; 0 when unknown
  std::string token;             ///< names the object in the making, or the version of the one to be restored
  std::string object;            ///< of an archive that a later run could go on with: its run::CopyVersion
  std::uint64_t data_version = 0;
  bool is_resumed = false;       ///< on the object of the Begin, with what is in it
};

struct CopyExtent {
  JobId id = 0;
  ActionKind kind = ActionKind::none;
  Fid fid;
  Fid dfid;
  std::string token;
  Extent extent;
  std::uint64_t file_size = 0;
};

struct ExtentDone {
  JobId id = 0;
  Extent extent;
  std::uint64_t bytes_moved = 0;
  std::string leaves;  ///< digests of the extent's leaves (copy::LeafDigester), 16 bytes each
  std::optional<Error> error;  ///< nothing: copied, synced and closed
};

struct Covered {
  JobId id = 0;
  std::vector<Extent> extents;  ///< newly done since the last Covered of this job
};

struct Trouble {
  JobId id = 0;
  Error error;
};

struct Finish {
  JobId id = 0;
  std::string digest;          ///< of all extents (copy::ObjectDigest as text), without an error
  std::optional<Error> error;  ///< nothing: all extents are done
  bool is_kept = false;        ///< with an error: what was copied is left to a later run
};

/// Stop what you do for this job. The job, or its extent, then ends with `error`.
struct Cancel {
  JobId id = 0;
  Error error;
};

struct Recall {
  std::uint32_t most = 0;  ///< give back at most so many jobs, the last ones first
};

struct Returned {
  std::vector<JobId> ids;
};

/// A file that a rank copies whole.
struct CopyProgress {
  JobId id = 0;
  std::uint64_t size = 0;
  std::uint64_t done = 0;
};

struct Tick {
  std::uint64_t bytes_moved = 0;  ///< since the start, running copies included
  std::uint32_t running = 0;      ///< slots at work
  std::uint64_t estranged = 0;    ///< answers by which a coordinator seems to have forgotten us, since the start
  std::uint64_t idle_us = 0;      ///< time in which no slot was at work, since the start
  std::vector<CopyProgress> copies;  ///< those that have lasted for a second, not all of many
};

struct Heartbeat {};

enum class EventKind : std::uint8_t { start, running, finish, cancel, error };

/// Something that happened to an action, for whoever monitors the copytool.
struct Event {
  EventKind kind = EventKind::start;
  ActionKind action = ActionKind::none;
  Fid source;                 ///< the file
  Fid data;                   ///< where its data is now: of a restore that runs, the volatile
  std::string path;           ///< of the file below the mount, or nothing
  std::uint64_t total = 0;    ///< bytes to copy
  std::uint64_t current = 0;  ///< bytes since the last event
  std::int32_t sys_errno = 0;
};

struct Events {
  std::vector<Event> events;
};

struct BandwidthLimit {
  std::uint64_t bytes_per_second = 0;  ///< 0 = none
};

struct BandwidthWanted {
  std::uint64_t total = 0;  ///< bytes that this rank has wanted since it began, those granted included
};

struct BandwidthGrant {
  std::uint64_t bytes = 0;  ///< besides what was granted before
};

enum class ScanTaskKind : std::uint8_t {
  directories,  ///< to be walked through with all that is below
  files,        ///< to be looked at; may turn out to be directories
  lines,        ///< of a list of paths and FIDs
};

/// A piece of a scan: some names of one directory, or lines of a list.
struct ScanTask {
  ScanTaskKind kind = ScanTaskKind::directories;
  std::string directory;    ///< below the mount point, "" for that itself; of lines: what relative paths are relative to
  std::string names;        ///< each followed by a NUL; a name may have slashes, "" is the directory itself
  std::uint64_t count = 0;  ///< of names
};

struct ScanTasks {
  std::vector<ScanTask> tasks;
};

struct ScanState {
  std::uint64_t queued = 0;    ///< names that nobody has begun
  std::uint64_t received = 0;  ///< ScanTasks messages so far
  bool is_hungry = false;      ///< a thread has nothing to do
  bool is_idle = false;        ///< no thread has, nothing is queued, and all that was found has been sent
};

struct ScanRecall {};

struct ScanFound {
  std::string rows;  ///< scan::append_row
  std::uint64_t row_count = 0;
  std::uint64_t bytes = 0;  ///< sizes of the rows' files
  std::uint64_t directories = 0;
  std::uint64_t others = 0;    ///< neither files nor directories
  std::uint64_t filtered = 0;  ///< files that a filter kept out
  std::uint64_t vanished = 0;  ///< files that went away between two looks
  std::uint64_t failed_lines = 0;
  std::uint64_t failed_entries = 0;  ///< directories and files
  std::vector<Error> problems;       ///< of the failed ones as many as are worth a line
  std::string failed_names;          ///< each followed by a NUL: lines, absolute paths; only when they are wanted
};

struct ScanTaken {};

/// An object to be checked by the digest that is kept with it.
struct VerifyTask {
  std::uint64_t row = 0;  ///< the dispatcher's name for it
  Fid fid;
  bool is_whole = true;    ///< all of it, whatever its size; else only `extent` of an object of `size` bytes
  std::uint64_t size = 0;
  Extent extent;
};

struct VerifyTasks {
  std::vector<VerifyTask> tasks;
};

/// What was found. Unless it failed: `size`, `version` and `kept` are those of the object, and when it was read, which
/// needs a digest to compare with and the size that was expected, `computed` (of all) or `leaves` (of an extent).
struct VerifyResult {
  std::uint64_t row = 0;
  Extent extent;
  bool has_failed = false;
  Error error;
  std::uint64_t size = 0;
  std::string version;
  std::string kept;      ///< digest, as text; empty: none
  std::string computed;  ///< digest, as text
  std::string leaves;
  std::uint64_t bytes_read = 0;
};

struct VerifyResults {
  std::vector<VerifyResult> results;
};

/// A file of a job, with what its manifest says of it as far as the action needs that.
struct FileToDo {
  Fid fid;
  std::string path;  ///< below the mount point; empty where it is not needed
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t projid = 0;
  std::uint32_t links = 1;
  std::uint32_t hsm_state = 0;
};

struct FilesToDo {
  std::string source;  ///< the file system that FIDs and paths are of, where that is another one
  std::vector<FileToDo> files;
};

enum class FileAnswer : std::uint8_t {
  done,
  already,  ///< there was nothing to do
  refused,  ///< its state does not allow it, for the reason in `error`
  failed,   ///< with `error`
};

struct FileDone {
  Fid fid;
  FileAnswer answer = FileAnswer::done;
  Error error;
};

struct FilesDone {
  std::vector<FileDone> files;
};

struct Stop {};
struct Bye {};

using Message = std::variant<Hello, Jobs, Results, Begin, Begun, CopyExtent, ExtentDone, Covered, Trouble, Finish,
                             Cancel, Recall, Returned, Tick, Heartbeat, Events, BandwidthLimit, BandwidthWanted,
                             BandwidthGrant, ScanTasks, ScanState, ScanRecall, ScanFound, ScanTaken, FilesToDo, FilesDone,
                             VerifyTasks, VerifyResults, AskFiles, FilesAsked, ClockAsked, ClockTold, CheckAsked, CheckFound,
                             Stop, Bye>;

}  // namespace lhsm::comm
