// SPDX-License-Identifier: LGPL-2.1-or-later
// The input as each of the texts that people, archives and other processes write: sizes, digests, FIDs,
// control files, tables of objects in the making.
#include "../../src/archive/making_record.hpp"
#include "../../src/archive/ticket.hpp"
#include "check.hpp"
#include "lhsmtool_mpi/base/fid.hpp"
#include "lhsmtool_mpi/base/size.hpp"
#include "lhsmtool_mpi/cli/control_file.hpp"
#include "lhsmtool_mpi/copy/digest.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace lhsm;
  const auto text = as_text(data, size);
  if (const auto bytes = parse_size(text, k_MiB)) FUZZ_CHECK(*bytes <= std::uint64_t{1} << 63U);
  if (const auto digest = copy::ObjectDigest::parse(text)) FUZZ_CHECK(copy::ObjectDigest::parse(digest->text()) == digest);
  if (const auto fid = Fid::parse(text)) FUZZ_CHECK(Fid::parse(fid->str()) == fid);
  if (const auto controls = cli::parse_controls(text); controls && text.empty()) FUZZ_CHECK(!controls->bandwidth);
  if (const auto record = archive::parse_record(text)) {
    const auto again = archive::parse_record(archive::record_text(*record));
    FUZZ_CHECK(again && again->fid == record->fid && again->number == record->number);
  }
  if (const auto ticket = archive::parse_ticket(text)) {
    const auto again = archive::parse_ticket(archive::ticket_text(*ticket));
    FUZZ_CHECK(again && again->name == ticket->name && again->inode == ticket->inode);
  }
  if (const auto process = archive::process_of_table(text)) FUZZ_CHECK(process->find('/') == std::string::npos);
  if (const auto header = archive::parse_header(text)) FUZZ_CHECK(header->process.pid > 0);
  return 0;
}
