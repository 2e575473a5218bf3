// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <utility>

#include "lhsmtool_mpi/run/slot_pool.hpp"
#include "lhsmtool_mpi/run/worker.hpp"
#include "outbox.hpp"

namespace lhsm::run {

constexpr std::size_t k_rpc_threads = 6;   // a client has 7 slots for RPCs that change something on an MDT (facts 8)
constexpr std::size_t k_no_buffer = 4096;  // a pool that copies nothing allocates none

/// The threads of a rank that ask the coordinator, where the run is a job's.
class FileAskers {
 public:
  /// `ask` may be empty.
  FileAskers(AskHandler ask, Outbox& outbox)
      : m_ask(std::move(ask)), m_outbox(outbox), m_threads(m_ask ? k_rpc_threads : 0, k_no_buffer, [] {}) {}

  void add(const comm::AskFiles& files) {
    if (!m_ask) throw Fatal("a worker was told to ask for files, and no job runs");
    m_threads.add({0, false, [this, files](copy::Engine&) { m_outbox.post(m_ask(files)); }, {}});
  }

 private:
  AskHandler m_ask;
  Outbox& m_outbox;
  SlotPool m_threads;
};

}  // namespace lhsm::run
