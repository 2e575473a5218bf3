// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>

#include "lhsmtool_mpi/bulk/row_walk.hpp"
#include "lhsmtool_mpi/pages/report.hpp"
#include "lhsmtool_mpi/pages/text.hpp"

namespace lhsm::pages {

Status write_csv(store::SeenJob& job, Output& out) {
  LHSM_TRY(
      out.write("fid,path,size,action,result,errno,attempts,rank,seconds,bytes_copied,first_start,last_start,end,hsm_"
                "state,archive_id,"
                "uid,gid,projid,mtime,mdt_index,stripe_count,links\r\n"));
  return bulk::for_each_slice(
      job.manifest, job.state, store::Columns::all(), [&out](std::uint64_t, const store::ItemSlice& slice) -> Status {
        for (std::size_t i = 0; i < slice.result.size(); ++i) {
          const Fid fid{slice.fid_seq[i], slice.fid_oid[i], slice.fid_ver[i]};
          const std::string error = slice.sys_errno[i] == 0 ? std::string() : errno_name(slice.sys_errno[i]);
          const std::string mdt = slice.mdt_index[i] == ~0U ? std::string() : fmt::format("{}", slice.mdt_index[i]);
          const std::string rank = slice.rank[i] < 0 ? std::string() : fmt::format("{}", slice.rank[i]);
          LHSM_TRY(out.write(
              fmt::format("{},{},{},{},{},{},{},{},{:.3f},{},{},{},{},{:#x},{},{},{},{},{},{},{},{}\r\n",
                          fid.bracketed(), csv_field(slice.path(i)), slice.size[i], bulk::to_string(slice.action[i]),
                          bulk::to_string(slice.result[i]), error, slice.attempts[i], rank, slice.seconds[i],
                          slice.bytes_copied[i], iso_time(slice.first_start[i]), iso_time(slice.last_start[i]),
                          iso_time(slice.end[i]), slice.hsm_state[i], slice.archive_id[i], slice.uid[i], slice.gid[i],
                          slice.projid[i], iso_time(slice.mtime[i]), mdt, slice.stripe_count[i], slice.links[i])));
        }
        return {};
      });
}

}  // namespace lhsm::pages
