// SPDX-License-Identifier: LGPL-2.1-or-later
//
// cluster_probe MOUNT: a process of a client (LHSM_EMULATOR_NODE says which), that does what it is told by
// lines on stdin, and answers each with a line: a result, an errno, or what is named below.
//   open PATH r|w|n      open a file; n: for writing, O_NONBLOCK
//   openfid FID          open for writing by FID
//   again                open file := a second descriptor of the file that is open
//   close | lock GROUP | unlock GROUP
//   transfer OFFSET SIZE r|w    the errno of one transfer
//   run SIZE COUNT r|w          milliseconds that COUNT transfers took, reads with the reading
//   register | begin (says the dfid) | progress | end
//   endfid FID COOKIE    end a restore that another process began
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <sstream>

#include "client/mount.hpp"
#include "core/action_list.hpp"
#include "tools/copytool_calls.hpp"
#include "tools/lfs_commands.hpp"

namespace {

using namespace lhsm;
using namespace lhsm::emulator;

constexpr abi::hsm_extent k_whole{0, abi::k_whole_file};

class Probe {
 public:
  explicit Probe(const char* path) : m_path(path), m_mount(*find_mount(m_path)) {}

  std::string obey(std::istringstream& words) {
    std::string word;
    words >> word;
    if (word == "open" || word == "openfid") return open(words, word == "openfid");
    if (word == "again") return given(m_fd = Fd(::dup(*m_fd)));
    if (word == "close") {
      m_fd.reset();
      return "closed";
    }
    int group = 0;
    if (word == "lock") return words >> group, std::to_string(llapi_group_lock(*m_fd, group));
    if (word == "unlock") return words >> group, std::to_string(llapi_group_unlock(*m_fd, group));
    if (word == "transfer" || word == "run") return transfer(words, word == "run");
    if (word == "register") return std::to_string(llapi_hsm_copytool_register(&m_ct, m_path.c_str(), 0, nullptr, 0));
    if (word == "begin") return begin();
    if (word == "progress") return std::to_string(llapi_hsm_action_progress(m_action, &k_whole, 0, 0));
    if (word == "end") return std::to_string(llapi_hsm_action_end(&m_action, &k_whole, 0, 0));
    if (word == "endfid") return end_by_fid(words);
    return "what?";
  }

 private:
  static std::string given(const Fd& fd) { return fd ? "open" : std::to_string(-errno); }

  std::string open(std::istringstream& words, bool by_fid) {
    std::string name;
    std::string how;
    words >> name >> how;
    if (by_fid) {
      const auto fid = to_abi(*Fid::parse(name));
      const int fd = llapi_open_by_fid(m_path.c_str(), &fid, O_RDWR);
      if (fd < 0) return std::to_string(fd);
      m_fd = Fd(fd);
      return "open";
    }
    const int flags = how == "r" ? O_RDONLY : O_RDWR;
    m_fd = Fd(::open(name.c_str(), flags | (how == "n" ? O_NONBLOCK : 0)));
    return given(m_fd);
  }
  std::string transfer(std::istringstream& words, bool is_run) {
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    std::string direction;
    words >> first >> second >> direction;
    if (!is_run) return std::to_string(model_transfer(m_mount, *m_fd, first, second, direction == "w"));
    const auto begin = std::chrono::steady_clock::now();
    std::string data(first, '\0');
    for (std::uint64_t i = 0; i < second; ++i) {
      if (const int error = model_transfer(m_mount, *m_fd, i * first, first, direction == "w"); error != 0)
        return std::to_string(-error);
      // What the transfer itself costs is part of the modelled time. (A disk's share would be too much of it.)
      if (direction == "r" && ::pread(*m_fd, data.data(), first, static_cast<off_t>(i * first)) < 0)
        return std::to_string(-errno);
    }
    const auto took = std::chrono::steady_clock::now() - begin;
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
  }
  std::string begin() {
    abi::hsm_action_list* list = nullptr;
    int size = 0;
    if (const int rc = llapi_hsm_copytool_recv(m_ct, &list, &size); rc != 0) return std::to_string(rc);
    abi::hsm_action_item item{};
    std::memcpy(static_cast<void*>(&item), reinterpret_cast<char*>(list + 1) + 8, sizeof item);
    if (const int rc = llapi_hsm_action_begin(&m_action, m_ct, &item, 0, 0, false); rc != 0) return std::to_string(rc);
    m_fd = Fd(llapi_hsm_action_get_fd(m_action));
    abi::lu_fid fid{};
    if (const int rc = llapi_hsm_action_get_dfid(m_action, &fid); rc != 0) return std::to_string(rc);
    return from_abi(fid).str() + " " + std::to_string(item.hai_cookie);
  }
  std::string end_by_fid(std::istringstream& words) {
    std::string name;
    std::uint64_t cookie = 0;
    words >> name >> cookie;
    abi::hsm_copy copy{};
    copy.hc_hai.hai_action = abi::HSMA_RESTORE;
    copy.hc_hai.hai_dfid = to_abi(*Fid::parse(name));
    copy.hc_hai.hai_cookie = cookie;
    copy.hc_hai.hai_extent = k_whole;
    Writer request;
    request.put(Op::copy_end).put_struct(copy);
    return std::to_string(m_mount.call(request).rc);
  }

  std::string m_path;
  Mount& m_mount;
  Fd m_fd;
  hsm_copytool_private* m_ct = nullptr;
  hsm_copyaction_private* m_action = nullptr;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  Probe probe(argv[1]);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::cout << probe.obey(words) << std::endl;
  }
  return 0;
}
