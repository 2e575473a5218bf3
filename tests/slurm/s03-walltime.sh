#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Jobs that are told to stop before their end, by Slurm's signal and by the walltime that the tool knows of: exit code 75, requeued,
# and the second incarnation does the rest. No file is copied twice.
# shellcheck source=tests/slurm/lib.sh
. "$(dirname "$0")/lib.sh"
begin_slurm "jobs that are stopped before their walltime" 1

make_released 120 100000
CONTROL=$WORK/control
# shellcheck disable=SC2317 # called by expect
told() { grep -q -e "$1" "$WORK/job-$ID.out"; }

# stopped_and_requeued TEXT: the job was slow so far; its next incarnation may be quick.
stopped_and_requeued() {
  local failure
  # What waits for the job's failure is not begun by one that is requeued.
  failure=$(sbatch --parsable -o /dev/null --kill-on-invalid-dep=yes --dependency="afternotok:$ID" --wrap true)
  # Not for long: while it waits, a slow job of another name could have begun anew.
  expect_soon "$1: it stops" 100 has_restarted_or_ended "$ID"
  has_restarted "$ID" || fail "$1: it is requeued" "$(job_field "$ID" JobState)" "$(tail -n 20 "$WORK/job-$ID.out")"
  echo bandwidth=0 > "$CONTROL"
  expect_line "its exit code was 75" ', exit 75:' <("$TOOL" status "$JOB")
  left=$((120 - $(count_done)))
  expect "some are left ($left)" test "$left" -gt 0
  keep_finished
  expect "some are done" test -s "$WORK/finished"
  expect_end "$ID" COMPLETED 0
  expect_restored
  expect_not_touched
  expect_soon "it was no failure to what depends on it" 60 job_is "$failure" CANCELLED
  expect_equal "two runs are recorded" "$(runs)" 2
  expect_equal "each byte was copied once" "$(bytes_copied)" 12000000
}

note "a signal of Slurm"
# Slurm looks each half minute, and signals up to so much too early: 10 to 40 s after the start. Nothing would stop the job else,
# and at that rate it has something left for 48 s.
echo bandwidth=250K > "$CONTROL"
OPTIONS="$OPTIONS --slots 2 --control $CONTROL --drain-timeout 100 --deadline none" \
  submit restore.sbatch --nodes=1 --time=2 --signal=B:USR1@80
stopped_and_requeued "signalled"

note "the walltime, as the tool knows it"
release_all "$WORK/list"
wait_states "$WORK/list" 0xd
rm -f "$JOB"*
run_tool 0 scan -q -o "$JOB" "$DIR/tree" > "$WORK/prepared"
echo bandwidth=500K > "$CONTROL"
# The tool stops a quarter of a minute after its start, Slurm's signal comes later.
OPTIONS="$OPTIONS --slots 2 --control $CONTROL --drain-timeout 40 --deadline-margin 45" \
  submit restore.sbatch --nodes=1 --time=1 --signal=B:USR1@1
stopped_and_requeued "at its deadline"
expect "the deadline was the reason" told 'Stopped: .*the deadline'

note "a job that does not get on is not requeued for ever"
release_all "$WORK/list"
wait_states "$WORK/list" 0xd
rm -f "$JOB"*
run_tool 0 scan -q -o "$JOB" "$DIR/tree" > "$WORK/prepared"
OPTIONS="$OPTIONS --deadline-margin 3600" submit restore.sbatch --nodes=1 --time=1
expect_end "$ID" FAILED 1
expect "it says why" told 'nothing was done in a whole run'
expect_equal "nothing was done" "$(count_done)" 0
finish
