// SPDX-License-Identifier: LGPL-2.1-or-later
#include "client/layout.hpp"

#include <cstring>

namespace lhsm::emulator {

std::string default_layout() {
  const LayoutHeader header;
  const std::string_view bytes(reinterpret_cast<const char*>(&header), sizeof header);
  return *instantiated_layout(bytes);
}

Outcome<LayoutHeader> layout_header(std::string_view layout) {
  LayoutHeader header;
  if (layout.size() < sizeof header) return errno_error("layout", "lustre.lov", EINVAL);
  std::memcpy(static_cast<void*>(&header), layout.data(), sizeof header);
  if (header.magic != LayoutHeader::k_v1 && header.magic != LayoutHeader::k_v3)
    return errno_error("layout", "lustre.lov", header.magic == LayoutHeader::k_composite ? EOPNOTSUPP : EINVAL);
  return header;
}

Outcome<std::string> instantiated_layout(std::string_view wanted, std::uint16_t ost_count) {
  auto header = layout_header(wanted);
  if (!header && header.error().sys_errno == EOPNOTSUPP) return std::string(wanted);  // kept as it is
  if (!header) return Failure(header.error());
  const std::size_t fixed = sizeof *header + (header->magic == LayoutHeader::k_v3 ? LayoutHeader::k_pool_size : 0);
  if (wanted.size() < fixed) return errno_error("layout", "lustre.lov", EINVAL);
  if (header->stripe_count == 0) header->stripe_count = 1;
  if (header->stripe_count == 0xffff) header->stripe_count = ost_count;
  if (header->stripe_size == 0) header->stripe_size = LayoutHeader().stripe_size;
  header->pattern &= ~LayoutHeader::k_released;
  std::uint16_t first_ost = header->stripe_offset;
  if (first_ost >= ost_count) first_ost = 0;
  header->stripe_offset = 0;  // from now on the generation

  std::string layout(wanted.substr(0, fixed));
  std::memcpy(layout.data(), &*header, sizeof *header);
  for (std::uint16_t stripe = 0; stripe < header->stripe_count; ++stripe) {
    OstObject object;
    object.ost_index = static_cast<std::uint32_t>((first_ost + stripe) % ost_count);
    layout.append(reinterpret_cast<const char*>(&object), sizeof object);
  }
  return layout;
}

std::string with_released_flag(std::string layout, bool released) {
  if (auto header = layout_header(layout)) {
    header->pattern =
        released ? header->pattern | LayoutHeader::k_released : header->pattern & ~LayoutHeader::k_released;
    std::memcpy(layout.data(), &*header, sizeof *header);
  }
  return layout;
}

}  // namespace lhsm::emulator
