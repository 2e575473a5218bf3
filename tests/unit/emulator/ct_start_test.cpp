// SPDX-License-Identifier: LGPL-2.1-or-later
//
// LL_IOC_HSM_CT_START itself, as a copytool uses it that has a pipe of its own.
#include <poll.h>
#include <sys/ioctl.h>  // the library linked to this program has an ioctl of its own

#include <array>

#include "unit/emulator/emulator_fixture.hpp"

namespace lhsm::emulator {
namespace {

class CtStartTest : public EmulatorTest {
 protected:
  void SetUp() override {
    EmulatorTest::SetUp();
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    m_read_end = Fd(ends[0]);
    m_write_end = Fd(ends[1]);
    ASSERT_EQ(::fcntl(*m_read_end, F_SETFL, O_NONBLOCK), 0);
  }
  int control(std::uint32_t flags, const std::vector<std::uint32_t>& ids = {}, std::uint32_t group = KUC_GRP_HSM) {
    const Fd directory(::open(mount.c_str(), O_RDONLY | O_DIRECTORY));
    lustre_kernelcomm head{};
    head.lk_wfd = static_cast<std::uint32_t>(*m_write_end);
    head.lk_uid = static_cast<std::uint32_t>(::getpid());
    head.lk_group = group;
    head.lk_data_count = static_cast<std::uint32_t>(ids.size());
    head.lk_flags = flags;
    std::vector<std::uint32_t> argument(6);
    std::memcpy(argument.data(), &head, sizeof head);
    argument.insert(argument.end(), ids.begin(), ids.end());
    return ::ioctl(*directory, LL_IOC_HSM_CT_START, argument.data()) == 0 ? 0 : errno;
  }
  /// Return how many lists come, waiting `ms` for the first.
  int lists(int ms) {
    int count = 0;
    pollfd event{*m_read_end, POLLIN, 0};
    while (::poll(&event, 1, count == 0 ? ms : 50) > 0) {
      kuc_hdr header{};
      if (::read(*m_read_end, &header, sizeof header) != sizeof header) break;
      EXPECT_EQ(header.kuc_magic, KUC_MAGIC);
      std::vector<char> payload(header.kuc_msglen - sizeof header);
      EXPECT_EQ(::read(*m_read_end, payload.data(), payload.size()), static_cast<ssize_t>(payload.size()));
      ++count;
    }
    return count;
  }
  std::string agents() { return shell("lctl get_param -n 'mdt.*.hsm.agents'").text; }

  Fd m_read_end;
  Fd m_write_end;
};

TEST_F(CtStartTest, start_registers_and_lists_come_through_the_pipe) {
  EXPECT_EQ(control(LK_FLG_DATANR, {1, 7}), 0);
  EXPECT_NE(agents().find("archive_id=1,7"), std::string::npos) << agents();
  request(make("f", 10), HUA_ARCHIVE);
  EXPECT_EQ(lists(10'000), 1);
  EXPECT_EQ(control(LK_FLG_STOP), 0);
}

TEST_F(CtStartTest, stop_takes_the_agent_and_the_pipe_away) {
  EXPECT_EQ(control(LK_FLG_DATANR), 0);
  request(make("before", 10), HUA_ARCHIVE);
  EXPECT_TRUE(comes_true("lctl get_param -n 'mdt.*.hsm.actions' | grep STARTED"));
  EXPECT_EQ(control(LK_FLG_STOP), 0);
  EXPECT_EQ(agents(), "");
  request(make("after", 10), HUA_ARCHIVE);
  EXPECT_EQ(lists(500), 1) << "what was sent before is in the pipe, nothing comes after";
  EXPECT_EQ(control(LK_FLG_DATANR), 0);
  EXPECT_EQ(lists(10'000), 1) << "by the same pipe again";
  EXPECT_EQ(control(LK_FLG_STOP), 0);
}

/// A pipe may be full when its copytool registers anew: nothing of it is lost or overtaken.
TEST_F(CtStartTest, full_pipe_keeps_what_was_sent_through_stop_and_start) {
  ASSERT_EQ(::fcntl(*m_write_end, F_SETPIPE_SZ, 4096), 4096);
  EXPECT_EQ(control(LK_FLG_DATANR), 0);
  const std::string filler(4000, 'x');
  ASSERT_EQ(::write(*m_write_end, filler.data(), filler.size()), static_cast<ssize_t>(filler.size()));
  request(make("f", 10), HUA_ARCHIVE);
  EXPECT_TRUE(comes_true("lctl get_param -n 'mdt.*.hsm.actions' | grep STARTED"));
  EXPECT_EQ(control(LK_FLG_STOP), 0);
  EXPECT_EQ(control(LK_FLG_DATANR), 0);
  std::string drained(filler.size(), '\0');
  ASSERT_EQ(::read(*m_read_end, drained.data(), drained.size()), static_cast<ssize_t>(filler.size()));
  EXPECT_EQ(lists(10'000), 1);
  request(make("g", 10), HUA_ARCHIVE);
  EXPECT_EQ(lists(10'000), 1) << "once: the pipe is not known twice";
  EXPECT_EQ(control(LK_FLG_STOP), 0);
}

TEST_F(CtStartTest, refusals) {
  EXPECT_EQ(control(LK_FLG_DATANR, {}, 1), EINVAL) << "another group";
  ASSERT_EQ(shell("lctl set_param 'mdt.*.hsm_control=shutdown'").code, 0);
  EXPECT_EQ(control(LK_FLG_DATANR), ENXIO);
  ASSERT_EQ(shell("lctl set_param 'mdt.*.hsm_control=enabled'").code, 0);
  m_write_end.reset();
  m_write_end = Fd(::open("/dev/null", O_WRONLY));
  EXPECT_EQ(control(LK_FLG_DATANR), 0) << "any file will do";
}

}  // namespace
}  // namespace lhsm::emulator
