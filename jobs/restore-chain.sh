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
export JOB=$1
shift
export AFTER=${AFTER:-}
export LHSMTOOL_MPI=${LHSMTOOL_MPI:-lhsmtool_mpi}
export FAILED=${FAILED:-${JOB%.h5}.failed}
here=$(cd "$(dirname "$0")" && pwd)

# A page where the tool can make one, else how the job stands.
# shellcheck disable=SC2016 # expanded by the job
report='
  if "$LHSMTOOL_MPI" report --help > /dev/null 2>&1; then
    "$LHSMTOOL_MPI" report "$JOB" --html -o "${JOB%.h5}.html"
  else
    "$LHSMTOOL_MPI" status --json "$JOB" > "${JOB%.h5}.status.json"
  fi
  "$LHSMTOOL_MPI" status "$JOB"'
# shellcheck disable=SC2016 # expanded by the job
failed='
  echo "the restore did not succeed; what failed:"
  cat "$FAILED" 2> /dev/null || echo "there is no list: the run failed"
  exit 3'
follow=(--parsable --kill-on-invalid-dep=yes --nodes=1 --ntasks=1 --time=00:30:00)

restore=$(sbatch --parsable "$@" "$here/restore.sbatch")
ok=$(sbatch "${follow[@]}" --job-name=lhsm-restored --dependency="afterok:$restore" --wrap "$report
  [ -z \"\$AFTER\" ] || eval \"\$AFTER\"")
notok=$(sbatch "${follow[@]}" --job-name=lhsm-not-restored --dependency="afternotok:$restore" --wrap "$report$failed")
echo "$restore $ok $notok"
