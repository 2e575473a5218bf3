// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The scheduler against workers that do anything at any time. A model of what each worker holds is
// kept beside it, and every promise of scheduler.hpp is looked at after each step.
#include <map>
#include <random>
#include <set>

#include "unit/plan/plan_support.hpp"

namespace lhsm::plan {
namespace {

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed)
      : m_random(seed), m_scheduler({.extent_bytes = k_mib * (1 + pick(4)), .max_batch = 1 + pick(20), .queue_ahead = 20ms}) {
    const std::size_t workers = 1 + pick(6);
    for (std::size_t w = 0; w < workers; ++w) {
      m_slots.push_back(1 + static_cast<std::uint32_t>(pick(4)));
      EXPECT_TRUE(m_scheduler.add_worker(static_cast<WorkerId>(w), m_slots.back(), "host" + std::to_string(pick(3))));
    }
    m_extents.resize(workers);
  }

  void run(int steps) {
    const int drain_at = pick(2) == 0 ? static_cast<int>(pick(static_cast<std::size_t>(steps))) : steps;
    for (int step = 0; step < steps && !::testing::Test::HasFailure(); ++step) {
      if (step == drain_at) {
        m_scheduler.drain(EAGAIN);
        m_drained = true;
      }
      if (m_drained && pick(500) == 0) m_scheduler.stop_running(error_of(EAGAIN));
      random_event();
      carry_out();
      check();
    }
    // No new actions, no cancels: everything must come to its end.
    for (int step = 0; !m_scheduler.idle() && !::testing::Test::HasFailure(); ++step) {
      ASSERT_LT(step, 200000) << "stuck with " << m_scheduler.unfinished() << " actions";
      answer();
      carry_out();
      check();
    }
    EXPECT_EQ(m_scheduler.queued(), 0U);
    EXPECT_EQ(m_ended, m_added);
    EXPECT_TRUE(m_active_files.empty());
    EXPECT_FALSE(m_scheduler.next().has_value());
  }

 private:
  struct Held {
    WorkerId worker;
    enum What { whole, begin, owned, finish } what;
    bool active;                  // given to be carried out, not to be refused
    std::uint64_t size = 0;       // of a striped file
    std::uint64_t bytes_done = 0;
    bool error = false;
  };
  struct Running {
    JobId job;
    Extent extent;
  };

  std::size_t pick(std::size_t below) { return static_cast<std::size_t>(m_random() % below); }

  void random_event() {
    switch (pick(12)) {
      case 0:
      case 1: add(); break;
      case 2: cancel(); break;
      case 3: m_scheduler.report_coverage(); break;
      case 4: foreign_answer(); break;
      case 5: give_back(); break;
      case 6: trouble(); break;
      default: answer(); break;
    }
  }

  void add() {
    constexpr std::array k_kinds = {ActionKind::archive, ActionKind::restore, ActionKind::remove};
    ActionItem item = item_of(k_kinds.at(pick(3)), static_cast<std::uint32_t>(pick(25)), 1 + pick(2000),
                              static_cast<std::int32_t>(pick(2)));
    item.list_flags = pick(2) * 4;
    const std::pair key{item.mdt_index, item.cookie};
    const bool fresh = !m_live_cookies.contains(key);
    const auto precedence = pick(3) == 0 ? Precedence::bulk : Precedence::others;
    ASSERT_EQ(m_scheduler.add(item, pick(20) == 0 ? EINVAL : 0, precedence) != nullptr, fresh);
    if (!fresh) return;
    m_live_cookies.insert(key);
    ++m_added;
  }

  void cancel() {
    const std::int32_t mdt = static_cast<std::int32_t>(pick(2));
    std::uint64_t cookie = 1 + pick(2000);
    if (pick(4) != 0 && !m_live_cookies.empty()) {
      auto it = m_live_cookies.lower_bound({mdt, cookie});
      if (it == m_live_cookies.end()) it = m_live_cookies.begin();
      const auto effect = m_scheduler.cancel(it->first, it->second);
      ASSERT_NE(effect, CancelEffect::unknown_cookie);
      if (effect == CancelEffect::will_be_ended) m_cancelled.insert(*it);
      return;
    }
    ASSERT_EQ(m_scheduler.cancel(mdt, cookie) == CancelEffect::unknown_cookie, !m_live_cookies.contains({mdt, cookie}));
  }

