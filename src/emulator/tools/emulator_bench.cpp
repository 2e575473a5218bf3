// SPDX-License-Identifier: LGPL-2.1-or-later
//
// lhsm_emulator_bench DIR [FILES [THREADS]]: how many short actions a second go through one daemon.
// Archives FILES empty files: requests in lists of 50, one receiver, THREADS times begin and end,
// all in this one process through liblustreapi. Then releases and restores them. Start the emulator with
// a high --max-requests and a --time-scale of 1000, or its one-second tick is what is measured.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tools/copytool_calls.hpp"
#include "tools/lfs_commands.hpp"

namespace {

using namespace lhsm::abi;
using Clock = std::chrono::steady_clock;

constexpr int k_items_per_request = 50;

void check(int rc, const char* what) {
  if (rc >= 0) return;
  std::fprintf(stderr, "lhsm_emulator_bench: %s: %s\n", what, std::strerror(-rc));
  std::exit(1);
}

/// Items on their way from the receiver to the workers.
class Queue {
 public:
  void push(const std::vector<hsm_action_item>& items) {
    const std::lock_guard lock(m_mutex);
    m_items.insert(m_items.end(), items.begin(), items.end());
    m_ready.notify_all();
  }
  void close() {
    const std::lock_guard lock(m_mutex);
    m_closed = true;
    m_ready.notify_all();
  }
  bool pop(hsm_action_item& item) {
    std::unique_lock lock(m_mutex);
    m_ready.wait(lock, [this] { return m_closed || !m_items.empty(); });
    if (m_items.empty()) return false;
    item = m_items.front();
    m_items.pop_front();
    return true;
  }

 private:
  std::mutex m_mutex;
  std::condition_variable m_ready;
  std::deque<hsm_action_item> m_items;
  bool m_closed = false;
};

void receive(hsm_copytool_private* ct, std::size_t count, Queue& queue) {
  for (std::size_t received = 0; received < count;) {
    hsm_action_list* list = nullptr;
    int size = 0;
    check(llapi_hsm_copytool_recv(ct, &list, &size), "recv");
    const auto* at = reinterpret_cast<const char*>(list + 1);
    at += (std::strlen(at) + 8) / 8 * 8;
    std::vector<hsm_action_item> items(list->hal_count);
    for (auto& item : items) {
      std::memcpy(static_cast<void*>(&item), at, sizeof item);
      at += (item.hai_len + 7U) / 8U * 8U;
    }
    received += items.size();
    queue.push(items);
  }
  queue.close();
}

void send_all(const std::string& mount, const std::vector<lu_fid>& fids, std::uint32_t action) {
  for (std::size_t first = 0; first < fids.size(); first += k_items_per_request) {
    const auto count = std::min<std::size_t>(k_items_per_request, fids.size() - first);
    const std::unique_ptr<hsm_user_request, void (*)(void*)> request(
        llapi_hsm_user_request_alloc(static_cast<int>(count), 0), &std::free);
    hsm_request head{};
    head.hr_action = action;
    head.hr_itemcount = static_cast<std::uint32_t>(count);
    char* at = reinterpret_cast<char*>(request.get());
    std::memcpy(at, &head, sizeof head);
    for (std::size_t i = 0; i < count; ++i) {
      hsm_user_item item{fids[first + i], {0, k_whole_file}};
      std::memcpy(at + sizeof head + i * sizeof item, &item, sizeof item);
    }
    check(llapi_hsm_request(mount.c_str(), request.get()), "request");
  }
}

/// CPU seconds that a process has used so far, 0 if it cannot be read.
double cpu_seconds(const std::string& pid) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(("/proc/" + pid + "/stat").c_str(), "r"), &std::fclose);
  unsigned long user = 0;
  unsigned long system = 0;
  if (!file ||
      std::fscanf(file.get(), "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
    return 0;
  return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::string daemon_pid(const std::string& mount) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen((mount + "/.lustre/lock").c_str(), "r"), &std::fclose);
  long pid = 0;
  if (!file || std::fscanf(file.get(), "%ld", &pid) != 1) return "self";
  return std::to_string(pid);
}

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

void run_actions(const std::string& mount, const std::vector<lu_fid>& fids, std::uint32_t action, unsigned threads,
                 const char* name) {
  hsm_copytool_private* ct = nullptr;
  check(llapi_hsm_copytool_register(&ct, mount.c_str(), 0, nullptr, 0), "register");
  Queue queue;
  const auto daemon = daemon_pid(mount);
  const double daemon_before = cpu_seconds(daemon);
  const double own_before = cpu_seconds("self");
  const auto begin = Clock::now();
  std::thread receiver([&] { receive(ct, fids.size(), queue); });
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < threads; ++i)
    workers.emplace_back([&] {
      for (hsm_action_item item{}; queue.pop(item);) {
        hsm_copyaction_private* handle = nullptr;
        check(llapi_hsm_action_begin(&handle, ct, &item, 0, O_LOV_DELAY_CREATE, false), "begin");
        const hsm_extent whole{0, k_whole_file};
        check(llapi_hsm_action_end(&handle, &whole, 0, 0), "end");
      }
    });
  send_all(mount, fids, action);
  const double submitted = seconds_since(begin);
  for (auto& worker : workers) worker.join();
  receiver.join();
  const double total = seconds_since(begin);
  const auto count = static_cast<double>(fids.size());
  std::printf(
      "%s: %zu actions in %.3f s (requests sent after %.3f s): %.0f actions/s; CPU per action: daemon %.1f us, "
      "this program %.1f us\n",
      name, fids.size(), total, submitted, count / total, (cpu_seconds(daemon) - daemon_before) / count * 1e6,
      (cpu_seconds("self") - own_before) / count * 1e6);
  check(llapi_hsm_copytool_unregister(&ct), "unregister");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: lhsm_emulator_bench DIR [FILES [THREADS]]\n");
    return 2;
  }
  const std::string mount = argv[1];
  const std::size_t files = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 50000;
  const auto threads = static_cast<unsigned>(argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 4);
  std::vector<lu_fid> fids(files);
  const auto begin = Clock::now();
  std::string directory;
  for (std::size_t i = 0; i < files; ++i) {
    if (i % 1000 == 0) {
      directory = mount + "/bench." + std::to_string(::getpid()) + "." + std::to_string(i / 1000);
      check(::mkdir(directory.c_str(), 0777) == 0 ? 0 : -errno, "mkdir");
    }
    const auto path = directory + "/" + std::to_string(i);
    const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
    check(fd >= 0 ? 0 : -errno, "create");
    ::close(fd);
    check(llapi_path2fid(path.c_str(), &fids[i]), "path2fid");
  }
  std::printf("%zu files made, FIDs given: %.3f s\n", files, seconds_since(begin));
  run_actions(mount, fids, HUA_ARCHIVE, threads, "archive");
  const auto release = Clock::now();
  send_all(mount, fids, HUA_RELEASE);
  std::printf("release: %.0f files/s\n", static_cast<double>(files) / seconds_since(release));
  run_actions(mount, fids, HUA_RESTORE, threads, "restore");
  return 0;
}
