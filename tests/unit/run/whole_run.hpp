// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A whole run in one process: a dispatcher and some workers, each in a thread, over loopback channels,
// on a FakeLustre and a real archive in a temporary directory.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <numeric>
#include <thread>

#include "lhsmtool_mpi/archive/posix_backend.hpp"
#include "lhsmtool_mpi/base/size.hpp"
#include "lhsmtool_mpi/comm/loopback.hpp"
#include "lhsmtool_mpi/run/dispatcher.hpp"
#include "lhsmtool_mpi/run/worker.hpp"
#include "support/fake_lustre.hpp"
#include "support/memory_bytes.hpp"

namespace lhsm::run {

using namespace std::chrono_literals;
using test::Call;
using test::FakeLustre;
using test::pattern;

class RecordingObserver final : public Observer {
 public:
  void update(const RunState& state, TimePoint) override {
    const std::lock_guard lock(m_mutex);
    m_last = state;
    m_changed.notify_all();
  }
  /// Wait until the dispatcher knows that so many actions are final.
  [[nodiscard]] bool wait_for_final(std::uint64_t count) {
    std::unique_lock lock(m_mutex);
    return m_changed.wait_for(lock, 30s, [&] { return m_last.final() == count; });
  }
  void failed(const ActionItem& item, const Error& error) override {
    const std::lock_guard lock(m_mutex);
    m_failures.emplace_back(item, error);
  }
  [[nodiscard]] RunState last() const {
    const std::lock_guard lock(m_mutex);
    return m_last;
  }
  [[nodiscard]] std::vector<std::pair<ActionItem, Error>> failures() const {
    const std::lock_guard lock(m_mutex);
    return m_failures;
  }

 private:
  mutable std::mutex m_mutex;
  std::condition_variable m_changed;
  RunState m_last;
  std::vector<std::pair<ActionItem, Error>> m_failures;
};

/// A gate at which calls wait until it is opened, and on whose arrival a test can wait. It opens by
/// itself after half a minute, so that a failing test ends.
class Gate {
 public:
  int pass() {
    std::unique_lock lock(m_mutex);
    ++m_waiting;
    m_changed.notify_all();
    m_changed.wait_for(lock, 120s, [this] { return m_open; });
    return 0;
  }
  [[nodiscard]] bool wait_for_arrivals(int count) {
    std::unique_lock lock(m_mutex);
    return m_changed.wait_for(lock, 120s, [&] { return m_waiting >= count; });
  }
  void open() {
    const std::lock_guard lock(m_mutex);
    m_open = true;
    m_changed.notify_all();
  }

 private:
  std::mutex m_mutex;
  std::condition_variable m_changed;
  int m_waiting = 0;
  bool m_open = false;
};

class WholeRunTest : public ::testing::Test {
 protected:
  WholeRunTest() {
    archive::PosixOptions archive;
    archive.root = m_archive.str();
    auto backend = archive::open_posix_backend(archive);
    if (!backend) throw Fatal(backend.error());
    m_backend = std::move(*backend);
    m_options.buffer_bytes = 256 * 1024;
    m_options.stripe_threshold = 4 * k_MiB;
    m_options.update_interval = 20ms;
    m_dispatcher_options.update_interval = 20ms;
    m_dispatcher_options.scheduler.extent_bytes = k_MiB;
  }
  ~WholeRunTest() override {
    if (m_dispatcher_thread.joinable()) stop();
    EXPECT_EQ(m_lustre.violations(), std::vector<std::string>{});
    EXPECT_EQ(m_lustre.volatiles(), 0U) << "a volatile is left behind";
    EXPECT_EQ(temporaries(), std::set<std::string>{}) << "left behind in the archive";
    for (const auto& [key, record] : m_lustre.records()) {
      EXPECT_LE(record.ends.size(), 1U) << record.item.describe();
    }
  }

  /// What workers ask for files with; empty: they do not.
  virtual AskHandler ask_handler() { return {}; }
  /// Who watches the next run.
  virtual Observer& observer() { return m_observer; }

