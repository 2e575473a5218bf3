// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Registration and lists: llapi_hsm_copytool_register, _get_fd, _recv, _unregister.
#include <poll.h>

#include <csignal>
#include <cstring>

#include "conformance/lustre_test.hpp"

namespace lhsm::conformance {
namespace {

using Registration = LustreTest;

TEST_F(Registration, refuses_bad_arguments) {
  int bad[] = {-1};
  EXPECT_EQ(api.copytool_register(&ct, mount.c_str(), 1, nullptr, 0), -EINVAL);
  EXPECT_EQ(api.copytool_register(&ct, mount.c_str(), 1, bad, 0), -EINVAL);
  EXPECT_EQ(api.copytool_register(&ct, "/tmp", 0, nullptr, 0), -ENOENT) << "a directory without .lustre/fid";
  EXPECT_EQ(api.copytool_register(&ct, (mount + "/nothing").c_str(), 0, nullptr, 0), -ENOENT);
  EXPECT_EQ(ct, nullptr);
  EXPECT_EQ(api.copytool_unregister(nullptr), -EINVAL);
  EXPECT_EQ(api.copytool_unregister(&ct), -EINVAL);
  EXPECT_EQ(api.copytool_get_fd(nullptr), -EINVAL);
  hsm_action_list* list = nullptr;
  int size = 0;
  EXPECT_EQ(api.copytool_recv(nullptr, &list, &size), -EINVAL);
}

TEST_F(Registration, needs_a_running_coordinator) {
  hsm_control("shutdown");
  EXPECT_TRUE(comes_true([&] { return shell("lctl get_param -n mdt.*.hsm_control").text.find("stopped") == 0; }));
  EXPECT_EQ(api.copytool_register(&ct, mount.c_str(), 0, nullptr, 0), -ENXIO);
  hsm_control("enabled");
}

TEST_F(Registration, of_an_ordinary_user_is_refused) {
  // Of the two barriers, .lustre/fid and the capability, the first says EACCES.
  EXPECT_EQ(in_child([&] {
              if (::setuid(65534) != 0) return 1;
              return -api.copytool_register(&ct, mount.c_str(), 0, nullptr, 0);
            }),
            EACCES);
}

TEST_F(Registration, descriptor_is_read_only_and_polls) {
  register_copytool();
  const int fd = api.copytool_get_fd(ct);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(::write(fd, "x", 1), -1);
  EXPECT_EQ(errno, EBADF);
  pollfd ready{fd, POLLIN, 0};
  EXPECT_EQ(::poll(&ready, 1, 0), 0);
  hsm_action_list* list = reinterpret_cast<hsm_action_list*>(this);
  int size = 7;
  EXPECT_EQ(api.copytool_recv(ct, &list, &size), -EAGAIN);
  EXPECT_EQ(list, nullptr);
  EXPECT_EQ(size, 0);
  ASSERT_EQ(submit(HUA_ARCHIVE, make("file")), 0);
  EXPECT_TRUE(receive().has_value());
}

TEST_F(Registration, a_blocking_receive_ends_by_a_signal) {
  ASSERT_EQ(api.copytool_register(&ct, mount.c_str(), 0, nullptr, 0), 0);
  struct sigaction act {};
  act.sa_handler = [](int) {};
  struct sigaction before {};
  ASSERT_EQ(::sigaction(SIGALRM, &act, &before), 0);
  // Again and again: one alarm could come before the read has begun.
  const itimerval often{{0, 20'000}, {0, 20'000}};
  const itimerval never{};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &often, nullptr), 0);
  hsm_action_list* list = nullptr;
  int size = 0;
  EXPECT_EQ(api.copytool_recv(ct, &list, &size), -EINTR);
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::sigaction(SIGALRM, &before, nullptr);
}

TEST_F(Registration, twice_on_one_client_both_get_every_list) {
  register_copytool();
  hsm_copytool_private* second = nullptr;
  int other[] = {7};
  ASSERT_EQ(api.copytool_register(&second, mount.c_str(), 1, other, O_NONBLOCK), 0) << "EEXIST is a success";
  const auto agents = get_param("agents");
  EXPECT_NE(agents.find("archive_id=ANY"), std::string::npos) << "the first list stays in force: " << agents;
  EXPECT_EQ(agents.find('\n'), std::string::npos) << "one line: " << agents;
  ASSERT_EQ(submit(HUA_ARCHIVE, {fid_of(make("one"))}, {.archive_id = 7}), 0);
  const auto first = receive();
  const auto again = receive(second);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(first->items[0].head.hai_cookie, again->items[0].head.hai_cookie);
  // What the second does not serve is filtered in its library.
  ASSERT_EQ(submit(HUA_ARCHIVE, {fid_of(make("two"))}, {.archive_id = 3}), 0);
  ASSERT_TRUE(receive().has_value());
  hsm_action_list* list = nullptr;
  int size = 0;
  EXPECT_EQ(api.copytool_recv(second, &list, &size), -EAGAIN);
  // One of them leaves, and the client is gone for both.
  EXPECT_EQ(api.copytool_unregister(&second), 0);
  EXPECT_EQ(get_param("agents"), "");
}

