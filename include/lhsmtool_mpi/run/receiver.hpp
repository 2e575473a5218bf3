// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "lhsmtool_mpi/base/action_item.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"

namespace lhsm::run {

/// The thread that does nothing but take the coordinator's lists. A registered copytool that does
/// not read stalls the coordinators of all MDTs (facts 4.1), so nothing here waits for anybody.
class Receiver {
 public:
  /// Register and begin to receive. `on_arrival` is called in the receiver's thread. Throws Fatal
  /// when the registration is refused.
  Receiver(lustre::Client& client, const std::vector<std::uint32_t>& archive_ids, std::function<void()> on_arrival);
  ~Receiver();
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  /// Read what was sent up to now, and unregister.
  void stop();
  /// Take what has arrived. After stop() it is the last of it.
  [[nodiscard]] std::vector<ActionItem> take();
  /// Why nothing more will arrive, if so.
  [[nodiscard]] std::optional<Error> broken() const;

 private:
  void run();

  lustre::Client& m_client;
  std::function<void()> m_on_arrival;
  std::unique_ptr<lustre::ActionStream> m_stream;
  Fd m_stop;
  mutable std::mutex m_mutex;
  std::vector<ActionItem> m_arrived;
  std::optional<Error> m_broken;
  std::thread m_thread;
};

}  // namespace lhsm::run
