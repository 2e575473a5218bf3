// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/store/job_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <tuple>

#include "journal_file.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/base/lock_reach.hpp"
#include "lhsmtool_mpi/base/wall_clock.hpp"
#include "lock_file.hpp"
#include "random.hpp"

namespace lhsm::store {

namespace {

enum class FileLock { held, taken, unsupported };

FileLock lock_file(int fd) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(fd, F_OFD_SETLK, &lock) == 0) return FileLock::held;
  return errno == EAGAIN || errno == EACCES ? FileLock::taken
                                            : FileLock::unsupported;  // Lustre without -o flock: ENOSYS
}

/// A name that goes away with the object, if it is there at all.
class TemporaryName {
 public:
  explicit TemporaryName(std::string path) : m_path(std::move(path)) {}
  ~TemporaryName() { ::unlink(m_path.c_str()); }
  TemporaryName(const TemporaryName&) = delete;
  TemporaryName& operator=(const TemporaryName&) = delete;
  [[nodiscard]] const std::string& path() const { return m_path; }

 private:
  std::string m_path;
};

/// link(2); an answer that NFS lost and asked for again looks like a failure.
bool link_new(const Fd& file, const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) == 0) return true;
  const int why = errno;
  struct stat status {};
  struct stat named {};
  const bool is_ours = ::fstat(*file, &status) == 0 && ::lstat(to.c_str(), &named) == 0 &&
                       status.st_ino == named.st_ino && status.st_dev == named.st_dev;
  errno = why;
  return is_ours;
}

Failure busy(const std::string& manifest, const std::string& why) {
  return failure(ErrorKind::busy, EBUSY, "lock", manifest + ": " + why);
}

}  // namespace

struct JobLock::State {
  State(std::string path, Options o)
      : manifest(std::move(path)), lock_path(manifest + ".lock"), options(std::move(o)) {}
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Outcome<bool> try_once();
  Status prepare(const std::string& temporary);
  Outcome<bool> judge(const LockOwner& owner, int fd) const;
  Outcome<bool> is_silent(const LockOwner& owner) const;
  Outcome<bool> take_over(const LockOwner& owner, const std::string& temporary);
  [[nodiscard]] bool is_still_ours() const;
  void beat();
  void start_beating();

  const std::string manifest;
  const std::string lock_path;
  const Options options;
  Fd file;
  LockOwner self;

  std::mutex mutex;
  std::condition_variable wake;
  bool ending = false;
  bool is_acquired = false;
  std::atomic<bool> lost = false;
  std::thread thread;
};

JobLock::State::~State() {
  if (thread.joinable()) {
    {
      const std::lock_guard lock(mutex);
      ending = true;
      wake.notify_one();
    }
    thread.join();
  }
  // Also where the thread could not be started.
  if (is_acquired && is_still_ours()) ::unlink(lock_path.c_str());
}

Status JobLock::State::prepare(const std::string& temporary) {
  file = Fd(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file) return errno_error("create", temporary);
  // Locked before it has its name: whoever finds it by that and can lock it knows that the process is gone.
  const bool is_locked = options.file_locks && lock_file(*file) == FileLock::held;
  const std::int64_t now = wall_clock_ns();
  self = {
      ProcessIdentity::self(), host_name(), is_locked && locks_reach_all_hosts(*file), random_number(), now, 1, now};
  return write_owner(*file, self, temporary);
}

