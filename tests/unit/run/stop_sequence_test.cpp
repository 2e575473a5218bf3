// SPDX-License-Identifier: LGPL-2.1-or-later
#include "run/stop_sequence.hpp"

#include <gtest/gtest.h>

namespace lhsm::run {
namespace {

using namespace std::chrono_literals;
using Step = StopSequence::Step;

class StopSequenceTest : public ::testing::Test {
 protected:
  Step next(Duration after, std::size_t unfinished = 1, int asked = 1) {
    return m_sequence.next(asked, unfinished, TimePoint{} + 1h + after);
  }
  StopSequence m_sequence{60s};
};

TEST_F(StopSequenceTest, goes_on_by_itself_after_some_time) {
  EXPECT_EQ(next(0s, 1, 0), Step::wait);
  EXPECT_EQ(next(0s), Step::drain);
  EXPECT_EQ(next(59s), Step::wait);
  EXPECT_EQ(next(60s), Step::stop_running);
  EXPECT_EQ(next(89s), Step::wait);
  EXPECT_EQ(next(90s), Step::give_up);
  EXPECT_EQ(next(1000s), Step::wait);
}

TEST_F(StopSequenceTest, goes_on_at_once_when_it_is_asked_for_again) {
  EXPECT_EQ(next(0s, 7, 1), Step::drain);
  EXPECT_EQ(next(0s, 7, 2), Step::stop_running);
  EXPECT_EQ(next(0s, 6, 2), Step::wait);
  EXPECT_EQ(next(0s, 5, 3), Step::give_up) << "though actions end";
}

TEST_F(StopSequenceTest, does_not_give_up_while_actions_end) {
  EXPECT_EQ(next(0s, 100), Step::drain);
  EXPECT_EQ(next(60s, 50), Step::stop_running) << "what runs is not waited for longer";
  for (std::size_t i = 1; i <= 40; ++i) EXPECT_EQ(next(60s + i * 29s, 50 - i), Step::wait);
  EXPECT_EQ(next(60s + 40 * 29s + 29s, 10), Step::wait);
  EXPECT_EQ(next(60s + 40 * 29s + 30s, 10), Step::give_up);
}

}  // namespace
}  // namespace lhsm::run
