// SPDX-License-Identifier: LGPL-2.1-or-later
//
// mpirun -n N bench_dispatch [ITEMS]: how many actions a second go through rank 0 when they cost their
// workers nothing, and how much memory rank 0 needs for one that waits. Lists of 70 items are made up as
// fast as they are read; the other ranks, and a thread of rank 0, answer each job at once.
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <thread>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/comm/mpi_session.hpp"
#include "lhsmtool_mpi/lustre/forwarding_client.hpp"
#include "lhsmtool_mpi/run/dispatcher.hpp"
#include "support/fake_lustre.hpp"

namespace {

using namespace lhsm;
using namespace std::chrono_literals;

constexpr std::uint64_t k_items_per_list = 70;

class MadeUpStream final : public lustre::ActionStream {
 public:
  explicit MadeUpStream(std::uint64_t items) : m_left(items), m_ready(::eventfd(1, EFD_CLOEXEC)) {}
  [[nodiscard]] int poll_fd() const override { return *m_ready; }
  [[nodiscard]] Outcome<std::optional<lustre::ActionList>> receive() override {
    if (m_left == 0) {
      std::uint64_t count = 0;
      if (!m_is_empty && ::read(*m_ready, &count, sizeof count) == sizeof count) m_is_empty = true;
      return std::nullopt;
    }
    lustre::ActionList list;
    list.fsname = "fake";
    for (std::uint64_t i = 0; i < k_items_per_list && m_left > 0; ++i, --m_left) {
      ActionItem item;
      item.kind = ActionKind::archive;
      item.fid = item.dfid = {0x200000400 + m_left / 100'000, static_cast<std::uint32_t>(m_left % 100'000 + 1), 0};
      item.cookie = m_left;
      item.archive_id = 1;
      list.items.push_back(std::move(item));
    }
    return list;
  }
  [[nodiscard]] Status renew() override { return {}; }
  void unregister() override {}

 private:
  std::uint64_t m_left;
  Fd m_ready;
  bool m_is_empty = false;
};

class MadeUpClient final : public lustre::ForwardingClient {
 public:
  MadeUpClient(lustre::Client& inner, std::uint64_t items) : ForwardingClient(inner), m_name("fake"), m_items(items) {}
  [[nodiscard]] const std::string& fsname() const override { return m_name; }
  [[nodiscard]] Outcome<int> mdt_index(const Fid&) override { return 0; }
  [[nodiscard]] Outcome<std::unique_ptr<lustre::ActionStream>> register_copytool(
      const std::vector<std::uint32_t>&) override {
    return std::make_unique<MadeUpStream>(m_items);
  }

 private:
  std::string m_name;
  std::uint64_t m_items;
};

/// Answers, or when `answers` is false lets everything wait until it is told to stop.
void work(comm::Channel& channel, bool answers) {
  comm::Hello hello;
  hello.build = "bench";
  hello.host = "host";
  hello.slots = 4;
  channel.send(0, hello);
  comm::Results held;
  for (;;) {
    const auto envelope = channel.receive(500ms);
    if (!envelope) continue;
    if (std::holds_alternative<comm::Stop>(envelope->message)) break;
    const auto* jobs = std::get_if<comm::Jobs>(&envelope->message);
    if (jobs == nullptr) continue;
    comm::Results results;
    for (const auto& job : jobs->jobs) {
      comm::Result result;
      result.id = job.id;
      result.microseconds = 1;
      if (job.reject_errno != 0) result.disposition = comm::Disposition::failed;
      results.results.push_back(result);
    }
    if (answers || jobs->jobs.front().reject_errno != 0)
      channel.send(0, results);
    else
      held.results.insert(held.results.end(), results.results.begin(), results.results.end());
    // The drain has begun: what was held back is answered, too.
    if (jobs->jobs.front().reject_errno != 0 && !held.results.empty()) channel.send(0, std::exchange(held, {}));
  }
  channel.send(0, comm::Bye{});
}

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

/// Stops the run when all items were ended, or only received, and notes what it cost.
class Watcher final : public run::Observer {
 public:
  Watcher(run::StopRequest& stop, std::uint64_t items, bool ended) : m_stop(stop), m_items(items), m_ended(ended) {}
  void update(const run::RunState& state, TimePoint now) override {
    if (m_begin == TimePoint{}) {
      m_begin = now;
      m_before = resident_bytes();
    }
    if ((m_ended ? state.final() : state.received) < m_items || m_stop.count > 0) return;
    took = std::chrono::duration<double>(now - m_begin).count();
    grown = resident_bytes() - m_before;
    m_stop.count = 1;
  }
  void failed(const ActionItem&, const Error&) override {}
  double took = 0;
  std::uint64_t grown = 0;

 private:
  run::StopRequest& m_stop;
  std::uint64_t m_items;
  bool m_ended;
  TimePoint m_begin{};
  std::uint64_t m_before = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t items = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const bool answers = argc <= 2;  // any second argument: measure the queue
  comm::MpiSession session;
  log::set_up("bench", session.rank(), log::Level::warning);
  if (session.rank() > 0) {
    work(*session.worker_channel(), answers);
  } else {
    auto [channel, local] = session.dispatcher_channel();
    const std::jthread worker([local = local, answers] { work(*local, answers); });
    std::vector<WorkerId> workers(static_cast<std::size_t>(session.size()));
    std::iota(workers.begin(), workers.end(), 0);
    test::FakeLustre lustre;
    MadeUpClient client(lustre, items);
    run::StopRequest stop;
    Watcher watcher(stop, items, answers);
    const RealClock clock;
    run::Dispatcher dispatcher(*channel, workers, "bench", {}, clock, watcher);
    if (!dispatcher.greet(stop)) return 1;
    dispatcher.serve(client, stop);
    dispatcher.dismiss();
    const auto count = static_cast<double>(items);
    if (answers)
      std::printf("%.0f items/s through rank 0, %d ranks\n", count / watcher.took, session.size());
    else
      std::printf("%.0f bytes for each of %.0f queued items\n", static_cast<double>(watcher.grown) / count, count);
  }
  session.finalize();
  return 0;
}
