# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The words of the end-to-end tests; each test sources this first and then says `begin TITLE`.
# Only lfs, lctl, mpirun, the tool, bash, awk, sed and coreutils are used, so that the same files run on
# the emulator and, with LHSM_TEST_MOUNT, on a real Lustre.
#
# Environment:
#   LHSM_BUILD_DIR       the build tree (default: build/ beside tests/)
#   LHSM_TEST_MOUNT      a mounted Lustre to test on, as root; none: an emulated one for each test
#   LHSM_TEST_ARCHIVE    where the archive goes (default: a temporary directory)
#   LHSM_TEST_ARCHIVE_ID archive id to serve (default 1)
#   LHSM_TEST_PATIENCE   factor on all time limits (default 3; 6 on a real mount)
#   LHSM_TEST_KEEP       1: keep the temporary directory of a test that passed, too
set -euo pipefail

E2E_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
E2E_SOURCE=$(cd "$E2E_DIR/../.." && pwd)
# shellcheck disable=SC2034 # for what is sourced below
E2E_BUILD=$(cd "${LHSM_BUILD_DIR:-$E2E_SOURCE/build}" 2> /dev/null && pwd) || {
  echo "Bail out! no build tree at ${LHSM_BUILD_DIR:-$E2E_SOURCE/build}"
  exit 1
}

export LHSMTOOL_MPI_CONFIG=/dev/null # nothing of this machine's own

# shellcheck source=scripts/mpi-env.sh
. "$E2E_SOURCE/scripts/mpi-env.sh"
# shellcheck source=tests/e2e/lib/tap.sh
. "$E2E_DIR/lib/tap.sh"
# shellcheck source=tests/e2e/lib/lustre.sh
. "$E2E_DIR/lib/lustre.sh"
# shellcheck source=tests/e2e/lib/copytool.sh
. "$E2E_DIR/lib/copytool.sh"
# shellcheck source=tests/e2e/lib/files.sh
. "$E2E_DIR/lib/files.sh"