  /// Answers that no worker could give about what it holds.
  void foreign_answer() {
    const auto unfinished = m_scheduler.unfinished();
    const auto queued = m_scheduler.queued();
    const JobId unknown = 1'000'000 + pick(100);
    const auto worker = static_cast<WorkerId>(pick(m_slots.size() + 2)) - 1;
    EXPECT_FALSE(m_scheduler.ended(worker, unknown, 1us));
    EXPECT_FALSE(m_scheduler.extent_done(worker, unknown, {0, k_mib}, std::nullopt));
    m_scheduler.returned(worker, {unknown});
    if (!m_held.empty()) {
      const auto& [job, held] = *std::next(m_held.begin(), static_cast<std::ptrdiff_t>(pick(m_held.size())));
      const WorkerId other = held.worker + 1;
      EXPECT_FALSE(m_scheduler.ended(other, job, 1us));
      EXPECT_FALSE(m_scheduler.found_large(other, job, 5));
      EXPECT_FALSE(m_scheduler.begun(other, job, {}));
      EXPECT_FALSE(m_scheduler.trouble(other, job, error_of(EIO)));
      EXPECT_FALSE(m_scheduler.extent_done(held.worker, job, {1, 1}, std::nullopt));
      if (held.what == Held::owned) { EXPECT_FALSE(m_scheduler.ended(held.worker, job, 1us)); }
      if (held.what != Held::begin) { EXPECT_FALSE(m_scheduler.begun(held.worker, job, {})); }
      if (held.what != Held::whole) { EXPECT_FALSE(m_scheduler.found_large(held.worker, job, 5)); }
    }
    EXPECT_EQ(m_scheduler.unfinished(), unfinished);
    EXPECT_EQ(m_scheduler.queued(), queued);
  }

  void give_back() {
    const auto worker = static_cast<WorkerId>(pick(m_slots.size()));
    std::vector<JobId> back;
    for (const auto& [job, held] : m_held)
      if (held.worker == worker && held.what == Held::whole && held.active && pick(2) == 0) back.push_back(job);
    m_scheduler.returned(worker, back);
    for (const JobId job : back) let_go(job);
  }

  void trouble() {
    for (auto& [job, held] : m_held) {
      if (held.what != Held::owned || pick(3) != 0) continue;
      EXPECT_TRUE(m_scheduler.trouble(held.worker, job, error_of(ECANCELED)));
      held.error = true;
      return;
    }
  }

