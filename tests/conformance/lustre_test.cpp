// SPDX-License-Identifier: LGPL-2.1-or-later
#include "conformance/lustre_test.hpp"

#include <poll.h>
#include <sys/wait.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

namespace lhsm::conformance {
namespace {

namespace fs = std::filesystem;

fs::path programs() { return fs::read_symlink("/proc/self/exe").parent_path(); }

std::chrono::seconds patience() {
  const char* factor = std::getenv("LHSM_TEST_PATIENCE");
  return std::chrono::seconds(30 * (factor != nullptr ? std::max(1, std::atoi(factor)) : 1));
}

std::string after(const std::string& line, const std::string& key) {
  const auto at = line.find(key);
  if (at == std::string::npos) return {};
  const auto begin = at + key.size();
  return line.substr(begin, line.find(' ', begin) - begin);
}

}  // namespace

void LustreTest::SetUp() {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  if (const char* real = std::getenv("LHSM_TEST_MOUNT"); real != nullptr) {
    m_emulated = false;
    mount = real;
    set_param("loop_period", "1");
    set_param("max_requests", "1000");
  } else {
    char name[] = "/var/tmp/lhsm_conformance.XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    m_base = name;
    ASSERT_EQ(::chmod(name, 0755), 0) << "ordinary users come in too";
    mount = m_base + "/mnt";
    const auto emulator = (programs() / "lhsm_emulator").native();
    const auto started = shell(emulator + " start " + mount +
                               " --mdt-count 2 --max-requests 1000 --loop-period 1 --time-scale 20"
                               " --active-request-timeout 100000");
    ASSERT_EQ(started.code, 0) << started.text;
    const auto tools = programs().parent_path() / "lib/lhsm_emulator/bin";
    ::setenv("PATH", (tools.native() + ":" + std::getenv("PATH")).c_str(), 1);
    ::setenv("LHSM_EMULATOR_MOUNT", mount.c_str(), 1);
  }
  m_directory = mount + "/conformance." + std::to_string(::getpid());
  ASSERT_TRUE(fs::create_directories(m_directory));
}

void LustreTest::TearDown() {
  if (mount.empty()) return;
  if (action != nullptr) end(EIO);
  unregister_copytool();
  for (const auto& [name, value] : m_params) EXPECT_EQ(shell("lctl set_param -n " + name + "='" + value + "'").code, 0);
  std::error_code ignored;
  fs::remove_all(m_directory, ignored);
  if (!m_emulated) return;
  const auto stopped = shell((programs() / "lhsm_emulator").native() + " stop " + mount);
  EXPECT_EQ(stopped.code, 0) << stopped.text;
  if (!HasFailure()) fs::remove_all(m_base);
}

LustreTest::Output LustreTest::shell(const std::string& command) {
  Output output;
  FILE* pipe = ::popen(("{ " + command + "\n} 2>&1").c_str(), "r");
  if (pipe == nullptr) return output;
  char buffer[4096];
  while (const auto got = ::fread(buffer, 1, sizeof buffer, pipe)) output.text.append(buffer, got);
  const int status = ::pclose(pipe);
  output.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return output;
}

std::string LustreTest::get_param(const std::string& name) {
  auto text = shell("lctl get_param -n mdt.*-MDT0000.hsm." + name).text;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

void LustreTest::set_param(const std::string& name, const std::string& value) {
  const auto full = "mdt.*.hsm." + name;
  auto before = get_param(name);
  if (name == "policy") before = before.find("[NoRetryAction]") != std::string::npos ? "NRA" : "-NRA -NBR";
  m_params.emplace(full, before);
  const auto set = shell("lctl set_param -n " + full + "='" + value + "'");
  ASSERT_EQ(set.code, 0) << set.text;
}

void LustreTest::hsm_control(const std::string& word) {
  const auto set = shell("lctl set_param -n mdt.*.hsm_control=" + word);
  ASSERT_EQ(set.code, 0) << set.text;
}

std::string LustreTest::make(const std::string& name, std::size_t size) {
  std::ofstream(path(name)) << std::string(size, 'a');
  return path(name);
}

lu_fid LustreTest::fid_of(const std::string& path) {
  lu_fid fid{};
  EXPECT_EQ(Llapi::get().path2fid(path.c_str(), &fid), 0) << path;
  return fid;
}

std::string LustreTest::text_of(const lu_fid& fid) {
  char text[64];
  std::snprintf(text, sizeof text, "[0x%llx:0x%x:0x%x]", static_cast<unsigned long long>(fid.f_seq),
                static_cast<unsigned>(fid.f_oid), static_cast<unsigned>(fid.f_ver));
  return text;
}

std::uint32_t LustreTest::state(const std::string& path) {
  hsm_user_state state{};
  EXPECT_EQ(Llapi::get().state_get(path.c_str(), &state), 0) << path;
  return state.hus_states;
}

struct stat LustreTest::stat_of(const std::string& path) {
  struct stat st {};
  EXPECT_EQ(::stat(path.c_str(), &st), 0) << path;
  return st;
}

int LustreTest::submit(std::uint32_t what, const std::vector<lu_fid>& fids, const Options& options) const {
  const std::unique_ptr<hsm_user_request, void (*)(void*)> request(
      api.user_request_alloc(static_cast<int>(fids.size()), static_cast<int>(options.data.size())), &std::free);
  hsm_request head{};
  head.hr_action = what;
  head.hr_archive_id = options.archive_id;
  head.hr_flags = options.flags;
  head.hr_itemcount = static_cast<std::uint32_t>(fids.size());
  head.hr_data_len = static_cast<std::uint32_t>(options.data.size());
  char* at = reinterpret_cast<char*>(request.get());
  std::memcpy(at, &head, sizeof head);
  at += sizeof head;
  for (const auto& fid : fids) {
    const hsm_user_item item{fid, options.extent};
    std::memcpy(at, &item, sizeof item);
    at += sizeof item;
  }
  std::memcpy(at, options.data.data(), options.data.size());
  return api.request(mount.c_str(), request.get());
}

std::vector<ActionLine> LustreTest::actions() {
  std::vector<ActionLine> found;
  std::istringstream lines(shell("lctl get_param mdt.*.hsm.actions").text);
  std::string mdt;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("mdt.")) mdt = line.substr(0, line.find(".hsm."));
    if (line.find("lrh=[") == std::string::npos) continue;
    ActionLine one{mdt, after(line, " fid="), after(line, "action="), after(line, "status="), 0, 0};
    one.cookie = std::strtoull(after(line, "compound/cookie=0x0/").c_str(), nullptr, 16);
    one.archive_id = static_cast<std::uint32_t>(std::strtoul(after(line, "archive#=").c_str(), nullptr, 10));
    found.push_back(one);
  }
  return found;
}

