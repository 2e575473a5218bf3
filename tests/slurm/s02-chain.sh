#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A restore and what follows it: exit codes reach dependencies, and the list of what failed names what failed.
# shellcheck source=tests/slurm/lib.sh
. "$(dirname "$0")/lib.sh"
begin_slurm "chains of jobs" 1

make_released 20 5000
victim=$DIR/tree/7
object=$(object_of "$(lfs path2fid "$victim")")
mv "$object" "$WORK/object"

# chain: sets RESTORE, OK and NOTOK.
chain() {
  read -r RESTORE OK NOTOK <<< "$("$JOB_FILES/restore-chain.sh" "$JOB" --nodes=1 --time=10)"
  note "restore $RESTORE, then $OK or $NOTOK"
}
# shellcheck disable=SC2317 # called by expect
report_is_there() { [ -s "${JOB%.h5}.html" ]; }

note "one object is missing"
AFTER="touch $WORK/analysed" chain
expect_end "$RESTORE" FAILED 3
expect_end "$NOTOK" FAILED 3
expect_soon "what needed a success will not run" 60 job_is "$OK" CANCELLED
expect_equal "the list names it" "$(cat "$FAILED")" "$victim"
expect_line "so does the job that follows" "$victim" "$WORK/slurm-$NOTOK.out"
expect_equal "the others are done" "$(count_done)" 19
expect "a report is there" report_is_there
expect "nothing was begun with files that are not there" test ! -e "$WORK/analysed"
expect_state "$victim" 0xd

note "it is there again"
mv "$WORK/object" "$object"
rm -f "${JOB%.h5}.html"
OPTIONS="$OPTIONS --only-failed" AFTER="touch $WORK/analysed" chain
expect_end "$RESTORE" COMPLETED 0
expect_end "$OK" COMPLETED 0
expect_soon "what needed a failure will not run" 60 job_is "$NOTOK" CANCELLED
expect_restored
expect "a report is there" report_is_there
expect "what was to follow has run" test -e "$WORK/analysed"
finish
