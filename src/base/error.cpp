// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/base/error.hpp"

#include <fmt/format.h>

#include <cstring>

namespace lhsm {

ErrorKind kind_of_errno(int sys_errno) {
  switch (sys_errno) {
    case ENOENT:
    case ENOTDIR:
    case ESTALE:
      return ErrorKind::not_found;
    case EPERM:
    case EACCES:
    case EROFS:
      return ErrorKind::denied;
    case ENOSPC:
    case EDQUOT:
      return ErrorKind::no_space;
    case EBUSY:
    case EAGAIN:
      return ErrorKind::busy;
    case ETIMEDOUT:
      return ErrorKind::timeout;
    case ECANCELED:
      return ErrorKind::cancelled;
    case EOPNOTSUPP:
    case ENOTTY:
    case ENOSYS:
      return ErrorKind::unsupported;
    case EINVAL:
    case EFBIG:  // no room that is made later helps it
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
      return ErrorKind::invalid;
    default:
      return ErrorKind::io;
  }
}

std::string errno_name(int sys_errno) {
  const char* name = ::strerrorname_np(sys_errno);
  return name != nullptr ? name : std::to_string(sys_errno);
}

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::io: return "io";
    case ErrorKind::not_found: return "not_found";
    case ErrorKind::denied: return "denied";
    case ErrorKind::no_space: return "no_space";
    case ErrorKind::corrupt: return "corrupt";
    case ErrorKind::changed: return "changed";
    case ErrorKind::busy: return "busy";
    case ErrorKind::timeout: return "timeout";
    case ErrorKind::cancelled: return "cancelled";
    case ErrorKind::unsupported: return "unsupported";
    case ErrorKind::invalid: return "invalid";
    case ErrorKind::internal: return "internal";
  }
  return "unknown";
}

std::string Error::describe() const {
  const char* text = ::strerrordesc_np(sys_errno);
  return fmt::format("{} {}: {} ({})", operation, subject, text != nullptr ? text : "unknown error",
                     errno_name(sys_errno));
}

Failure errno_error(std::string_view operation, std::string_view subject, int sys_errno) {
  return failure(kind_of_errno(sys_errno), sys_errno, operation, subject);
}

Failure failure(ErrorKind kind, int sys_errno, std::string_view operation, std::string_view subject) {
  return Failure(Error{kind, sys_errno, std::string(operation), std::string(subject)});
}

}  // namespace lhsm
