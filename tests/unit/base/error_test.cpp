// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/error.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <set>

#include "lhsmtool_mpi/base/fd.hpp"

namespace lhsm {
namespace {

TEST(Error, describe_is_one_line_for_people) {
  EXPECT_EQ((Error{ErrorKind::not_found, ENOENT, "open", "/a/b"}.describe()),
            "open /a/b: No such file or directory (ENOENT)");
  EXPECT_EQ((Error{ErrorKind::io, 99999, "read", "x"}.describe()), "read x: unknown error (99999)");
}

TEST(Error, kinds_of_errnos) {
  const std::pair<int, ErrorKind> kinds[] = {{ENOENT, ErrorKind::not_found},
                                             {ENOTDIR, ErrorKind::not_found},
                                             {ESTALE, ErrorKind::not_found},
                                             {EPERM, ErrorKind::denied},
                                             {EACCES, ErrorKind::denied},
                                             {EROFS, ErrorKind::denied},
                                             {ENOSPC, ErrorKind::no_space},
                                             {EDQUOT, ErrorKind::no_space},
                                             {EFBIG, ErrorKind::invalid},
                                             {EBUSY, ErrorKind::busy},
                                             {EAGAIN, ErrorKind::busy},
                                             {ETIMEDOUT, ErrorKind::timeout},
                                             {ECANCELED, ErrorKind::cancelled},
                                             {EOPNOTSUPP, ErrorKind::unsupported},
                                             {ENOTTY, ErrorKind::unsupported},
                                             {ENOSYS, ErrorKind::unsupported},
                                             {EINVAL, ErrorKind::invalid},
                                             {EISDIR, ErrorKind::invalid},
                                             {ELOOP, ErrorKind::invalid},
                                             {ENAMETOOLONG, ErrorKind::invalid},
                                             {EIO, ErrorKind::io},
                                             {EBADF, ErrorKind::io},
                                             {0, ErrorKind::io},
                                             {-5, ErrorKind::io}};
  for (const auto& [sys_errno, kind] : kinds) EXPECT_EQ(kind_of_errno(sys_errno), kind) << sys_errno;
}

TEST(Error, each_kind_has_a_name_of_its_own) {
  std::set<std::string_view> names;
  for (int kind = 0; kind <= static_cast<int>(ErrorKind::internal); ++kind)
    names.insert(to_string(static_cast<ErrorKind>(kind)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(ErrorKind::internal) + 1);
  EXPECT_FALSE(names.contains("unknown"));
  EXPECT_EQ(to_string(static_cast<ErrorKind>(200)), "unknown") << "a kind that came over the wire";
}

TEST(Error, errno_name_is_symbolic_where_there_is_one) {
  EXPECT_EQ(errno_name(ENOSPC), "ENOSPC");
  EXPECT_EQ(errno_name(99999), "99999");
}

TEST(Error, errno_error_takes_errno) {
  errno = EACCES;
  const Status status = errno_error("open", "/x");
  EXPECT_EQ(status.error(), (Error{ErrorKind::denied, EACCES, "open", "/x"}));
}

Outcome<std::unique_ptr<int>> number(bool there) {
  if (!there) return failure(ErrorKind::corrupt, EIO, "number", "none");
  return std::make_unique<int>(7);
}

Outcome<int> through_assign(bool there, bool again) {
  LHSM_TRY_ASSIGN(const auto first, number(there));
  LHSM_TRY_ASSIGN(const auto second, number(again));
  return *first + *second;
}

Status through_try(bool there) {
  LHSM_TRY(number(there));
  return {};
}

TEST(Error, try_macros_pass_errors_up_and_move_values) {
  EXPECT_EQ(through_assign(true, true), 14);
  EXPECT_EQ(through_assign(false, true).error().kind, ErrorKind::corrupt);
  EXPECT_EQ(through_assign(true, false).error().operation, "number");
  EXPECT_TRUE(through_try(true));
  EXPECT_EQ(through_try(false).error().subject, "none");
}

TEST(Error, fatal_says_what_the_error_says) {
  const Error error{ErrorKind::io, EIO, "fsync", "journal"};
  EXPECT_EQ(Fatal(error).what(), error.describe());
}

TEST(Fd, closes_once_and_moves) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  Fd in(ends[0]);
  {
    const Fd out(ends[1]);
    Fd moved = std::move(in);
    EXPECT_FALSE(in);  // NOLINT: what a moved-from Fd is, is its contract
    in = std::move(moved);
    EXPECT_EQ(*in, ends[0]);
  }
  char byte = 0;
  EXPECT_EQ(::read(*in, &byte, 1), 0) << "the writing end is closed";
  EXPECT_TRUE(in.close("pipe"));
  EXPECT_FALSE(in);
  EXPECT_TRUE(in.close("pipe")) << "a closed one stays closed";
  EXPECT_EQ(::fcntl(ends[0], F_GETFD), -1);
}

TEST(Fd, close_tells_what_close_said) {
  Fd bad(1'000'000);
  EXPECT_EQ(bad.close("S").error(), (Error{ErrorKind::io, EBADF, "close", "S"}));
  EXPECT_FALSE(bad);
}

TEST(Fd, release_gives_the_descriptor_away) {
  Fd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const Fd owner(fd.release());
  EXPECT_FALSE(fd);
  EXPECT_TRUE(owner);
}

}  // namespace
}  // namespace lhsm