/// Return whether the lock is ours now; false: look again.
Outcome<bool> JobLock::State::try_once() {
  const TemporaryName temporary(temporary_name(lock_path));
  LHSM_TRY(prepare(temporary.path()));
  if (link_new(file, temporary.path(), lock_path)) return true;
  if (errno == ENOENT) return false;  // a holder cleared our temporary file away
  if (errno != EEXIST) return errno_error("link", lock_path);
  const Fd found(::open(lock_path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!found && errno == ENOENT) return false;
  if (!found) return errno_error("open", lock_path);
  const auto owner = read_owner(lock_path);
  if (!owner && owner.error().kind == ErrorKind::not_found) return false;
  if (!owner) return Failure(owner.error());
  if (!*owner)
    return busy(manifest, fmt::format("{} is unreadable; remove it if no job works on this manifest", lock_path));
  LHSM_TRY_ASSIGN(const bool is_dead, judge(**owner, *found));
  if (!is_dead) return false;
  return take_over(**owner, temporary.path());
}

/// Return whether the owner is known to be gone; false: the lock file changed.
Outcome<bool> JobLock::State::judge(const LockOwner& owner, int fd) const {
  const FileLock lock = options.file_locks ? lock_file(fd) : FileLock::unsupported;
  if (lock == FileLock::taken) return busy(manifest, "in use by " + owner.describe());
  const auto is_running = owner.process.is_running();
  if (is_running) {
    if (*is_running) return busy(manifest, "in use by " + owner.describe());
    return true;
  }
  if (lock == FileLock::held && owner.is_locked && locks_reach_all_hosts(fd)) return true;
  if (options.take_over_after.count() > 0) return is_silent(owner);
  return busy(manifest, fmt::format("in use by {}, as far as can be seen from here; if that job is gone remove {}",
                                    owner.describe(), lock_path));
}

Outcome<bool> JobLock::State::is_silent(const LockOwner& owner) const {
  const auto until = std::chrono::steady_clock::now() + options.take_over_after;
  const auto pause = std::max(options.take_over_after / 50, std::chrono::milliseconds(1));
  while (std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(pause);  // what other hosts write can only be asked for
    const auto now = read_owner(lock_path);
    if (!now && now.error().kind == ErrorKind::not_found) return false;
    if (!now) return Failure(now.error());
    if (!*now || !(**now == owner)) return busy(manifest, "in use by " + (*now ? **now : owner).describe());
  }
  return true;
}

Outcome<bool> JobLock::State::take_over(const LockOwner& owner, const std::string& temporary) {
  // Only one at a time replaces the file, and only the one that it judged.
  const std::string guard = lock_path + ".takeover";
  if (!link_new(file, temporary, guard)) {
    if (errno == ENOENT) return false;
    if (errno != EEXIST) return errno_error("link", guard);
    const auto other = read_owner(guard);
    if (!other && other.error().kind == ErrorKind::not_found) return false;
    if (other && *other && (*other)->process.is_running() == false) {
      ::unlink(guard.c_str());
      return false;
    }
    return busy(manifest, fmt::format("a dead job's lock is being taken over by {}; if that is gone remove {}",
                                      other && *other ? (*other)->describe() : "another", guard));
  }
  const TemporaryName remove_guard(guard);
  const auto now = read_owner(lock_path);
  if (!now && now.error().kind == ErrorKind::not_found) return false;
  if (!now) return Failure(now.error());
  if (!*now || !(**now == owner)) return false;
  if (::rename(temporary.c_str(), lock_path.c_str()) != 0) {
    if (errno == ENOENT) return false;
    return errno_error("rename to", lock_path);
  }
  return true;
}

bool JobLock::State::is_still_ours() const {
  const auto owner = read_owner(lock_path);
  // What cannot be read just now is not lost.
  if (!owner) return owner.error().kind != ErrorKind::not_found || owner.error().sys_errno == ESTALE;
  return *owner && (*owner)->token == self.token;
}

void JobLock::State::beat() {
  std::unique_lock lock(mutex);
  while (!wake.wait_for(lock, options.heartbeat, [&] { return ending; })) {
    if (!is_still_ours()) {
      lost = true;
      if (options.lost) {
        lock.unlock();
        options.lost();
      }
      return;
    }
    ++self.beats;
    self.beat_ns = wall_clock_ns();
    std::ignore = write_owner(*file, self, lock_path);  // the next one may succeed; nobody takes over for one
  }
}

void JobLock::State::start_beating() {
  thread = std::thread([this] { beat(); });
}

JobLock::JobLock(std::unique_ptr<State> state) : m_state(std::move(state)) {}
JobLock::~JobLock() = default;
JobLock::JobLock(JobLock&&) noexcept = default;
JobLock& JobLock::operator=(JobLock&&) noexcept = default;

Outcome<JobLock> JobLock::acquire(const std::string& manifest_path, Options options) {
  auto state = std::make_unique<State>(manifest_path, std::move(options));
  constexpr int k_attempts = 20;  // each is lost to another process that came, or went
  for (int attempt = 0; attempt < k_attempts; ++attempt) {
    LHSM_TRY_ASSIGN(const bool is_ours, state->try_once());
    if (!is_ours) continue;
    state->is_acquired = true;
    state->start_beating();
    remove_temporaries(state->lock_path, Disk::real());
    return JobLock(std::move(state));
  }
  return busy(manifest_path, "others take and leave the lock all the time");
}

const std::string& JobLock::manifest_path() const { return m_state->manifest; }
bool JobLock::is_lost() const { return m_state->lost; }

bool JobLock::is_ours() const {
  if (m_state->lost) return false;
  const std::lock_guard lock(m_state->mutex);  // a sign of life that is half written is nobody's
  return m_state->is_still_ours();
}

Status JobLock::check() const {
  if (is_ours()) return {};
  return failure(ErrorKind::busy, ESTALE, "keep the lock of", manifest_path());
}

Outcome<std::optional<std::string>> look_at_lock(const std::string& manifest_path) {
  const std::string path = manifest_path + ".lock";
  const Fd found(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!found && errno == ENOENT) return std::nullopt;
  if (!found) return errno_error("open", path);
  const auto owner = read_owner(path);
  if (!owner && owner.error().kind == ErrorKind::not_found) return std::nullopt;
  if (!owner) return Failure(owner.error());
  if (!*owner) return std::optional<std::string>("somebody whom " + path + " does not name");
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  const bool can_tell = ::fcntl(*found, F_OFD_GETLK, &lock) == 0;
  const bool is_taken = can_tell && lock.l_type != F_UNLCK;
  const auto is_running = (*owner)->process.is_running();
  const bool is_gone = is_running ? !*is_running : can_tell && (*owner)->is_locked && locks_reach_all_hosts(*found);
  if (!is_taken && is_gone) return std::nullopt;
  return std::optional<std::string>((*owner)->describe());
}

}  // namespace lhsm::store
