#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Jobs with a deadline: they stop before it, exit 75, and the next run goes on; nothing is copied twice.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "jobs with a deadline"

JOB=$WORK/job.h5
options=(-p "$ARCHIVE" -A "$ARCHIVE_ID" --drain-timeout 120)
mkdir "$DIR/tree"
for i in {1..60}; do make_file "$DIR/tree/$i" 100000; done
list_files "$DIR/tree" > "$WORK/list"
snapshot "$DIR/tree" > "$WORK/picture"

# job RANKS CODE COMMAND ARGUMENT...: carry it out; its output is in $WORK/out.
job() {
  local ranks=$1 expected=$2 code=0
  shift 2
  run_tool "$ranks" "$@" > "$WORK/out" 2> "$WORK/log" || code=$?
  expect_equal "$1 on $ranks ranks: exit code" "$code" "$expected"
  [ "$code" -eq "$expected" ] || sed 's/^/#   /' "$WORK/out" "$WORK/log"
}
# sum_of KEY: over the runs of the job.
sum_of() { "$TOOL" status --json "$JOB" | awk -v key="\"$1\":" '$1 == key { gsub(/[^0-9]/, "", $2); sum += $2 } END { print sum + 0 }'; }
pending() { "$TOOL" status --json "$JOB" | awk '$1 == "\"pending\":" { found = 1 } found && $1 == "\"items\":" { gsub(/[^0-9]/, "", $2); print $2; exit }'; }

job 0 0 scan -o "$JOB" "$DIR/tree"
job 0 0 archive "${options[@]}" "$JOB" "$MNT"
job 0 0 release "$JOB" "$MNT"
wait_states "$WORK/list" 0xd
rm -f "$JOB"*
job 0 0 scan -o "$JOB" "$DIR/tree"

note "a deadline that has come"
job 3 75 restore "${options[@]}" --deadline +0 "$JOB" "$MNT"
expect_equal "nothing was begun" "$(pending)" 60
expect_line "a clear line" "deadline" "$WORK/out"
SLURM_JOB_END_TIME=$(($(date +%s) + 100)) job 0 75 restore "${options[@]}" "$JOB" "$MNT"
expect_equal "the batch system's is nearer than the drain timeout" "$(pending)" 60

note "in the midst"
# 6 MB at half a megabyte a second, for so many seconds that some are done and some are left.
job 3 75 restore "${options[@]}" -b 500K --deadline +8 --deadline-margin 3 "$JOB" "$MNT"
expect_line "a clear line" "the deadline" "$WORK/out"
left=$(pending)
expect "some are left ($left)" test "$left" -gt 0
SLURM_JOB_END_TIME=1 job 3 0 restore "${options[@]}" --deadline none "$JOB" "$MNT"
wait_states "$WORK/list" 0x9
expect_unchanged "content and attributes are as they were" "$DIR/tree" "$WORK/picture"
expect_equal "each byte was copied once" "$(sum_of bytes_copied)" 6000000

note "a signal while it drains before its deadline is no second request to stop"
make_file "$DIR/tree/big" 12000000
printf '%s\0' "$DIR/tree/big" > "$WORK/list"
rm -f "$JOB"*
run_tool 0 scan -q -o "$JOB" "$DIR/tree/big" > "$WORK/out"
run_tool 0 archive -q -p "$ARCHIVE" -A "$ARCHIVE_ID" "$JOB" "$MNT" > "$WORK/out" 2> "$WORK/log"
run_tool 0 release -q "$JOB" "$MNT" > "$WORK/out" 2> "$WORK/log"
wait_states "$WORK/list" 0xd
# The copy takes 12 s, and is cut off at once where the signal counts as the second one.
launch mpirun -n 2 "$TOOL" restore "${options[@]}" -b 1M --deadline +8 --deadline-margin 3 "$JOB" "$MNT"
expect_soon "it drains" 60 grep -q ' stopping: 1 ' "$COPYTOOL_LOG"
stop_copytool USR1
expect_code 0 "the running copy was let finish"
wait_states "$WORK/list" 0x9

note "wrong use"
job 0 2 restore "${options[@]}" --deadline soon "$JOB" "$MNT"
expect_line "a clear line" "'soon' is no time" "$WORK/log"
job 2 2 restore "${options[@]}" --deadline 12 "$JOB" "$MNT"
expect_line "a clear line" "'12' is long past; a time from now has a \+" "$WORK/log"
job 0 0 restore "${options[@]}" --deadline $(($(date +%s) - 60)) "$JOB" "$MNT"
finish
