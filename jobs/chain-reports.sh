# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# For restore-chain*.sh: what the jobs after a restore do, as text that such a job runs in the environment of who submits.
# Sets report (it succeeded) and not_restored (it did not), and exports what they need. Needs JOB.
export JOB
export AFTER=${AFTER:-}
export LHSMTOOL_MPI=${LHSMTOOL_MPI:-lhsmtool_mpi}
export FAILED=${FAILED:-${JOB%.h5}.failed}
# shellcheck disable=SC2016 # expanded by the job
page='
  "$LHSMTOOL_MPI" report "$JOB" --html -o "${JOB%.h5}.html"
  "$LHSMTOOL_MPI" status "$JOB"'
# shellcheck disable=SC2016,SC2034 # expanded by the job; used by who reads this
report="$page"'
  [ -z "$AFTER" ] || eval "$AFTER"'
# shellcheck disable=SC2016,SC2034
not_restored="$page"'
  echo "the restore did not succeed; what failed:"
  cat "$FAILED" 2> /dev/null || echo "there is no list: the run failed"
  exit 3'
