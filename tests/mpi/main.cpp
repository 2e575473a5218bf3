// SPDX-License-Identifier: LGPL-2.1-or-later
//
// main of the tests that run on several ranks. Every rank runs every test in the same order; a rank
// other than 0 prints failures only, with its number. The verdict is the worst of all ranks.
#include <gtest/gtest.h>
#include <mpi.h>

#include <iostream>
#include <sstream>

#include "mpi/session.hpp"

namespace {

class FailuresOnly final : public ::testing::EmptyTestEventListener {
 public:
  explicit FailuresOnly(int rank) : m_rank(rank) {}
  void OnTestPartResult(const ::testing::TestPartResult& result) override {
    if (!result.failed()) return;
    std::ostringstream text;
    const auto* const test = ::testing::UnitTest::GetInstance()->current_test_info();
    text << "[rank " << m_rank << "] " << (test != nullptr ? test->name() : "") << ' '
         << (result.file_name() != nullptr ? result.file_name() : "") << ':' << result.line_number() << ": "
         << result.message() << '\n';
    std::cerr << text.str();
  }

 private:
  int m_rank;
};

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  lhsm::comm::MpiSession& session = lhsm::test::session();
  if (session.rank() != 0) {
    auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new FailuresOnly(session.rank()));
  }
  const int mine = RUN_ALL_TESTS();
  int worst = 1;
  MPI_Allreduce(&mine, &worst, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
  session.finalize();
  return worst;
}
