#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Submit a restore and what is to follow it, as a chain of LSF jobs: restore.lsf, requeued until all is done; then a report of
# it, whether it succeeded (done) or not (exit). Prints the ids of the three jobs. To be started where bsub works.
#   restore-chain-lsf.sh project.h5                          with the variables of restore.lsf in the environment
#   TREE=/mnt/lustre/project restore-chain-lsf.sh project.h5 -n 16 -W 12:00
#   AFTER='bsub < analysis.lsf' restore-chain-lsf.sh project.h5      run by the report job when all is there
set -euo pipefail

case ${1:--} in
  -*)
    echo "Usage: restore-chain-lsf.sh JOB.h5 [BSUB-OPTION...]" >&2
    exit 2
    ;;
esac
JOB=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=jobs/chain-reports.sh
. "$here/chain-reports.sh"

# submit OPTION...: a job of what stdin has; prints its id.
submit() {
  local said
  said=$(bsub "$@")
  [[ $said =~ Job\ \<([0-9]+)\> ]] || {
    echo "restore-chain-lsf.sh: bsub says: $said" >&2
    return 1
  }
  echo "${BASH_REMATCH[1]}"
}
# follow NAME CONDITION TEXT: submit a short job, which goes when its condition cannot come true any more (-ti).
follow() { printf '#!/bin/bash\n%s\n' "$3" | submit -J "$1" -n 1 -W 0:30 -o "$1.%J.out" -ti -w "$2($restore)"; }

restore=$(submit "$@" < "$here/restore.lsf")
ok=$(follow lhsm-restored "done" "$report")
notok=$(follow lhsm-not-restored "exit" "$not_restored")
echo "$restore $ok $notok"
