// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/store/item.hpp"

#include <fmt/format.h>

#include "random.hpp"

namespace lhsm::store {

std::string ManifestIdentity::uuid_text() const {
  std::string text;
  for (const auto byte : uuid) text += fmt::format("{:02x}", byte);
  return text;
}

ManifestIdentity ManifestIdentity::make() {
  ManifestIdentity identity;
  fill_random(identity.uuid);
  identity.generation = 1;
  return identity;
}

}  // namespace lhsm::store