  /// Some worker answers about something that it holds.
  void answer() {
    const auto worker = pick(m_slots.size());
    if (auto& running = m_extents[worker]; !running.empty() && pick(2) == 0) {
      const std::size_t i = pick(running.size());
      const Running done = running[i];
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(i));
      std::optional<Error> error;
      if (pick(40) == 0) error = error_of(EIO);
      Held& owner = m_held.at(done.job);
      if (error)
        owner.error = true;
      else
        owner.bytes_done += done.extent.length;
      EXPECT_TRUE(m_scheduler.extent_done(static_cast<WorkerId>(worker), done.job, done.extent, error));
      return;
    }
    if (m_held.empty()) return;
    const auto it = std::next(m_held.begin(), static_cast<std::ptrdiff_t>(pick(m_held.size())));
    const JobId job = it->first;
    Held& held = it->second;
    const WorkerId owner = held.worker;
    switch (held.what) {
      case Held::whole:
        if (held.active && pick(4) == 0) {
          EXPECT_TRUE(m_scheduler.found_large(owner, job, pick(64) * k_mib));
          let_go(job);
        } else {
          end(job);
        }
        break;
      case Held::begin:
        if (pick(10) == 0) {
          end(job);
        } else {
          held.what = Held::owned;
          held.size = pick(24 * k_mib);
          EXPECT_TRUE(m_scheduler.begun(owner, job, {fid_of(99), held.size, k_mib, "t"}));
        }
        break;
      case Held::owned: break;  // helpers are at work
      case Held::finish: end(job); break;
    }
  }

  void end(JobId job) {
    const Held held = m_held.at(job);
    const auto item = m_scheduler.ended(held.worker, job, std::chrono::microseconds(pick(5000)));
    ASSERT_TRUE(item.has_value());
    ++m_ended;
    ASSERT_EQ(m_live_cookies.erase({item->mdt_index, item->cookie}), 1U) << "ended twice";
    m_cancelled.erase({item->mdt_index, item->cookie});
    EXPECT_EQ(m_scheduler.find(job), nullptr);
    let_go(job);
  }

  void let_go(JobId job) {
    m_active_files.erase(job);
    m_held.erase(job);
  }

  /// A worker gets the job.
  void hold(WorkerId worker, JobId job, Held::What what) {
    const JobRecord& record = *m_scheduler.find(job);
    const bool active = record.reject_errno == 0;
    if (active) {
      EXPECT_FALSE(m_cancelled.contains({record.item.mdt_index, record.item.cookie})) << "a cancel was forgotten";
      EXPECT_FALSE(m_drained) << "begun while draining";
      for (const auto& [other, fid] : m_active_files) {
        const bool passes = record.item.kind == ActionKind::restore || m_scheduler.find(other)->item.kind == ActionKind::restore;
        EXPECT_TRUE(passes || fid != record.item.fid) << "two actions on one file";
      }
      m_active_files[job] = record.item.fid;
    }
    EXPECT_TRUE(m_held.emplace(job, Held{worker, what, active}).second) << "given twice";
  }

  void carry_out() {
    for (int budget = 10000;; --budget) {
      ASSERT_GT(budget, 0) << "next() never comes to an end";
      const auto command = m_scheduler.next();
      if (!command) return;
      if (const auto* const jobs = std::get_if<GiveJobs>(&*command)) {
        EXPECT_FALSE(jobs->jobs.empty());
        for (const JobId job : jobs->jobs) hold(jobs->worker, job, Held::whole);
      } else if (const auto* const begin = std::get_if<GiveBegin>(&*command)) {
        hold(begin->worker, begin->job, Held::begin);
      } else if (const auto* const extent = std::get_if<GiveExtent>(&*command)) {
        const Held& owner = m_held.at(extent->job);
        EXPECT_EQ(owner.what, Held::owned);
        EXPECT_LE(extent->extent.end(), owner.size);
        auto& running = m_extents.at(static_cast<std::size_t>(extent->worker));
        running.push_back({extent->job, extent->extent});
        EXPECT_LE(running.size(), m_slots.at(static_cast<std::size_t>(extent->worker)));
      } else if (const auto* const finish = std::get_if<GiveFinish>(&*command)) {
        Held& held = m_held.at(finish->job);
        EXPECT_EQ(held.what, Held::owned);
        EXPECT_EQ(held.worker, finish->worker);
        for (const auto& running : m_extents)
          for (const Running& r : running) EXPECT_NE(r.job, finish->job) << "finish while an extent runs";
        if (!finish->error) {
          EXPECT_FALSE(held.error);
          EXPECT_EQ(held.bytes_done, held.size);
        }
        held.what = Held::finish;
      } else if (const auto* const covered = std::get_if<TellCovered>(&*command)) {
        EXPECT_EQ(m_held.at(covered->job).worker, covered->worker);
        EXPECT_FALSE(covered->extents.empty());
      }
    }
  }

  void check() {
    EXPECT_EQ(m_scheduler.unfinished(), m_added - m_ended);
    EXPECT_EQ(m_scheduler.queued(), m_added - m_ended - m_held.size());
    EXPECT_EQ(m_scheduler.idle(), m_added == m_ended);
  }

  std::mt19937_64 m_random;
  Scheduler m_scheduler;
  std::vector<std::uint32_t> m_slots;
  std::vector<std::vector<Running>> m_extents;  // by worker
  std::map<JobId, Held> m_held;
  std::map<JobId, Fid> m_active_files;
  std::set<std::pair<std::int32_t, std::uint64_t>> m_live_cookies;
  std::set<std::pair<std::int32_t, std::uint64_t>> m_cancelled;
  std::size_t m_added = 0;
  std::size_t m_ended = 0;
  bool m_drained = false;
};

TEST(SchedulerSimulationTest, next_keeps_every_promise) {
  const std::uint64_t first = std::random_device{}();
  for (std::uint64_t seed = first; seed < first + 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation(seed).run(3000);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace lhsm::plan
