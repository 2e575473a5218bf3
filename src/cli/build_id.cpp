// SPDX-License-Identifier: LGPL-2.1-or-later
#include "lhsmtool_mpi/cli/build_id.hpp"

#include <elf.h>
#include <fmt/core.h>
#include <fmt/format.h>
#include <link.h>

#include <CLI/Version.hpp>
#include <boost/version.hpp>
#include <cstring>
#include <filesystem>

#include "lhsmtool_mpi/base/log.hpp"
#include "lhsmtool_mpi/comm/message.hpp"
#include "lhsmtool_mpi/comm/mpi_session.hpp"
#include "lhsmtool_mpi/lustre/llapi_table.hpp"
#include "lhsmtool_mpi/store/library_versions.hpp"

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
  const auto llapi = lustre::system_llapi_library();
  const std::string emulated = lustre::emulator_llapi_library();
  std::error_code ec;
  const bool has_emulator = std::filesystem::exists(emulated, ec);
#ifdef NDEBUG
  const char* const assertions = "off";
#else
  const char* const assertions = "on";
#endif
  std::string text = fmt::format("lhsmtool_mpi {}\n", LHSM_VERSION);
  text += fmt::format("build:     {} ({}, {}, link-time optimization {}, sanitizers {}, assertions {})\n", build_identity(),
                      LHSM_BUILD_TYPE, "g++ " __VERSION__, LHSM_LTO, LHSM_SANITIZERS, assertions);
  text += fmt::format("protocol:  {}\n", comm::k_protocol_version);
  text += fmt::format("libraries: {}, HDF5 {}, Boost {}.{}.{}, xxHash {}, fmt {}.{}.{}, CLI11 {}, spdlog {}\n",
                      comm::mpi_library_version(), store::hdf5_version(), BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000,
                      BOOST_VERSION % 100, store::xxhash_version(), FMT_VERSION / 10000, FMT_VERSION / 100 % 100,
                      FMT_VERSION % 100, CLI11_VERSION, log::library_version());
  text += fmt::format("lustre:    {}; emulated: {}\n", llapi ? *llapi : "no liblustreapi is found", has_emulator ? emulated : "none is found");
  text += "licence:   LGPL-2.1-or-later; there is no warranty\n";
  return text;
}

}  // namespace lhsm::cli
