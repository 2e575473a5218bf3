// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace lhsm::emulator {
namespace {

/// Lustre dumps user data into a buffer of 12 characters: five bytes at most.
std::string data_text(const std::string& data) {
  std::string text;
  for (std::size_t i = 0; i < std::min<std::size_t>(data.size(), 5); ++i)
    text += fmt::format("{:02X}", static_cast<unsigned char>(data[i]));
  return text;
}

std::size_t record_length(const Record& record) {
  const std::size_t item = sizeof(abi::hsm_action_item) + record.data.size();
  return 16 + 40 + (item + 7) / 8 * 8 + 8;
}

}  // namespace

std::string_view action_name(std::uint32_t action) {
  switch (action) {
    case abi::HSMA_NONE: return "NOOP";
    case abi::HSMA_ARCHIVE: return "ARCHIVE";
    case abi::HSMA_RESTORE: return "RESTORE";
    case abi::HSMA_REMOVE: return "REMOVE";
    case abi::HSMA_CANCEL: return "CANCEL";
    default: return "UNKNOWN";
  }
}

std::string_view status_name(RecordStatus status) {
  switch (status) {
    case RecordStatus::waiting: return "WAITING";
    case RecordStatus::started: return "STARTED";
    case RecordStatus::failed: return "FAILED";
    case RecordStatus::canceled: return "CANCELED";
    case RecordStatus::succeed: return "SUCCEED";
  }
  return "UNKNOWN";
}

std::string actions_text(const Coordinator& coordinator) {
  std::string text;
  for (const auto& [id, record] : coordinator.log().all()) {
    // The data FID is in the record only as recorded: the file's own.
    const auto fid = record.fid.bracketed();
    const std::uint64_t offset = record.extent.offset;
    const std::uint64_t length = record.extent.length;
    fmt::format_to(std::back_inserter(text),
                   "lrh=[type=10680000 len={} idx={}/{}] fid={} dfid={} compound/cookie=0x0/{:#x} action={} "
                   "archive#={} flags={:#x} extent={:#x}-{:#x} gid=0x0 datalen={} status={} data=[{}]\n",
                   record_length(record), 1 + (id - 1) / 64767, 1 + (id - 1) % 64767, fid, fid, record.cookie,
                   action_name(record.action), record.archive_id, record.flags, offset, length, record.data.size(),
                   status_name(record.status), data_text(record.data));
  }
  return text;
}

std::string active_requests_text(const Coordinator& coordinator) {
  std::vector<std::pair<std::uint64_t, const Running*>> sorted;
  for (const auto& [cookie, running] : coordinator.running()) sorted.emplace_back(cookie, &running);
  std::sort(sorted.begin(), sorted.end());
  std::string text;
  for (const auto& [cookie, running] : sorted) {
    const Record* record = coordinator.log().find(running->record);
    if (record == nullptr) continue;
    const std::uint64_t offset = record->extent.offset;
    const std::uint64_t length = record->extent.length;
    fmt::format_to(std::back_inserter(text),
                   "fid={} dfid={} compound/cookie=0x0/{:#x} action={} archive#={} flags={:#x} extent={:#x}-{:#x} "
                   "gid=0x0 data=[{}] canceled={} uuid={} done={}\n",
                   running->fid.bracketed(), running->dfid.bracketed(), cookie, action_name(running->action),
                   record->archive_id, record->flags, offset, length, data_text(record->data),
                   running->canceled ? 1 : 0, running->agent, running->done.total());
  }
  return text;
}

std::string agents_text(const Coordinator& coordinator) {
  std::string text;
  for (const auto& agent : coordinator.agents().list()) {
    std::string archives;
    for (const auto archive : agent.archives) archives += (archives.empty() ? "" : ",") + std::to_string(archive);
    fmt::format_to(std::back_inserter(text), "uuid={} archive_id={} requests=[current:{} ok:{} errors:{}]\n",
                   agent.uuid, archives.empty() ? "ANY" : archives, agent.current, agent.succeeded, agent.failed);
  }
  return text;
}

std::string_view control_text(Coordinator::State state) {
  switch (state) {
    case Coordinator::State::stopped: return "stopped";
    case Coordinator::State::enabled: return "enabled";
    case Coordinator::State::disabled: return "disabled";
  }
  return "stopped";
}

}  // namespace lhsm::emulator
