#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Submit a restore and what is to follow it, as a chain of PBS jobs: restore.pbs, run again until all is done; then a report of
# it, whether it succeeded (afterok) or not (afternotok). Prints the ids of the three jobs. To be started where qsub works. Who may not use
# qrerun gets the second report when work is left: submit again then.
#   restore-chain-pbs.sh project.h5                          with the variables of restore.pbs in the environment
#   TREE=/mnt/lustre/project restore-chain-pbs.sh project.h5 -l select=8:ncpus=2:mpiprocs=2 -l walltime=12:00:00
#   AFTER='qsub analysis.pbs' restore-chain-pbs.sh project.h5      run by the report job when all is there
set -euo pipefail

case ${1:--} in
  -*)
    echo "Usage: restore-chain-pbs.sh JOB.h5 [QSUB-OPTION...]" >&2
    exit 2
    ;;
esac
JOB=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=jobs/chain-reports.sh
. "$here/chain-reports.sh"

# follow NAME DEPENDENCY TEXT: submit a short job; -V hands the environment on.
follow() {
  # shellcheck disable=SC2016 # expanded by the job
  printf '#!/bin/bash\ncd "${PBS_O_WORKDIR:-.}" || exit 1\n%s\n' "$3" |
    qsub -V -N "$1" -j oe -l select=1:ncpus=1 -l walltime=00:30:00 -W "depend=$2:$restore"
}

restore=$(qsub -V "$@" "$here/restore.pbs")
ok=$(follow lhsm-restored afterok "$report")
notok=$(follow lhsm-notrestored afternotok "$not_restored")
echo "$restore $ok $notok"
