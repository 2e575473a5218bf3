#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A job is cancelled in its midst: its manifest can be read, and the same job, submitted again, does the rest.
# shellcheck source=tests/slurm/lib.sh
. "$(dirname "$0")/lib.sh"
begin_slurm "a job is cancelled" 1
set_tunable 'mdt.*.hsm.active_request_timeout' 400 # what was sent to a copytool that was killed

make_released 100 100000
CONTROL=$WORK/control
export OPTIONS="$OPTIONS --keep-alive 1 --slots 2 --control $CONTROL"

# cancel_midway HOW: cancel the job when some more are done.
cancel_midway() {
  local before
  echo bandwidth=500K > "$CONTROL"
  before=$(count_done)
  submit restore.sbatch --nodes=1 --time=10
  expect_soon "$1: some more are done" 60 are_done $((before + 5))
  # shellcheck disable=SC2086 # options
  scancel $2 "$ID"
  expect_soon "$1: the job ends" 60 job_is_over "$ID"
  expect_equal "$1: it is not requeued" "$(job_field "$ID" Restarts)" 0
  expect_soon "$1: no process is left" 60 no_tool_running
  keep_finished
  left=$((100 - $(count_done)))
  expect "$1: the manifest can be read, and some are left ($left)" test "$left" -gt 0
}

cancel_midway "in order" ""
cancel_midway "killed" --signal=KILL\ --full
echo bandwidth=0 > "$CONTROL"
submit restore.sbatch --nodes=1 --time=10
expect_end "$ID" COMPLETED 0
expect_equal "all are done" "$(count_done)" 100
expect_restored
expect_not_touched
finish
