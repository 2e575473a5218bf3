// SPDX-License-Identifier: LGPL-2.1-or-later
//
// How failures travel. A file's failure is a value: Outcome<T>, which holds an Error with operation,
// subject and errno; the same Error goes over the wire and into reports. The run's failure is a
// Fatal exception, caught once. A bug is an assertion.
#pragma once

#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace lhsm {

/// What went wrong, as far as somebody who decides about it must know.
enum class ErrorKind : std::uint8_t {
  io,           ///< any system error that has no class of its own
  not_found,    ///< ENOENT, ENOTDIR, ESTALE
  denied,       ///< EPERM, EACCES, EROFS
  no_space,     ///< ENOSPC, EDQUOT
  corrupt,      ///< data is short, torn or not what it should be
  changed,      ///< the source changed while it was copied
  busy,         ///< EBUSY, EAGAIN
  timeout,      ///< ETIMEDOUT
  cancelled,    ///< ECANCELED
  unsupported,  ///< EOPNOTSUPP, ENOTTY, ENOSYS
  invalid,      ///< EINVAL and other bad input
  internal,     ///< a broken promise between our own parts
};

/// A failure as plain data. `operation` is the call or step ("pread"), `subject` the path or FID.
struct Error {
  ErrorKind kind = ErrorKind::io;
  int sys_errno = 0;  ///< positive; never 0 in an Error that is reported to the coordinator
  std::string operation;
  std::string subject;

  /// Return "operation subject: text (ENAME)", one line, for people.
  [[nodiscard]] std::string describe() const;

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T>
using Outcome = tl::expected<T, Error>;
using Status = Outcome<void>;
using Failure = tl::unexpected<Error>;

[[nodiscard]] ErrorKind kind_of_errno(int sys_errno);

/// Make an Error from an errno value; call it on the line after the failing call.
[[nodiscard]] Failure errno_error(std::string_view operation, std::string_view subject, int sys_errno = errno);

/// Make an Error whose kind is not the errno's usual one.
[[nodiscard]] Failure failure(ErrorKind kind, int sys_errno, std::string_view operation, std::string_view subject);

/// Return the symbolic name of an errno ("ENOSPC"), or its number as text.
[[nodiscard]] std::string errno_name(int sys_errno);

[[nodiscard]] std::string_view to_string(ErrorKind kind);

/// The run cannot go on. Caught in one place, which prints what() and exits with 1.
class Fatal : public std::runtime_error {
 public:
  explicit Fatal(const std::string& line) : std::runtime_error(line) {}
  explicit Fatal(const Error& error) : std::runtime_error(error.describe()) {}
};

/// A wrong option or argument. Caught in one place, which exits with 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace lhsm

/// Leave the function with the error of `expression` (an Outcome) if it holds one.
#define LHSM_TRY(expression)                                                         \
  do {                                                                               \
    if (auto lhsm_outcome_ = (expression); !lhsm_outcome_)                           \
      return ::lhsm::Failure(std::move(lhsm_outcome_).error());                      \
  } while (false)

/// Bind `variable` to the value of `expression` (an Outcome), or leave the function with its error.
#define LHSM_TRY_ASSIGN(variable, expression) LHSM_TRY_ASSIGN_(variable, expression, __LINE__)
#define LHSM_TRY_ASSIGN_(variable, expression, line) LHSM_TRY_ASSIGN__(variable, expression, line)
#define LHSM_TRY_ASSIGN__(variable, expression, line)                                 \
  auto lhsm_outcome_##line = (expression);                                            \
  if (!lhsm_outcome_##line) return ::lhsm::Failure(std::move(lhsm_outcome_##line).error()); \
  variable = std::move(*lhsm_outcome_##line)
