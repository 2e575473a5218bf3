// SPDX-License-Identifier: LGPL-2.1-or-later
#include "daemon/parameters.hpp"

#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>

#include "core/text.hpp"

namespace lhsm::emulator {
namespace {

constexpr std::array<std::string_view, 18> k_names{
    "hsm.actions",
    "hsm.active_request_timeout",
    "hsm.active_requests",
    "hsm.agents",
    "hsm.archive_count",
    "hsm.default_archive_id",
    "hsm.grace_delay",
    "hsm.group_request_mask",
    "hsm.loop_period",
    "hsm.max_requests",
    "hsm.other_request_mask",
    "hsm.policy",
    "hsm.remove_archive_on_last_unlink",
    "hsm.remove_count",
    "hsm.restore_count",
    "hsm.user_request_mask",
    "hsm_control",
    "uuid",
};

/// lctl takes '/' for '.' between the parts of a name.
std::string dotted(std::string pattern) {
  std::replace(pattern.begin(), pattern.end(), '/', '.');
  return pattern;
}

/// A '*' stands for one part of the name, as in the directory tree that lctl globs in.
bool matches(const std::string& pattern, std::string name) {
  std::string tree = pattern;
  std::replace(tree.begin(), tree.end(), '.', '/');
  std::replace(name.begin(), name.end(), '.', '/');
  return ::fnmatch(tree.c_str(), name.c_str(), FNM_PATHNAME) == 0;
}

}  // namespace

std::string Parameters::prefix(std::size_t mdt) const { return fmt::format("mdt.{}-MDT{:04x}.", m_fsname, mdt); }

std::string Parameters::text_of(const Coordinator& mdt, std::string_view name) {
  if (name == "hsm_control") return std::string(control_text(mdt.state())) + "\n";
  if (!name.starts_with("hsm.")) return {};
  name.remove_prefix(4);
  if (name == "actions") return actions_text(mdt);
  if (name == "active_requests") return active_requests_text(mdt);
  if (name == "agents") return agents_text(mdt);
  if (name == "archive_count") return fmt::format("{}\n", mdt.running_of(abi::HSMA_ARCHIVE));
  if (name == "restore_count") return fmt::format("{}\n", mdt.running_of(abi::HSMA_RESTORE));
  if (name == "remove_count") return fmt::format("{}\n", mdt.running_of(abi::HSMA_REMOVE));
  std::string text;
  std::ignore = mdt.settings.get(name, text);
  return text;
}

std::vector<std::pair<std::string, std::string>> Parameters::get(const std::string& pattern) const {
  std::vector<std::pair<std::string, std::string>> found;
  const auto wanted = dotted(pattern);
  for (std::size_t mdt = 0; mdt < m_mdts.size(); ++mdt)
    for (const auto name : k_names) {
      auto full = prefix(mdt) + std::string(name);
      if (!matches(wanted, full)) continue;
      auto text = name == "uuid" ? fmt::format("{}-MDT{:04x}_UUID\n", m_fsname, mdt) : text_of(*m_mdts[mdt], name);
      found.emplace_back(std::move(full), std::move(text));
    }
  return found;
}

int Parameters::set(const std::string& pattern, std::string_view value, TimePoint now, std::vector<std::string>& done) {
  const auto wanted = dotted(pattern);
  bool any = false;
  for (std::size_t mdt = 0; mdt < m_mdts.size(); ++mdt)
    for (const auto name : k_names) {
      const auto full = prefix(mdt) + std::string(name);
      if (!matches(wanted, full)) continue;
      any = true;
      if (const int rc = set_one(*m_mdts[mdt], name, value, now); rc != 0) return rc;
      done.push_back(full);
    }
  return any ? 0 : -ENOENT;
}

int Parameters::set_one(Coordinator& mdt, std::string_view name, std::string_view value, TimePoint now) {
  if (name == "hsm_control") return mdt.control(value, now);
  if (!name.starts_with("hsm.")) return -EACCES;
  name.remove_prefix(4);
  const int rc = mdt.settings.set(name, value);
  return rc == -ENOENT ? -EACCES : rc;  // the others exist, but cannot be written
}

}  // namespace lhsm::emulator
