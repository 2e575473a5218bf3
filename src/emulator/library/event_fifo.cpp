// SPDX-License-Identifier: LGPL-2.1-or-later
//
// Events of a copytool for whoever monitors it: one JSON object per line into a fifo.
#include <fcntl.h>
#include <unistd.h>
#include <csignal>

#include <cstdio>
#include <cstring>
#include <ctime>
#include <utility>
#include <vector>

#include "library/llapi.hpp"

using namespace lhsm;
using namespace lhsm::emulator;

namespace {

int g_event_fd = -1;
bool g_made_fifo = false;

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append(1, '\\').append(1, c);
    } else if (byte < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", byte);
      out += escape;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

/// Key and value, the value as JSON text. The newest key stands first, as in Lustre's events.
using Event = std::vector<std::pair<std::string_view, std::string>>;

void write_event(Event event) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%d %T %z", &parts);
  event.emplace_back("event_time", quoted(text));
  std::string line;
  for (auto it = event.rbegin(); it != event.rend(); ++it)
    line += (line.empty() ? "{\"" : ", \"") + std::string(it->first) + "\": " + it->second;
  line += "}\n";
  // Events that nobody reads are lost.
  if (::write(g_event_fd, line.data(), line.size()) < 0 && errno != EPIPE && errno != EAGAIN)
    llapi_error(k_message_error, errno, "cannot write event");
}

const char* action_text(std::uint32_t action) {
  switch (action) {
    case abi::HSMA_ARCHIVE: return "ARCHIVE";
    case abi::HSMA_RESTORE: return "RESTORE";
    case abi::HSMA_REMOVE: return "REMOVE";
    default: return nullptr;
  }
}

const char* event_text(CopyEvent event) {
  switch (event) {
    case CopyEvent::start: return "_START";
    case CopyEvent::running: return "_RUNNING";
    case CopyEvent::finish: return "_FINISH";
    case CopyEvent::cancel: return "_CANCEL";
    case CopyEvent::error: return "_ERROR";
  }
  return "";
}

}  // namespace

namespace lhsm::emulator {

void log_registration(const hsm_copytool_private& ct, bool is_register) {
  if (g_event_fd < 0) return;
  write_event({{"uuid", quoted(client_uuid())},
               {"mount_point", quoted(ct.mnt)},
               {"archive", std::to_string(ct.archive_count)},
               {"event_type", is_register ? "\"REGISTER\"" : "\"UNREGISTER\""}});
}

void log_progress(const hsm_copyaction_private& action, const abi::hsm_action_item& item, CopyEvent event,
                  std::uint64_t total, std::uint64_t current) {
  if (g_event_fd < 0) return;
  const char* kind = action_text(item.hai_action);
  if (kind == nullptr) return;
  Event fields{{"data_fid", quoted(from_abi(item.hai_dfid).str())},
               {"source_fid", quoted(from_abi(item.hai_fid).str())}};
  const int error = action.copy.hc_errval;
  if (error == ECANCELED) {
    event = CopyEvent::cancel;
  } else if (error != 0) {
    event = CopyEvent::error;
    fields.emplace_back("errno", std::to_string(error));
    fields.emplace_back("error", quoted(std::strerror(error)));
  } else {
    if (event != CopyEvent::finish) {
      Mount* mount = find_mount(action.ct->mnt_fd);
      Writer request;
      request.put(Op::path_of).put(from_abi(item.hai_dfid)).put(std::int32_t{0});
      const auto answer = mount != nullptr ? mount->call(request) : Answer{-ENOTTY, {}, {}};
      if (answer.rc < 0) {
        // A volatile has no path: a restore has no RUNNING events, as with Lustre.
        llapi_error(k_message_error, -answer.rc, "error in llapi_hsm_log_ct_progress()");
        return;
      }
      auto results = answer.results();
      fields.emplace_back("lustre_path", quoted(results.get_text()));
      fields.emplace_back("total_bytes", std::to_string(total));
    }
    if (event == CopyEvent::running) fields.emplace_back("current_bytes", std::to_string(current));
  }
  fields.emplace_back("event_type", quoted(std::string(kind) + event_text(event)));
  write_event(std::move(fields));
}

}  // namespace lhsm::emulator

LHSM_EXPORT int llapi_hsm_register_event_fifo(const char* path) {
  bool made = true;
  if (::mkfifo(path, 0644) != 0) {
    struct stat st {};
    if (errno != EEXIST || ::stat(path, &st) != 0) {
      const int rc = -errno;
      llapi_error(k_message_error, -rc, "mkfifo(%s) failed", path);
      return rc;
    }
    if (!S_ISFIFO(st.st_mode) || (st.st_mode & 0777) != 0644) {
      llapi_error(k_message_error, EEXIST, "%s exists but is not a pipe or has a wrong mode", path);
      return -EEXIST;
    }
    made = false;
  }
  // Without a reader the open for writing would fail.
  const Fd reader(::open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  g_event_fd = reader ? ::open(path, O_WRONLY | O_NONBLOCK) : -1;
  if (g_event_fd < 0) {
    const int rc = -errno;
    llapi_error(k_message_error, -rc, "cannot open(%s)", path);
    return rc;
  }
  g_made_fifo = made;
  std::ignore = std::signal(SIGPIPE, SIG_IGN);
  return 0;
}

LHSM_EXPORT int llapi_hsm_unregister_event_fifo(const char* path) {
  if (g_event_fd < 0) return 0;
  const int fd = std::exchange(g_event_fd, -1);
  if (::close(fd) != 0) return -errno;
  if (std::exchange(g_made_fifo, false)) std::ignore = ::unlink(path);
  return 0;
}

LHSM_EXPORT void __attribute__((format(printf, 3, 0)))
llapi_hsm_log_error(int level, int error, const char* format, va_list arguments) {
  if (g_event_fd < 0) return;
  constexpr const char* names[] = {"OFF", "FATAL", "ERROR", "WARNING", "NORMAL", "INFO", "DEBUG", ""};
  char text[1024];
  if (std::vsnprintf(text, sizeof text, format, arguments) < 0) return;
  std::string_view message(text);
  while (!message.empty() && message.back() == '\n') message.remove_suffix(1);
  Event fields;
  if ((level & 0x10) == 0) {
    fields.emplace_back("errno", std::to_string(error));
    fields.emplace_back("error", quoted(std::strerror(error)));
  }
  fields.emplace_back("message", quoted(message));
  fields.emplace_back("level", quoted(names[level & 7]));
  fields.emplace_back("event_type", "\"LOGGED_MESSAGE\"");
  write_event(std::move(fields));
}
