#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Submit a restore and what is to follow it, as a chain of Slurm jobs: restore.sbatch, requeued until all is done; then a report
# of it, whether it succeeded (afterok) or not (afternotok). Prints the ids of the three jobs. To be started where sbatch works.
#   restore-chain.sh project.h5                          with the variables of restore.sbatch in the environment
#   TREE=/mnt/lustre/project restore-chain.sh project.h5 --nodes=8 --time=12:00:00
#   AFTER='sbatch analysis.sbatch' restore-chain.sh project.h5      run by the report job when all is there
set -euo pipefail

case ${1:--} in
  -*)
    echo "Usage: restore-chain.sh JOB.h5 [SBATCH-OPTION...]" >&2
    exit 2
    ;;
esac
JOB=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=jobs/chain-reports.sh
. "$here/chain-reports.sh"

follow=(--parsable --kill-on-invalid-dep=yes --nodes=1 --ntasks=1 --time=00:30:00)

restore=$(sbatch --parsable "$@" "$here/restore.sbatch")
ok=$(sbatch "${follow[@]}" --job-name=lhsm-restored --dependency="afterok:$restore" --wrap "$report")
notok=$(sbatch "${follow[@]}" --job-name=lhsm-not-restored --dependency="afternotok:$restore" --wrap "$not_restored")
echo "$restore $ok $notok"
