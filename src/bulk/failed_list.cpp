// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fcntl.h>
#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "lhsmtool_mpi/base/fd.hpp"
#include "lhsmtool_mpi/bulk/failed_list.hpp"
#include "lhsmtool_mpi/bulk/job_manifest.hpp"
#include "lhsmtool_mpi/bulk/row_walk.hpp"

namespace lhsm::bulk {

using store::Column;
using store::ItemSlice;

/// How the list looks.
class FailedList::Form {
 public:
  virtual ~Form() = default;
  [[nodiscard]] virtual std::string begin() const { return {}; }
  [[nodiscard]] virtual std::string item(const FailedItem& item) = 0;
  [[nodiscard]] virtual std::string end() const { return {}; }
};

namespace {

class PlainForm final : public FailedList::Form {
 public:
  std::string item(const FailedItem& item) override {
    const bool has_name = !item.path.empty() && item.path.find('\n') == std::string::npos;
    return (has_name ? item.path : item.fid.bracketed()) + "\n";
  }
};

/// RFC 4180; paths are bytes as they are.
class CsvForm final : public FailedList::Form {
 public:
  [[nodiscard]] std::string begin() const override { return "fid,path,result,errno,text,attempts\r\n"; }
  std::string item(const FailedItem& item) override {
    return fmt::format("{},{},{},{},{},{}\r\n", item.fid.bracketed(), quoted(item.path), item.result,
                       item.sys_errno == 0 ? "" : errno_name(item.sys_errno), quoted(text_of(item.sys_errno)),
                       item.attempts);
  }
  static std::string text_of(int sys_errno) { return sys_errno == 0 ? std::string() : std::strerror(sys_errno); }

 private:
  static std::string quoted(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + '"';
  }
};

/// One array; bytes of paths that are no UTF-8 are replaced, the FID tells the file.
class JsonForm final : public FailedList::Form {
 public:
  [[nodiscard]] std::string begin() const override { return "["; }
  std::string item(const FailedItem& item) override {
    nlohmann::json json{{"fid", item.fid.bracketed()},
                        {"path", item.path},
                        {"result", item.result},
                        {"errno", item.sys_errno},
                        {"error", item.sys_errno == 0 ? "" : errno_name(item.sys_errno)},
                        {"text", CsvForm::text_of(item.sys_errno)},
                        {"attempts", item.attempts}};
    const std::string before = m_first ? "\n" : ",\n";
    m_first = false;
    return before + json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  [[nodiscard]] std::string end() const override { return "\n]\n"; }

 private:
  bool m_first = true;
};

std::unique_ptr<FailedList::Form> form_for(const std::string& path) {
  if (path.ends_with(".csv")) return std::make_unique<CsvForm>();
  if (path.ends_with(".json")) return std::make_unique<JsonForm>();
  return std::make_unique<PlainForm>();
}

}  // namespace

FailedList::FailedList(ReplacementFile file) : m_form(form_for(file.path())), m_file(std::move(file)), m_buffer(m_form->begin()) {}
FailedList::FailedList(FailedList&&) noexcept = default;
FailedList::~FailedList() = default;

Outcome<FailedList> FailedList::create(const std::string& path) {
  LHSM_TRY_ASSIGN(auto file, ReplacementFile::create(path));
  return FailedList(std::move(file));
}

Status FailedList::add(const FailedItem& item) {
  constexpr std::size_t k_much = 65536;
  m_buffer += m_form->item(item);
  ++m_count;
  return m_buffer.size() < k_much ? Status() : flush();
}

Status FailedList::flush() {
  LHSM_TRY(m_file.write(m_buffer));
  m_buffer.clear();
  return {};
}

Outcome<std::uint64_t> FailedList::finish() {
  m_buffer += m_form->end();
  LHSM_TRY(flush());
  LHSM_TRY(m_file.finish());
  return m_count;
}

Status try_failed_list(const std::string& path, const std::string& manifest) {
  const auto place = [](const std::string& name) {
    std::error_code ec;
    const auto found = std::filesystem::weakly_canonical(std::filesystem::absolute(name, ec), ec);
    return ec ? std::filesystem::path(name) : found;
  };
  for (const std::string& file : {manifest, store::journal_path(manifest), store::rotated_journal_path(manifest), manifest + ".lock"})
    if (place(path) == place(file))
      return failure(ErrorKind::invalid, EEXIST, "write the list of what failed over a file of the job:", path);
  const Fd there(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (there && store::looks_like_manifest(*there))
    return failure(ErrorKind::invalid, EEXIST, "write the list of what failed over the manifest", path);
  LHSM_TRY_ASSIGN(const FailedList list, FailedList::create(path));
  return {};
}

Outcome<std::uint64_t> write_failed(const std::string& path, const std::string& mount_point,
                                    store::ManifestReader& manifest, const store::JournalState& state) {
  LHSM_TRY_ASSIGN(FailedList list, FailedList::create(path));
  const store::Columns columns{Column::fid_seq, Column::fid_oid,   Column::fid_ver, Column::path,
                               Column::result,  Column::sys_errno, Column::attempts};
  const auto add_failed = [&](std::uint64_t, const ItemSlice& slice) -> Status {
    for (std::size_t i = 0; i < slice.result.size(); ++i) {
      if (!is_unsuccessful(slice.result[i])) continue;
      const std::string_view below = slice.path(i);
      LHSM_TRY(list.add({{slice.fid_seq[i], slice.fid_oid[i], slice.fid_ver[i]},
                         below.empty() ? std::string() : mount_point + "/" + std::string(below),
                         std::string(to_string(slice.result[i])),
                         slice.sys_errno[i],
                         slice.attempts[i]}));
    }
    return {};
  };
  LHSM_TRY(for_each_slice(manifest, state, columns, add_failed));
  return list.finish();
}

}  // namespace lhsm::bulk
