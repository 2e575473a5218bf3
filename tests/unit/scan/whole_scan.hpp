// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A whole scan inside one process: some ranks over a LoopbackHub, each with a client of its own that counts what it is
// asked, all on one FakeLustre.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "lhsmtool_mpi/comm/loopback.hpp"
#include "lhsmtool_mpi/lustre/forwarding_client.hpp"
#include "lhsmtool_mpi/scan/dispatcher.hpp"
#include "lhsmtool_mpi/scan/worker.hpp"
#include "support/fake_lustre.hpp"

namespace lhsm::test {

/// Lets those that arrive go on once all have arrived.
class Rendezvous {
 public:
  explicit Rendezvous(std::size_t all) : m_missing(all), m_arrived(all, false) {}
  /// Return whether all were there within two minutes.
  bool wait(std::size_t who) {
    std::unique_lock lock(m_mutex);
    if (!m_arrived[who]) {
      m_arrived[who] = true;
      --m_missing;
      m_changed.notify_all();
    }
    return m_changed.wait_for(lock, std::chrono::seconds(120), [this] { return m_missing == 0; });
  }

 private:
  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::size_t m_missing;
  std::vector<bool> m_arrived;
};

class CountingClient final : public lustre::ForwardingClient {
 public:
  using ForwardingClient::ForwardingClient;
  [[nodiscard]] Outcome<lustre::FileFacts> describe_file(int directory, const std::string& name, lustre::KnownKind kind,
                                                         lustre::FactsFrom from) override {
    ++described;
    if (from != lustre::FactsFrom::servers) ++described_by_xattrs;
    if (from == lustre::FactsFrom::xattrs_of_released) ++described_if_released;
    if (before_describe) before_describe();
    auto facts = ForwardingClient::describe_file(directory, name, kind, from);
    if (facts && from == lustre::FactsFrom::xattrs_of_released) {
      facts->hsm_state = abi::HS_RELEASED;
      facts->is_known_not_released = knows_not_released;
    }
    return facts;
  }

  std::atomic<int> described = 0;
  std::atomic<int> described_by_xattrs = 0;
  std::atomic<int> described_if_released = 0;
  bool knows_not_released = false;
  std::function<void()> before_describe;
};

class CollectingSink final : public scan::RowSink {
 public:
  Status add(std::string_view block) override {
    if (before_add)
      if (const Status may = before_add(); !may) return may;
    return scan::for_each_row(block, [this](const scan::Row& row) { rows.push_back(row); });
  }

  std::vector<scan::Row> rows;
  std::function<Status()> before_add;
};

class CollectingObserver final : public scan::ScanObserver {
 public:
  void update(const scan::ScanTotals&, TimePoint) override {}
  void problem(const Error& error) override { problems.push_back(error); }
  void failed_names(std::string_view some) override { names += some; }
  std::vector<Error> problems;
  std::string names;
};

class WholeScan : public ::testing::Test {
 protected:
  std::filesystem::path mount() const { return m_lustre.mount_point(); }
  void make(const std::string& path, const std::string& content = "x") const { write_file(mount() / path, content); }

  static comm::ScanTask task(const std::string& path) {
    return {comm::ScanTaskKind::directories, "", path + '\0', 1};
  }

  /// Go through all that is in the mount, or a list, on so many ranks.
  bool scan(int ranks, const std::string* list = nullptr) {
    comm::LoopbackHub hub(ranks);
    std::vector<std::jthread> threads;
    m_clients.clear();
    for (int i = 0; i < ranks; ++i) {
      m_clients.push_back(std::make_unique<CountingClient>(m_lustre));
      if (m_prepare) m_prepare(static_cast<std::size_t>(i), *m_clients.back());
    }
    for (int i = 0; i < ranks; ++i)
      threads.emplace_back([this, &hub, i] {
        scan::run_worker(hub.worker(i), {"build", "host"}, *m_clients[static_cast<std::size_t>(i)], m_options);
      });
    scan::Dispatcher dispatcher(hub, ranks, "build", m_sink, m_observer);
    m_dispatcher = &dispatcher;
    bool is_complete = false;
    try {
      dispatcher.greet();
      if (list == nullptr) {
        is_complete = dispatcher.run({task("")}, nullptr);
      } else {
        write_file(m_lustre.dir() / "list", *list);
        scan::ListFeeder feeder(Fd(::open((m_lustre.dir() / "list").c_str(), O_RDONLY | O_CLOEXEC)), m_separator,
                                mount().string(), [&hub] { hub.wake(); });
        is_complete = dispatcher.run({}, &feeder);
      }
    } catch (const Fatal& error) {
      m_fatal = error.what();
    }
    EXPECT_TRUE(dispatcher.dismiss());
    m_totals = dispatcher.totals();
    m_dispatcher = nullptr;
    return is_complete;
  }

  /// The paths that were found, each as often as it was.
  std::multiset<std::string> found() const {
    std::multiset<std::string> paths;
    for (const scan::Row& row : m_sink.rows) paths.insert(row.path);
    return paths;
  }

  FakeLustre m_lustre;
  scan::ScanOptions m_options{{}, 2, 64};
  CollectingSink m_sink;
  CollectingObserver m_observer;
  std::function<void(std::size_t, CountingClient&)> m_prepare;
  std::vector<std::unique_ptr<CountingClient>> m_clients;
  std::atomic<scan::Dispatcher*> m_dispatcher = nullptr;
  scan::ScanTotals m_totals;
  char m_separator = '\n';
  std::string m_fatal;
};

}  // namespace lhsm::test
