// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/lfs_commands.hpp"

#include <array>

namespace lhsm::emulator {

std::span<const LfsCommand> lfs_commands() {
  static constexpr std::array<LfsCommand, 18> commands{{
      {"hsm_state", "hsm_state <file> ...", lfs_hsm_state},
      {"hsm_set",
       "hsm_set [--norelease] [--noarchive] [--dirty] [--exists] [--archived] [--lost] [--archive-id NUM] <file> ...",
       lfs_hsm_set},
      {"hsm_clear", "hsm_clear [--norelease] [--noarchive] [--dirty] [--exists] [--archived] [--lost] <file> ...",
       lfs_hsm_clear},
      {"hsm_action", "hsm_action <file> ...", lfs_hsm_action},
      {"hsm_archive", "hsm_archive [--filelist FILELIST] [--data DATA] [--archive NUM] <file> ...", lfs_hsm_archive},
      {"hsm_restore", "hsm_restore [--filelist FILELIST] [--data DATA] <file> ...", lfs_hsm_restore},
      {"hsm_release", "hsm_release [--filelist FILELIST] [--data DATA] <file> ...", lfs_hsm_release},
      {"hsm_remove",
       "hsm_remove [--filelist FILELIST] [--data DATA] [--archive NUM] (FILE ... | --mntpath MOUNTPATH FID ...)",
       lfs_hsm_remove},
      {"hsm_cancel", "hsm_cancel [--filelist FILELIST] [--data DATA] <file> ...", lfs_hsm_cancel},
      {"path2fid", "path2fid <path> ...", lfs_path2fid},
      {"fid2path", "fid2path [--print0] [--print-fid] [--name] <fsname|root> <fid> ...", lfs_fid2path},
      {"data_version", "data_version [-n|-r|-w] <path>", lfs_data_version},
      {"mkdir", "mkdir [--mdt-index|-i MDT] [--mode|-o MODE] <directory> ...", lfs_mkdir},
      {"setstripe",
       "setstripe [-c|-C STRIPE_COUNT] [-S STRIPE_SIZE] [-i OST] [-o OST,...] [-p POOL] [-E END [-L mdt|raid0] ...]... "
       "<file|directory> ... | setstripe -d <directory> ...",
       lfs_setstripe},
      {"getstripe",
       "getstripe [-cSiLpgFNmdrRqvz] [-E[END]] [-I[ID]] "
       "[--component-count|--component-start|--component-flags[=FLAGS]] "
       "<file|directory> ...",
       lfs_getstripe},
      {"pool_list", "pool_list <fsname>[.<pool>] | <path>", lfs_pool_list},
      {"project", "project [-d|-r] [-c [-0]|-C [-k]|-s] [-p ID] <file|directory> ...", lfs_project},
      {"setquota", "setquota {-u|-g|-p} <id> [-b SOFT] [-B HARD] [-i SOFT] [-I HARD] <mount point>", lfs_setquota},
  }};
  return commands;
}

}  // namespace lhsm::emulator
