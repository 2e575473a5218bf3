// SPDX-License-Identifier: LGPL-2.1-or-later
//
// The registration over LL_IOC_HSM_CT_START, against a kernel made of functions.
#include "lustre/copytool_stream.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <cstdarg>
#include <cstring>

#include "support/temp_dir.hpp"

namespace lhsm::lustre {
namespace {

/// What the kernel was asked, and what it answers.
struct Kernel {
  std::vector<std::pair<abi::lustre_kernelcomm, std::vector<std::uint32_t>>> calls;
  std::vector<std::pair<unsigned long, std::uint64_t>> asked;  ///< of the coordinators, by sequence of a FID
  int volatiles = 0;               ///< that were made, or not
  int last_index = -1;             ///< of their MDTs
  int takes_no_new_files = -1;     ///< an MDT
  int mdts = 1;                      ///< of which there are indices up to 63
  int progress_errno = ENOENT;       ///< to a sign of life
  int request_errno = 0;
  int volatile_errno = 0;
  int start_errno = 0;
  int stop_errno = 0;
  std::string fsname = "lustre";
};
Kernel* g_kernel = nullptr;

int kernel_ioctl(int fd, unsigned long request, ...) {
  va_list arguments;
  va_start(arguments, request);
  const char* const argument = va_arg(arguments, const char*);
  va_end(arguments);
  if (request == abi::LL_IOC_GETOBDCOUNT) {
    EXPECT_NE(*reinterpret_cast<const std::uint32_t*>(argument), 0U) << "it asks for OSTs";
    const std::uint32_t count = 64;
    std::memcpy(const_cast<char*>(argument), &count, sizeof count);
    return 0;
  }
  if (request != abi::LL_IOC_HSM_CT_START) {
    abi::lu_fid fid{};
    const std::size_t at = request == abi::LL_IOC_HSM_PROGRESS ? 0 : sizeof(abi::hsm_user_request);
    std::memcpy(&fid, argument + at, sizeof fid);
    g_kernel->asked.emplace_back(request, std::uint64_t{fid.f_seq});
    errno = request == abi::LL_IOC_HSM_PROGRESS ? g_kernel->progress_errno : g_kernel->request_errno;
    return errno == 0 ? 0 : -1;
  }
  EXPECT_GE(::fcntl(fd, F_GETFD), 0);
  abi::lustre_kernelcomm head{};
  std::memcpy(static_cast<void*>(&head), argument, sizeof head);
  std::vector<std::uint32_t> ids(head.lk_data_count);
  if (!ids.empty()) std::memcpy(ids.data(), argument + sizeof head, ids.size() * sizeof ids[0]);
  g_kernel->calls.emplace_back(head, ids);
  errno = (head.lk_flags & abi::LK_FLG_STOP) != 0 ? g_kernel->stop_errno : g_kernel->start_errno;
  return errno == 0 ? 0 : -1;
}

int kernel_fsname(const char*, char* fsname) {
  std::strcpy(fsname, g_kernel->fsname.c_str());
  return 0;
}

constexpr std::uint64_t k_root_sequence = 0x200000007;
constexpr std::uint64_t k_volatile_sequence = 0x200000400;  // and the index

int kernel_volatile(const char* directory, int mdt_index, int flags) {
  if (mdt_index >= g_kernel->mdts) return -ENODEV;
  ++g_kernel->volatiles;
  if (g_kernel->volatile_errno != 0) return -g_kernel->volatile_errno;
  g_kernel->last_index = g_kernel->takes_no_new_files == mdt_index ? 0 : mdt_index;
  EXPECT_NE(flags & O_CLOEXEC, 0);
  return ::open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int kernel_fid(int fd, abi::lu_fid* fid) {
  // The mount's directory was opened by path, and volatile files are that directory opened to no purpose: told apart by the order.
  *fid = {g_kernel->last_index < 0 ? k_root_sequence : k_volatile_sequence + static_cast<unsigned>(g_kernel->last_index), 7, 0};
  EXPECT_GE(fd, 0);
  return 0;
}

int kernel_mdt_index(int, const abi::lu_fid* fid, int* index) {
  *index = fid->f_seq == k_root_sequence ? 0 : static_cast<int>(fid->f_seq - k_volatile_sequence);
  return 0;
}

class CopytoolStreamTest : public ::testing::Test {
 protected:
  CopytoolStreamTest() {
    g_kernel = &m_kernel;
    m_api.ioctl = kernel_ioctl;
    m_api.search_fsname = kernel_fsname;
    m_api.create_volatile_idx = kernel_volatile;
    m_api.fd2fid = kernel_fid;
    m_api.get_mdt_index_by_fid = kernel_mdt_index;
  }
  auto open(const std::vector<std::uint32_t>& ids = {}) {
    return open_copytool_stream(m_api, m_probe, m_mount.str(), "lustre", ids);
  }
  std::unique_ptr<ActionStream> opened() {
    auto stream = open();
    EXPECT_TRUE(stream.has_value());
    return std::move(*stream);
  }
  void write(const std::string& bytes) {
    const int fd = static_cast<int>(m_kernel.calls.front().first.lk_wfd);
    ASSERT_EQ(::write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  static std::string message(std::uint8_t transport, std::uint16_t type, const std::string& payload) {
    const abi::kuc_hdr header{abi::KUC_MAGIC, transport, 0, type, static_cast<std::uint16_t>(sizeof(abi::kuc_hdr) + payload.size())};
    return std::string(reinterpret_cast<const char*>(&header), sizeof header) + payload;
  }
  /// A list of one REMOVE.
  static std::string list(std::uint64_t cookie) {
    abi::hsm_action_list head{};
    head.hal_version = abi::HAL_VERSION;
    head.hal_count = 1;
    abi::hsm_action_item item{};
    item.hai_len = sizeof item;
    item.hai_action = abi::HSMA_REMOVE;
    item.hai_cookie = cookie;
    return message(abi::KUC_TRANSPORT_HSM, abi::HMT_ACTION_LIST,
                   std::string(reinterpret_cast<const char*>(&head), sizeof head) + std::string("lustre\0\0", 8) +
                       std::string(reinterpret_cast<const char*>(&item), sizeof item));
  }
  static void expect_list(ActionStream& stream, std::uint64_t cookie) {
    const auto received = stream.receive();
    ASSERT_TRUE(received.has_value()) << received.error().describe();
    ASSERT_TRUE(received->has_value());
    EXPECT_EQ((*received)->fsname, "lustre");
    ASSERT_EQ((*received)->items.size(), 1U);
    EXPECT_EQ((*received)->items[0].cookie, cookie);
  }
  static void expect_nothing(ActionStream& stream) {
    const auto received = stream.receive();
    ASSERT_TRUE(received.has_value()) << received.error().describe();
    EXPECT_FALSE(received->has_value());
  }

  test::TempDir m_mount;
  Kernel m_kernel;
  LlapiTable m_api{};
  CoordinatorProbe m_probe{m_api, m_mount.str()};
};

TEST_F(CopytoolStreamTest, start_names_pipe_process_and_archives) {
  {
    const auto stream = open({3, 700});
    ASSERT_TRUE(stream.has_value());
    const auto& [head, ids] = m_kernel.calls.at(0);
    EXPECT_EQ(std::uint32_t{head.lk_group}, 2U);
    EXPECT_EQ(std::uint32_t{head.lk_flags}, 2U);
    EXPECT_EQ(std::uint32_t{head.lk_uid}, static_cast<std::uint32_t>(::getpid()));
    EXPECT_EQ(ids, (std::vector<std::uint32_t>{3, 700}));
    EXPECT_NE(::fcntl(static_cast<int>(head.lk_wfd), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_GT(::fcntl(static_cast<int>(head.lk_wfd), F_GETPIPE_SZ), 65536);
  }
  ASSERT_EQ(m_kernel.calls.size(), 2U);
  EXPECT_NE(std::uint32_t{m_kernel.calls[1].first.lk_flags} & abi::LK_FLG_STOP, 0U);
}

// What the clients' kernel does not survive is a START that an MDT refuses.

TEST_F(CopytoolStreamTest, coordinators_of_all_mdts_are_asked_before_a_start) {
  m_kernel.mdts = 3;
  const auto stream = opened();
  const auto all = [](unsigned long request) {
    return std::vector<std::pair<unsigned long, std::uint64_t>>{
        {request, k_root_sequence}, {request, k_volatile_sequence + 1}, {request, k_volatile_sequence + 2}};
  };
  EXPECT_EQ(m_kernel.asked, all(abi::LL_IOC_HSM_PROGRESS));
  m_kernel.asked.clear();
  ASSERT_TRUE(stream->renew());
  EXPECT_EQ(m_kernel.asked, all(abi::LL_IOC_HSM_REQUEST)) << "which the MDS does not log";
  EXPECT_EQ(m_kernel.volatiles, 2) << "no more than once for each MDT";
}

TEST_F(CopytoolStreamTest, no_start_where_a_coordinator_does_not_run_or_does_not_know_us) {
  for (const int sys_errno : {EAGAIN, EPERM, EIO}) {
    m_kernel.progress_errno = sys_errno;
    const auto stream = open();
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().sys_errno, sys_errno);
    EXPECT_NE(stream.error().operation, k_register_copytool);
  }
  EXPECT_TRUE(m_kernel.calls.empty());
}

/// To free space, or to archive from a client that may not write, needs no new file.
TEST_F(CopytoolStreamTest, mdt_where_no_file_can_be_made_is_not_asked) {
  m_kernel.mdts = 2;
  m_kernel.volatile_errno = ENOSPC;
  EXPECT_TRUE(open());
  EXPECT_EQ(m_kernel.asked.size(), 1U);
}

TEST_F(CopytoolStreamTest, mdt_that_takes_no_new_files_is_not_mistaken_for_another) {
  m_kernel.mdts = 3;
  m_kernel.takes_no_new_files = 1;
  EXPECT_TRUE(open());
  ASSERT_EQ(m_kernel.asked.size(), 2U);
  EXPECT_EQ(m_kernel.asked.back().second, k_volatile_sequence + 2);
}

TEST_F(CopytoolStreamTest, registration_is_kept_while_a_coordinator_does_not_run) {
  const auto stream = opened();
  m_kernel.request_errno = EAGAIN;
  EXPECT_EQ(stream->renew().error().sys_errno, EAGAIN);
  EXPECT_EQ(m_kernel.calls.size(), 1U) << "neither STOP nor START";
  write(list(1));
  expect_list(*stream, 1);
  for (const int sys_errno : {ENODATA, ENOENT, 0}) {
    m_kernel.request_errno = sys_errno;
    EXPECT_TRUE(stream->renew());
  }
}

TEST_F(CopytoolStreamTest, pipe_that_ends_is_an_error) {
  const auto stream = opened();
  ::close(static_cast<int>(m_kernel.calls.front().first.lk_wfd));
  EXPECT_EQ(stream->receive().error().sys_errno, EPIPE);
  // The stream closes the number once more: let it be one of ours.
  EXPECT_GE(::open("/dev/null", O_RDONLY | O_CLOEXEC), 0);
}

TEST_F(CopytoolStreamTest, start_that_finds_the_client_registered_is_a_success) {
  m_kernel.start_errno = EEXIST;
  EXPECT_TRUE(open().has_value());
}

TEST_F(CopytoolStreamTest, start_that_is_refused_leaves_nothing_to_stop) {
  m_kernel.start_errno = ENXIO;
  const auto stream = open();
  ASSERT_FALSE(stream.has_value());
  EXPECT_EQ(stream.error().sys_errno, ENXIO);
  EXPECT_EQ(stream.error().operation, k_register_copytool);
  EXPECT_EQ(m_kernel.calls.size(), 1U);
}

TEST_F(CopytoolStreamTest, receive_takes_messages_however_they_come) {
  const auto stream = opened();
  expect_nothing(*stream);
  write(list(1) + list(2) + list(3).substr(0, 5));
  expect_list(*stream, 1);
  expect_list(*stream, 2);
  expect_nothing(*stream);
  write(list(3).substr(5, 50));
  expect_nothing(*stream);
  write(list(3).substr(55));
  expect_list(*stream, 3);
  expect_nothing(*stream);
}

TEST_F(CopytoolStreamTest, renew_gives_the_same_pipe_again_and_loses_nothing) {
  const auto stream = opened();
  write(list(1));
  m_kernel.stop_errno = ENXIO;  // the coordinator is stopped; the pipe's entry goes all the same
  ASSERT_TRUE(stream->renew().has_value());
  ASSERT_EQ(m_kernel.calls.size(), 3U);
  EXPECT_EQ(std::uint32_t{m_kernel.calls[2].first.lk_wfd}, std::uint32_t{m_kernel.calls[0].first.lk_wfd});
  EXPECT_EQ(std::uint32_t{m_kernel.calls[2].first.lk_flags}, abi::LK_FLG_DATANR);
  write(list(2));
  expect_list(*stream, 1);
  expect_list(*stream, 2);
}

TEST_F(CopytoolStreamTest, renew_finds_another_file_system_mounted_there) {
  const auto stream = opened();
  m_kernel.fsname = "other";
  EXPECT_EQ(stream->renew().error().sys_errno, EXDEV);
}

TEST_F(CopytoolStreamTest, unregister_leaves_what_was_sent) {
  const auto stream = opened();
  write(list(1));
  stream->unregister();
  stream->unregister();
  EXPECT_EQ(m_kernel.calls.size(), 2U);
  expect_list(*stream, 1);
  expect_nothing(*stream);
}

TEST_F(CopytoolStreamTest, unmount_is_told_once) {
  const auto stream = opened();
  write(list(1) + message(abi::KUC_TRANSPORT_GENERIC, abi::KUC_MSG_SHUTDOWN, ""));
  expect_list(*stream, 1);
  EXPECT_EQ(stream->receive().error().sys_errno, ESHUTDOWN);
  expect_nothing(*stream);
}

TEST_F(CopytoolStreamTest, message_of_an_unknown_kind_costs_only_itself) {
  const auto stream = opened();
  write(message(abi::KUC_TRANSPORT_HSM, 55, "what?") + list(2));
  EXPECT_EQ(stream->receive().error().sys_errno, EPROTO);
  expect_list(*stream, 2);
}

TEST_F(CopytoolStreamTest, bytes_that_are_no_message_are_thrown_away) {
  const auto stream = opened();
  write(list(1) + std::string(100'000, 'x'));
  expect_list(*stream, 1);
  const auto received = stream->receive();
  ASSERT_FALSE(received.has_value());
  EXPECT_EQ(received.error().sys_errno, EPROTO);
  EXPECT_NE(received.error().describe().find("100000 bytes"), std::string::npos) << received.error().describe();
  write(list(2));
  expect_list(*stream, 2);
}

TEST_F(CopytoolStreamTest, damaged_list_is_returned_as_far_as_it_goes) {
  const auto stream = opened();
  write(message(abi::KUC_TRANSPORT_HSM, abi::HMT_ACTION_LIST, "short"));
  const auto received = stream->receive();
  ASSERT_TRUE(received.has_value() && received->has_value());
  EXPECT_EQ((*received)->unread_bytes, 5U);
  EXPECT_NE((*received)->damage, "");
}

}  // namespace
}  // namespace lhsm::lustre
