// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/check/worker.hpp"

#include <chrono>

#include "lhsmtool_mpi/base/wall_clock.hpp"
#include "archive_probe.hpp"
#include "mount_checks.hpp"

namespace lhsm::check {

namespace {

using namespace std::chrono_literals;

constexpr Duration k_tick = 50ms;

class Worker {
 public:
  Worker(comm::Channel& channel, const WorkerOptions& options) : m_channel(channel), m_options(options) {}

  void run() {
    comm::Hello hello;
    hello.build = m_options.build;
    hello.host = m_options.host;
    m_channel.send(0, hello);
    for (;;) {
      const auto envelope = m_channel.receive(k_tick);
      if (!envelope) continue;
      if (std::holds_alternative<comm::Stop>(envelope->message)) break;
      if (const auto* const clock = std::get_if<comm::ClockAsked>(&envelope->message))
        m_channel.send(0, comm::ClockTold{clock->id, wall_clock_ns()});
      else if (const auto* const asked = std::get_if<comm::CheckAsked>(&envelope->message))
        asked->makes_probe ? make_probe() : look(*asked);
      else
        throw Fatal("a rank of a check received a message that is not for it");
    }
    m_probe.reset();
    m_channel.send(0, comm::Bye{});
  }

 private:
  void make_probe() {
    comm::CheckFound found;
    auto made = ArchiveProbe::make(m_options.archive_root, m_options.host);
    if (made) {
      found.facts.push_back({"probe", made->name()});
      m_probe.emplace(std::move(*made));
    }
    // Why not, is said by the look that follows.
    m_channel.send(0, found);
  }

  /// Say what was found, and what comes next: should that hang, the dispatcher knows what it was.
  void look(const comm::CheckAsked& asked) {
    MountChecks mount(m_options, asked);
    comm::CheckFound found = mount.look_at_mount();
    found.next = "privileges";
    m_channel.send(0, found);
    found = mount.look_at_privileges();
    found.next = "coordinator";
    m_channel.send(0, found);
    found = mount.look_at_coordinator();
    found.next = "archive";
    m_channel.send(0, found);
    found = look_at_archive(m_options.archive_root, m_options.reads_only, asked);
    m_channel.send(0, found);
  }

  comm::Channel& m_channel;
  const WorkerOptions& m_options;
  std::optional<ArchiveProbe> m_probe;
};

}  // namespace

void run_worker(comm::Channel& channel, const WorkerOptions& options) { Worker(channel, options).run(); }

}  // namespace lhsm::check