  void start(int workers, std::uint32_t slots = 2) {
    m_hub = std::make_unique<comm::LoopbackHub>(workers);
    std::vector<WorkerId> ids(static_cast<std::size_t>(workers));
    std::iota(ids.begin(), ids.end(), 0);
    for (const WorkerId id : ids) {
      m_worker_threads.emplace_back([this, id, slots] {
        run_worker(m_hub->worker(id), {"build", "host" + std::to_string(id), slots}, m_lustre, *m_backend, m_options,
                   ask_handler());
      });
    }
    m_dispatcher = std::make_unique<Dispatcher>(*m_hub, ids, "build", m_dispatcher_options, m_clock, observer());
    m_dispatcher_thread = std::jthread([this] {
      try {
        ASSERT_TRUE(m_dispatcher->greet({}));
        m_dispatcher->serve(m_lustre, m_stop);
      } catch (const Fatal& error) {
        m_fatal = error.what();
      }
      m_dispatcher->dismiss();
    });
  }
  void request_stop() {
    ++m_stop.count;
    m_hub->wake();
  }
  /// Stop in good order and wait for all threads.
  void stop() {
    request_stop();
    join();
  }
  void join() {
    m_dispatcher_thread.join();
    m_worker_threads.clear();
  }
  const RunState& state() { return m_dispatcher->state(); }

  /// Send and wait until all are ended; return the items.
  std::vector<ActionItem> carry_out(ActionKind kind, const std::vector<Fid>& fids) {
    auto items = m_lustre.send(kind, fids);
    EXPECT_TRUE(m_lustre.wait_for_end_of(items)) << "not all were ended";
    return items;
  }
  /// Start two workers and the ARCHIVE of a striped file of 12 extents, of which as many as `extents` stand at
  /// m_gate. Opened before are the file's size, and its begin.
  ActionItem start_striped_at_gate(int extents = 2) {
    m_striped = m_lustre.make_file(m_striped_content);
    m_lustre.before(Call::open_by_fid, [this](const Fid&) { return ++m_opened > 2 ? m_gate.pass() : 0; });
    start(2);
    const auto items = m_lustre.send(ActionKind::archive, {m_striped});
    EXPECT_TRUE(m_gate.wait_for_arrivals(extents));
    return items.front();
  }
  [[nodiscard]] int result(const ActionItem& item) const { return m_lustre.record(item).result; }
  [[nodiscard]] std::filesystem::path object(const Fid& fid) const {
    return m_archive / archive::object_path(archive::TreeFormat::v1, fid);
  }
  void make_object(const Fid& fid, const std::string& content) { test::write_file(object(fid), content); }
  /// Files of the archive that are no object, layout or shadow link.
  [[nodiscard]] std::set<std::string> temporaries() const {
    std::set<std::string> found;
    for (const std::string& name : test::files_below(m_archive.path())) {
      std::string last = std::filesystem::path(name).filename();
      if (last.ends_with(".lov")) last.resize(last.size() - 4);
      if (!name.starts_with("shadow/") && !name.starts_with(".lhsmtool_mpi/") && !Fid::parse(last)) found.insert(name);
    }
    return found;
  }

  Gate m_gate;
  std::atomic<int> m_opened = 0;  // calls of open_by_fid, of start_striped_at_gate()
  std::string m_striped_content = pattern(12 * k_MiB);
  Fid m_striped;
  FakeLustre m_lustre;
  test::TempDir m_archive;
  std::unique_ptr<archive::Backend> m_backend;
  CopyOptions m_options;
  DispatcherOptions m_dispatcher_options;
  RealClock m_clock;
  RecordingObserver m_observer;
  StopRequest m_stop;
  std::string m_fatal;
  std::unique_ptr<comm::LoopbackHub> m_hub;
  std::unique_ptr<Dispatcher> m_dispatcher;
  std::vector<std::jthread> m_worker_threads;
  std::jthread m_dispatcher_thread;
};

}  // namespace lhsm::run
