// SPDX-License-Identifier: LGPL-2.1-or-later
//
// A coordinator between files and copytools that are made up, with a clock that the test moves.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "core/coordinator.hpp"
#include "core/text.hpp"

namespace lhsm::emulator {

using namespace std::chrono_literals;
using abi::HS_ARCHIVED;
using abi::HS_DIRTY;
using abi::HS_EXISTS;
using abi::HS_LOST;
using abi::HS_NOARCHIVE;
using abi::HS_RELEASED;

class FakeFiles final : public Files {
 public:
  Outcome<FileView> view(const Fid& fid) override {
    const auto it = files.find(fid);
    if (it == files.end()) return errno_error("open", fid.bracketed(), ENOENT);
    return it->second;
  }
  Status set_hsm(const Fid& fid, const HsmState& state) override {
    files[fid].hsm = state;
    return {};
  }
  std::map<Fid, FileView> files;
};

struct Sent {
  std::string agent;
  std::uint32_t archive_id;
  std::vector<abi::hsm_action_item> items;
  std::size_t bytes;
};

class FakeLink final : public AgentLink {
 public:
  bool deliver(const std::string& agent, const std::string& message) override {
    if (dead) return false;
    Sent list{agent, 0, {}, message.size() - sizeof(abi::kuc_hdr)};
    abi::hsm_action_list head{};
    const char* at = message.data() + sizeof(abi::kuc_hdr);
    std::memcpy(static_cast<void*>(&head), at, sizeof head);
    list.archive_id = head.hal_archive_id;
    at += sizeof head;
    at += (std::strlen(at) + 8) / 8 * 8;
    for (std::uint32_t i = 0; i < head.hal_count; ++i) {
      abi::hsm_action_item item{};
      std::memcpy(static_cast<void*>(&item), at, sizeof item);
      list.items.push_back(item);
      at += (item.hai_len + 7U) / 8U * 8U;
    }
    EXPECT_EQ(at, message.data() + message.size());
    sent.push_back(list);
    return true;
  }
  [[nodiscard]] std::size_t items() const {
    std::size_t count = 0;
    for (const auto& list : sent) count += list.items.size();
    return count;
  }
  std::vector<Sent> sent;
  bool dead = false;
};

class CoordinatorTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t k_first_cookie = 1000;
  FakeFiles files;
  FakeLink link;
  TimePoint now{};
  Coordinator mdt{"lustre", files, link, k_first_cookie, now};
  const Caller root{0, {}, true};

  static Fid fid(std::uint32_t oid) { return {0x200000401, oid, 0}; }
  void make(std::uint32_t oid, std::uint32_t flags = 0) {
    files.files[fid(oid)].hsm = {flags, flags != 0 ? 1U : 0U, 7};
  }
  int ask(std::uint32_t action, std::vector<std::uint32_t> oids, std::uint32_t archive = 0, std::string data = {}) {
    Request request;
    request.action = action;
    request.archive_id = archive;
    request.data = std::move(data);
    for (const auto oid : oids) request.items.push_back({fid(oid)});
    return mdt.submit(request, root, now);
  }
  int end(std::uint64_t cookie, std::uint32_t oid, int errval = 0, std::uint16_t flags = 0) {
    ProgressReport report;
    report.fid = fid(oid);
    report.cookie = cookie;
    report.flags = static_cast<std::uint16_t>(flags | abi::HP_FLAG_COMPLETED);
    report.errval = static_cast<std::uint16_t>(errval);
    report.data_version = 77;
    swap.reset();
    return mdt.progress(report, now, swap);
  }
  int keep_alive(std::uint64_t cookie, const Fid& file) {
    ProgressReport report;
    report.fid = file;
    report.cookie = cookie;
    return mdt.progress(report, now, swap);
  }
  void pass(Duration time) {
    const auto until = now + time;
    while (now < until) {
      now += 100ms;
      mdt.tick(now);
    }
  }
  std::string status_of(std::uint64_t cookie, std::uint32_t action) {
    for (const auto& [id, record] : mdt.log().all())
      if (record.cookie == cookie && record.action == action) return std::string(status_name(record.status));
    return "none";
  }
  std::optional<Swap> swap;
};

}  // namespace lhsm::emulator
