// SPDX-License-Identifier: LGPL-2.1-or-later
#include <algorithm>
#include <set>

#include "client/layout.hpp"

namespace lhsm::emulator {
namespace {

constexpr std::uint32_t k_raid0 = LayoutHeader::k_raid0;

Failure invalid(std::string_view what) { return errno_error(what, "lustre.lov", EINVAL); }

bool is_misaligned(std::uint64_t offset) { return offset % LayoutHeader::k_min_stripe != 0; }

/// Offsets are signed on Lustre; only "end of file" has the highest bit.
bool is_bad_offset(std::uint64_t offset) {
  return offset != CompositeEntry::k_eof && (is_misaligned(offset) || (offset >> 63U) != 0);
}

Status check_pattern(const Component& component, const OstMap& osts) {
  const auto& header = component.header;
  const std::uint32_t pattern = header.pattern & ~LayoutHeader::k_released;
  const bool is_striped = pattern == 0 || pattern == k_raid0 || pattern == (k_raid0 | LayoutHeader::k_overstriped);
  if (!is_striped && pattern != LayoutHeader::k_mdt) return invalid("stripe pattern");
  if ((header.pattern & LayoutHeader::k_released) != 0) return {};  // is given its objects when it is restored
  if (is_misaligned(header.stripe_size)) return invalid("stripe size");
  if (!is_striped || header.stripe_offset == LayoutHeader::k_any_ost) return {};
  if (header.stripe_offset >= osts.count) return invalid("stripe offset");
  const std::uint16_t first = header.stripe_offset;
  if (const auto pool = osts.pool(component.pool); pool && std::find(pool->begin(), pool->end(), first) == pool->end())
    return invalid("stripe offset");
  return {};
}

Status check_chosen_osts(const Component& component, const OstMap& osts) {
  if (component.header.magic != LayoutHeader::k_specific) return {};
  std::set<std::uint32_t> seen;
  for (const auto& object : component.objects) {
    const std::uint32_t index = object.ost_index;
    if (index >= osts.count) return errno_error("chosen OST", "lustre.lov", ENODEV);
    if (!seen.insert(index).second && (component.header.pattern & LayoutHeader::k_overstriped) == 0)
      return invalid("chosen OST");
  }
  const std::uint32_t first = component.header.stripe_offset;
  if (first != LayoutHeader::k_any_ost && !seen.empty() && !seen.contains(first)) return invalid("stripe offset");
  return {};
}

Status check_mdt_component(const Component& component) {
  const auto& header = component.header;
  if (component.entry.start != 0) return invalid("MDT component is not the first");
  if (header.stripe_size != component.entry.end) return invalid("stripe size of an MDT component");
  if (header.stripe_count > 1) return invalid("stripe count of an MDT component");
  if (!component.pool.empty()) return invalid("pool of an MDT component");
  return {};
}

Status check_composite(const Layout& wanted, const OstMap& osts) {
  if (wanted.components.empty()) return invalid("no component");
  std::uint64_t end = 0;
  unsigned mirrors = 0;
  for (const auto& component : wanted.components) {
    const auto& entry = component.entry;
    if (entry.start > entry.end || is_bad_offset(entry.start) || is_bad_offset(entry.end)) return invalid("extent");
    if (entry.start == 0) {
      ++mirrors;
      end = 0;
    }
    if (entry.start != end) return invalid("extent");
    end = entry.end;
    if (!component.foreign.empty()) {
      if (entry.start != 0 || entry.end != CompositeEntry::k_eof) return invalid("extent of an HSM component");
      continue;
    }
    if (component.is_mdt()) LHSM_TRY(check_mdt_component(component));
    LHSM_TRY(check_pattern(component, osts));
    LHSM_TRY(check_chosen_osts(component, osts));
    const std::uint64_t size = component.header.stripe_size;
    if (end != CompositeEntry::k_eof && entry.start != end && size != 0 && end % size != 0)
      return invalid("extent and stripe size");
  }
  if (mirrors != wanted.head.mirror_count + 1U) return invalid("mirror count");
  return {};
}

}  // namespace

Status check_layout(const Layout& wanted, const OstMap& osts) {
  if (!wanted.foreign.empty()) return {};
  if (wanted.is_composite) return check_composite(wanted, osts);
  const auto& only = wanted.components.at(0);
  if (only.is_mdt()) return invalid("MDT pattern without components");
  LHSM_TRY(check_pattern(only, osts));
  return check_chosen_osts(only, osts);
}

bool is_empty_default(const Layout& wanted) {
  if (wanted.is_composite || !wanted.foreign.empty()) return false;
  const auto& header = wanted.components.at(0).header;
  return header.stripe_size == 0 && header.stripe_count == 0 && header.stripe_offset == LayoutHeader::k_any_ost &&
         wanted.components[0].pool.empty();
}

}  // namespace lhsm::emulator