TEST_F(Registration, an_archive_id_of_0_means_all) {
  register_copytool({3, 0, 5});
  EXPECT_NE(get_param("agents").find("archive_id=ANY"), std::string::npos);
  unregister_copytool();
  register_copytool({3, 5});
  EXPECT_NE(get_param("agents").find("archive_id=3,5"), std::string::npos) << get_param("agents");
}

TEST_F(Registration, lists_hold_what_fits_into_5120_bytes_and_one_archive_id) {
  std::vector<lu_fid> first;
  std::vector<lu_fid> second;
  for (int i = 0; i < 50; ++i) first.push_back(fid_of(make("a" + std::to_string(i), 0)));
  for (int i = 0; i < 50; ++i) second.push_back(fid_of(make("b" + std::to_string(i), 0)));
  const lu_fid other = fid_of(make("other", 0));
  ASSERT_EQ(submit(HUA_ARCHIVE, first), 0);
  ASSERT_EQ(submit(HUA_ARCHIVE, {other}, {.archive_id = 2}), 0);
  ASSERT_EQ(submit(HUA_ARCHIVE, second), 0);
  register_copytool();
  std::map<std::uint32_t, std::vector<std::size_t>> sizes;
  std::size_t header = 0;
  for (std::size_t items = 0; items < 101;) {
    const auto list = receive();
    ASSERT_TRUE(list.has_value());
    items += list->items.size();
    sizes[list->items[0].archive_id].push_back(list->items.size());
    EXPECT_LE(list->bytes, 5120);
    header = sizeof(hsm_action_list) + (list->fsname.size() + 8) / 8 * 8;
  }
  ASSERT_EQ(sizes[2], std::vector<std::size_t>{1});
  const auto room = (5120 - header) / sizeof(hsm_action_item);
  EXPECT_EQ(sizes[1], (std::vector<std::size_t>{room, 100 - room}));
}

TEST_F(Registration, items_carry_the_users_data_of_any_length) {
  register_copytool();
  for (const std::size_t length : {1U, 7U, 8U, 13U, 200U}) {
    std::string data(length, '\0');
    for (std::size_t i = 0; i < length; ++i) data[i] = static_cast<char>(i * 37);
    const auto fid = fid_of(make("file" + std::to_string(length)));
    const auto more = fid_of(make("more" + std::to_string(length)));
    ASSERT_EQ(submit(HUA_ARCHIVE, {fid, more}, {.data = data}), 0);
    for (const auto& wanted : {fid, more}) {
      const auto item = receive_one();
      EXPECT_EQ(item.head.hai_len, 72 + length) << "not rounded";
      EXPECT_EQ(item.data, data);
      EXPECT_EQ(text_of(item.head.hai_fid), text_of(wanted));
    }
  }
}

TEST_F(Registration, fields_of_an_item) {
  register_copytool();
  const auto file = make("file");
  ASSERT_EQ(submit(HUA_ARCHIVE, {fid_of(file)}, {.archive_id = 3, .extent = {5, 100}}), 0);
  const auto list = receive();
  ASSERT_TRUE(list.has_value());
  const auto& item = list->items.at(0);
  EXPECT_EQ(item.archive_id, 3U);
  EXPECT_EQ(item.head.hai_action, HSMA_ARCHIVE);
  EXPECT_EQ(text_of(item.head.hai_dfid), text_of(item.head.hai_fid)) << "equal for every action";
  EXPECT_EQ(static_cast<std::uint64_t>(item.head.hai_extent.offset), 5U);
  EXPECT_EQ(static_cast<std::uint64_t>(item.head.hai_extent.length), 100U);
  EXPECT_EQ(static_cast<std::uint64_t>(item.head.hai_gid), 0U);
  EXPECT_FALSE(list->fsname.empty());
  EXPECT_EQ(state(file), HS_EXISTS) << "set when the list is sent";
}

TEST_F(Registration, the_buffer_is_used_again) {
  register_copytool();
  ASSERT_EQ(submit(HUA_ARCHIVE, make("one")), 0);
  const auto first = receive();
  ASSERT_TRUE(first.has_value());
  hsm_action_list* list = nullptr;
  int size = 0;
  EXPECT_EQ(api.copytool_recv(ct, &list, &size), -EAGAIN);
  hsm_action_list head{};
  std::memcpy(static_cast<void*>(&head), first->buffer, sizeof head);
  EXPECT_NE(static_cast<std::uint32_t>(head.hal_version), HAL_VERSION) << "the old list is gone from the next recv on";
}

}  // namespace
}  // namespace lhsm::conformance