std::vector<ActionLine> LustreTest::actions_of(const lu_fid& fid) {
  auto all = actions();
  std::erase_if(all, [text = text_of(fid)](const ActionLine& line) { return line.fid != text; });
  return all;
}

::testing::AssertionResult LustreTest::ends_as(const lu_fid& fid, const std::string& action_name,
                                               const std::string& status) {
  std::string last = "no record";
  const bool reached = comes_true([&] {
    for (const auto& line : actions_of(fid))
      if (line.action == action_name) last = line.status;
    return last == status;
  });
  if (reached) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << action_name << " of " << text_of(fid) << ": " << last;
}

bool LustreTest::comes_true(const std::function<bool()>& is_true) {
  for (const auto until = std::chrono::steady_clock::now() + patience(); std::chrono::steady_clock::now() < until;) {
    if (is_true()) return true;
    ::usleep(20'000);  // nothing tells of a change in the coordinator
  }
  return false;
}

void LustreTest::register_copytool(std::vector<int> archives) {
  ASSERT_EQ(api.copytool_register(&ct, mount.c_str(), static_cast<int>(archives.size()),
                                  archives.empty() ? nullptr : archives.data(), O_NONBLOCK),
            0);
}

void LustreTest::unregister_copytool() {
  if (ct == nullptr) return;
  EXPECT_EQ(api.copytool_unregister(&ct), 0);
  EXPECT_EQ(ct, nullptr);
}

std::optional<Received> LustreTest::receive(hsm_copytool_private* from) {
  if (from == nullptr) from = ct;
  hsm_action_list* list = nullptr;
  Received received;
  pollfd ready{api.copytool_get_fd(from), POLLIN, 0};
  const auto limit = static_cast<int>(std::chrono::milliseconds(patience()).count());
  if (::poll(&ready, 1, limit) != 1 || api.copytool_recv(from, &list, &received.bytes) != 0) return std::nullopt;
  received.buffer = list;
  const char* at = reinterpret_cast<const char*>(list + 1);
  received.fsname = at;
  at += (received.fsname.size() + 8) / 8 * 8;
  for (std::uint32_t i = 0; i < list->hal_count; ++i) {
    Item item;
    item.archive_id = list->hal_archive_id;
    item.flags = list->hal_flags;
    std::memcpy(static_cast<void*>(&item.head), at, sizeof item.head);
    item.data.assign(at + sizeof item.head, item.head.hai_len - sizeof item.head);
    received.items.push_back(item);
    at += (item.head.hai_len + 7) / 8 * 8;
  }
  EXPECT_LE(at - reinterpret_cast<const char*>(list), received.bytes);
  return received;
}

Item LustreTest::receive_one() {
  if (m_received.empty()) {
    const auto list = receive();
    EXPECT_TRUE(list.has_value()) << "nothing received";
    if (!list) return {};
    m_received = list->items;
  }
  const auto item = m_received.front();
  m_received.erase(m_received.begin());
  return item;
}

int LustreTest::begin(const Item& item, int mdt, int flags) {
  return api.action_begin(&action, ct, &item.head, mdt, flags, false);
}

int LustreTest::progress(std::uint64_t offset, std::uint64_t length, int flags) {
  const hsm_extent extent{offset, length};
  return api.action_progress(action, &extent, 0, flags);
}

int LustreTest::end(int error, hsm_extent extent, int flags) { return api.action_end(&action, &extent, flags, error); }

void LustreTest::archive(const std::string& path) {
  ASSERT_EQ(submit(HUA_ARCHIVE, path), 0);
  if (ct == nullptr) register_copytool();
  const auto item = receive_one();
  ASSERT_EQ(begin(item), 0);
  ASSERT_EQ(end(), 0);
  ASSERT_EQ(state(path) & k_archived, k_archived);
}

void LustreTest::archive_and_release(const std::string& path) {
  archive(path);
  ASSERT_EQ(submit(HUA_RELEASE, path), 0);
  ASSERT_EQ(state(path), k_released);
}

int LustreTest::restore(const std::string& path, std::size_t size) {
  const auto item = receive_one();
  EXPECT_EQ(begin(item, mdt_of(fid_of(path))), 0);
  const Fd data(api.action_get_fd(action));
  const std::string bytes(size, 'a');
  EXPECT_EQ(::pwrite(*data, bytes.data(), size, 0), static_cast<ssize_t>(size));
  return end();
}

int LustreTest::mdt_of(const lu_fid& fid) const {
  const Fd root(::open(mount.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  int index = -1;
  EXPECT_GE(api.get_mdt_index_by_fid(*root, &fid, &index), 0);
  return index;
}

int LustreTest::in_child(const std::function<int()>& run) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(run());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

}  // namespace lhsm::conformance
