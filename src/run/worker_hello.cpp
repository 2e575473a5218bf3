// SPDX-License-Identifier: LGPL-2.1-or-later
#include "worker_hello.hpp"

#include <chrono>

namespace lhsm::run {

namespace {

constexpr std::chrono::milliseconds k_patience{500};  // between two looks, while nothing is to be done

}  // namespace

comm::Hello hello_of(const WorkerIdentity& identity, const std::string& file_system) {
  comm::Hello hello;
  identity.likeness.tell(hello);
  hello.host = identity.host;
  hello.slots = identity.slots;
  hello.file_system = file_system;
  return hello;
}

void run_unable_worker(comm::Channel& channel, const WorkerIdentity& identity, const Error& reason) {
  comm::Hello message = hello_of(identity, {});
  message.unable = reason;
  channel.send(0, message);
  for (;;) {
    const auto envelope = channel.receive(k_patience);
    if (envelope && std::holds_alternative<comm::Stop>(envelope->message)) break;
  }
  channel.send(0, comm::Bye{});
}

}  // namespace lhsm::run
