// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "lhsmtool_mpi/base/action_item.hpp"
#include "lhsmtool_mpi/base/clock.hpp"
#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/lustre/client.hpp"

namespace lhsm::run {

/// How a registration is kept. A coordinator that is restarted forgets its copytools and does not tell them.
struct RegistrationOptions {
  std::chrono::milliseconds renew_interval{60'000};  ///< renewed when nothing came for so long
  std::chrono::milliseconds least_interval{2'000};   ///< between two renewals, whatever is reported
  std::chrono::milliseconds first_delay{1'000};      ///< until the next try after a failure; doubles
  std::chrono::milliseconds longest_delay{30'000};
};

/// An item as it came, and why it must not be carried out, if so.
struct Arrival {
  ActionItem item;
  int reject_errno = 0;
};

/// The registration as copytool, and what arrives by it. Two threads: the reader does nothing but take
/// the coordinator's lists, since a registered copytool that does not read stalls the coordinators of
/// all MDTs (facts 4.1); the registrar registers, registers again, and unregisters, which may wait for an MDT.
class Receiver {
 public:
  /// Begin to register and to receive. `on_arrival` is called in the receiver's threads.
  Receiver(lustre::Client& client, std::vector<std::uint32_t> archive_ids, RegistrationOptions options,
           std::function<void()> on_arrival);
  ~Receiver();  ///< stops, and waits for it
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  /// A coordinator does not know what it gave us: register anew, soon. Any thread.
  void doubt();
  /// Let the receiver unregister, and read what was sent up to then. Waits for nobody: an MDT that is down may
  /// let it last.
  void request_stop();
  /// Whether nothing will arrive any more: what take() returns after this is the last of it.
  [[nodiscard]] bool stopped() const;
  /// Take what has arrived.
  [[nodiscard]] std::vector<Arrival> take();
  /// Why the first registration was refused for good, if so. A coordinator that does not run is waited for.
  [[nodiscard]] std::optional<Error> refused() const;

 private:
  void stay_registered();
  void wind_up();
  Status register_once();
  void wait_until_due(std::unique_lock<std::mutex>& lock);
  void read();
  bool read_lists();
  void take_list(lustre::ActionList list);

  lustre::Client& m_client;
  std::vector<std::uint32_t> m_archive_ids;
  RegistrationOptions m_options;
  std::function<void()> m_on_arrival;
  std::unique_ptr<lustre::ActionStream> m_stream;  // made by the registrar before there is a reader
  Fd m_stop_reading;
  bool m_is_broken = false;  // the reader's: said once

  mutable std::mutex m_mutex;
  std::condition_variable m_changed;
  std::vector<Arrival> m_arrived;
  std::optional<Error> m_refused;
  TimePoint m_last_heard;
  TimePoint m_registered_at;
  bool m_in_doubt = false;
  bool m_stopping = false;
  bool m_stopped = false;
  std::uint64_t m_tries = 0;  // to register

  std::thread m_reader;
  std::thread m_registrar;
};

}  // namespace lhsm::run
