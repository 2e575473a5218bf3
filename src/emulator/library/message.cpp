// SPDX-License-Identifier: LGPL-2.1-or-later
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "library/llapi.hpp"

using namespace lhsm::emulator;

namespace {

using Callback = void (*)(int level, int error, const char* format, va_list arguments);

constexpr int k_level_mask = 7;
constexpr int k_no_errno = 0x10;
constexpr int k_level_max = 7;

/// "program: text: reason (number)", as one write, so that threads do not interleave.
void __attribute__((format(printf, 3, 0))) to_stderr(int level, int error, const char* format, va_list arguments) {
  char text[1024];
  if (std::vsnprintf(text, sizeof text, format, arguments) < 0) return;
  std::string line = std::string(program_invocation_short_name) + ": " + text;
  while (!line.empty() && line.back() == '\n') line.pop_back();
  if ((level & k_no_errno) == 0) line += std::string(": ") + std::strerror(error) + " (" + std::to_string(error) + ")";
  line += "\n";
  std::fputs(line.c_str(), stderr);
}

void __attribute__((format(printf, 3, 0))) to_stdout(int /*level*/, int error, const char* format, va_list arguments) {
  if (error != 0) std::fprintf(stdout, "%s: ", program_invocation_short_name);
  std::vfprintf(stdout, format, arguments);
}

std::atomic<int> g_level{k_level_max};
std::atomic<Callback> g_error_callback{to_stderr};
std::atomic<Callback> g_info_callback{to_stdout};

}  // namespace

LHSM_EXPORT void llapi_msg_set_level(int level) { g_level = level < 0 ? 0 : level > k_level_max ? k_level_max : level; }

LHSM_EXPORT int llapi_msg_get_level() { return g_level; }

LHSM_EXPORT Callback llapi_error_callback_set(Callback callback) {
  return g_error_callback.exchange(callback != nullptr ? callback : to_stderr);
}

LHSM_EXPORT Callback llapi_info_callback_set(Callback callback) {
  return g_info_callback.exchange(callback != nullptr ? callback : to_stdout);
}

LHSM_EXPORT void llapi_error(int level, int error, const char* format, ...) {
  if ((level & k_level_mask) > g_level) return;
  const int saved = errno;
  va_list arguments;
  va_start(arguments, format);
  g_error_callback.load()(level, std::abs(error), format, arguments);
  va_end(arguments);
  errno = saved;
}

LHSM_EXPORT void __attribute__((format(printf, 2, 3))) llapi_printf(int level, const char* format, ...) {
  if ((level & k_level_mask) > g_level) return;
  const int saved = errno;
  va_list arguments;
  va_start(arguments, format);
  g_info_callback.load()(level, 0, format, arguments);
  va_end(arguments);
  errno = saved;
}
