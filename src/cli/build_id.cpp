// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/cli/build_id.hpp"

#include <elf.h>
#include <fmt/core.h>
#include <fmt/format.h>
#include <link.h>

#include <boost/version.hpp>
#include <cstring>

#include "lhsmtool_mpi/comm/mpi_session.hpp"
#include "lhsmtool_mpi/comm/message.hpp"

namespace lhsm::cli {

namespace {

/// Look for the note NT_GNU_BUILD_ID in the first object of the list, which is the executable.
int find_build_id(dl_phdr_info* object, std::size_t, void* result) {
  auto& hex = *static_cast<std::string*>(result);
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    const auto* at = reinterpret_cast<const unsigned char*>(object->dlpi_addr + segment.p_vaddr);
    const auto* const end = at + segment.p_memsz;
    while (end - at >= static_cast<std::ptrdiff_t>(sizeof(ElfW(Nhdr)))) {
      ElfW(Nhdr) note{};
      std::memcpy(&note, at, sizeof note);
      const auto padded = [](std::size_t n) { return (n + 3) & ~std::size_t{3}; };
      const auto* const name = at + sizeof note;
      const auto* const value = name + padded(note.n_namesz);
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(name, "GNU", 4) == 0) {
        for (std::size_t k = 0; k < note.n_descsz; ++k) hex += fmt::format("{:02x}", value[k]);
        return 1;
      }
      at = value + padded(note.n_descsz);
    }
  }
  return 1;  // only the executable counts
}

}  // namespace

std::string build_identity() {
  std::string hex;
  dl_iterate_phdr(find_build_id, &hex);
  return fmt::format("{}+{}", LHSM_VERSION, hex.substr(0, 16));
}

std::string version_text() {
  return fmt::format(
      "lhsmtool_mpi {}\n"
      "build:     {} ({}, {})\n"
      "protocol:  {}\n"
      "libraries: {}; Boost {}.{}.{}; fmt {}\n",
      LHSM_VERSION, build_identity(), LHSM_BUILD_TYPE, "g++ " __VERSION__, comm::k_protocol_version,
      comm::mpi_library_version(), BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100,
      FMT_VERSION);
}

}  // namespace lhsm::cli
