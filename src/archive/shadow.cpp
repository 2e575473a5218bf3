// SPDX-License-Identifier: LGPL-2.1-or-later
#include "shadow.hpp"

#include <limits.h>

#include <array>
#include <cstdio>
#include <string_view>
#include <tuple>

#include "names.hpp"

namespace lhsm::archive {

namespace {

enum class Found { same, other, no_link };

Found look_at(const Fd& dir, const std::string& name, const std::string& target) {
  std::array<char, PATH_MAX> text{};
  const ssize_t length = ::readlinkat(*dir, name.c_str(), text.data(), text.size());
  if (length < 0) return Found::no_link;
  return std::string_view(text.data(), static_cast<std::size_t>(length)) == target ? Found::same : Found::other;
}

}  // namespace

std::string shadow_target(const std::string& path, const std::string& object) {
  std::string target = "../";
  for (const char c : path)
    if (c == '/') target += "../";
  return target + object;
}

Status note_in_shadow(const Beneath& tree, const std::string& path, const std::string& object,
                      const std::string& unique) {
  const std::string link = "shadow/" + path;
  if (!is_plain_path(path)) return errno_error("shadow link", tree.full(link), EINVAL);
  const std::string target = shadow_target(path, object);
  const std::string dir_path = link.substr(0, link.rfind('/'));
  const std::string name = link.substr(link.rfind('/') + 1);
  std::vector<Fd> made;
  LHSM_TRY_ASSIGN(const Fd dir, tree.make_dir(dir_path, made, Links::none));
  if (::symlinkat(target.c_str(), *dir, name.c_str()) == 0) return {};
  if (const int error = errno; error != EEXIST) return errno_error("symlink", tree.full(link), error);

  switch (look_at(dir, name, target)) {
    case Found::same: return {};
    case Found::no_link: return errno_error("symlink", tree.full(link), EEXIST);
    case Found::other: break;
  }
  const std::string making = ".lhsmtool_mpi_link." + unique;  // a file's name may fill NAME_MAX: none added to it
  if (::symlinkat(target.c_str(), *dir, making.c_str()) != 0) return errno_error("symlink", tree.full(link));
  if (::renameat(*dir, making.c_str(), *dir, name.c_str()) == 0) return {};
  const int error = errno;
  std::ignore = ::unlinkat(*dir, making.c_str(), 0);  // the rename's error is the one to tell
  return errno_error("rename", tree.full(link), error);
}

}  // namespace lhsm::archive
