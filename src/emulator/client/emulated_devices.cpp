// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/emulated_devices.hpp"

#include <array>
#include <atomic>
#include <cstdlib>

#include "client/mount.hpp"
#include "client/own_io.hpp"

namespace lhsm::emulator {
namespace {

struct Device {
  dev_t device = 0;
  const AttributeNames* names = nullptr;
};
constexpr std::size_t k_devices_max = 32;

// Written under the mutex and read without: an entry never changes once it is counted.
std::array<Device, k_devices_max> g_devices;
std::atomic<std::size_t> g_count{0};
std::atomic<bool> g_environment_was_read{false};
std::mutex g_mutex;

void read_environment() {
  if (g_environment_was_read.load(std::memory_order_acquire)) return;
  const OwnIo own;
  if (const char* path = std::getenv("LHSM_EMULATOR_MOUNT"); path != nullptr && *path != '\0')
    std::ignore = find_mount(std::string(path));  // notes its device
  g_environment_was_read.store(true, std::memory_order_release);
}

}  // namespace

void note_device(dev_t device, const AttributeNames& names) {
  const std::lock_guard lock(g_mutex);
  const auto count = g_count.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < count; ++i)
    if (g_devices[i].device == device && g_devices[i].names->name_space == names.name_space) return;
  if (count == k_devices_max) return;  // reads there are not waited for
  g_devices[count] = {device, &names};
  g_count.store(count + 1, std::memory_order_release);
}

bool any_mount_on(dev_t device, bool (*test)(const AttributeNames& names, int fd), int fd) {
  const auto count = g_count.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < count; ++i)
    if (g_devices[i].device == device && test(*g_devices[i].names, fd)) return true;
  return false;
}

bool is_emulated_device(dev_t device) {
  read_environment();
  return any_mount_on(
      device, [](const AttributeNames&, int) { return true; }, -1);
}

bool only_trusted_names() {
  const auto count = g_count.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < count; ++i)
    if (g_devices[i].names->name_space != "trusted") return false;
  return count > 0;
}

}  // namespace lhsm::emulator
