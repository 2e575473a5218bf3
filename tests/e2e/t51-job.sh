#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Bulk jobs: scan, archive, release, restore, remove; exit codes, lists of what failed, retry, stop and go on.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "bulk jobs"

JOB=$WORK/job.h5
options=(-p "$ARCHIVE" -A "$ARCHIVE_ID" --stripe-threshold 2M --extent-size 1M)
make_odd_tree "$DIR/tree"
make_file "$DIR/tree/big" 9000001
for i in {1..80}; do make_file "$DIR/tree/small-$i" $((i * 100)); done
list_files "$DIR/tree" > "$WORK/list"
files=$(tr -dc '\0' < "$WORK/list" | wc -c)
snapshot "$DIR/tree" > "$WORK/picture"

# job RANKS CODE COMMAND ARGUMENT...: carry it out; its output is in $WORK/out.
job() {
  local ranks=$1 expected=$2 code=0
  shift 2
  run_tool "$ranks" "$@" > "$WORK/out" 2> "$WORK/log" || code=$?
  expect_equal "$1 on $ranks ranks: exit code" "$code" "$expected"
  [ "$code" -eq "$expected" ] || sed 's/^/#   /' "$WORK/out" "$WORK/log"
}
# status_of KEY: a count of the job, by result.
status_of() { "$TOOL" status --json "$JOB" | awk -v key="\"$1\":" '$1 == key { found = 1 } found && $1 == "\"items\":" { gsub(/[^0-9]/, "", $2); print $2; exit }'; }
no_request_is_left() { no_request_has actions status=WAITING status=STARTED; }

for ranks in 0 3; do
  note "a whole cycle on $ranks ranks"
  rm -f "$JOB"*
  job "$ranks" 0 scan -o "$JOB" "$DIR/tree"
  job "$ranks" 0 archive "${options[@]}" "$JOB" "$MNT"
  wait_states "$WORK/list" 0x9
  expect_equal "all are done" "$(status_of 'done')" "$files"
  job "$ranks" 0 release "$JOB" "$MNT"
  wait_states "$WORK/list" 0xd
  expect_line "all ranks are there for it" " ${ranks/#0/1} ranks on [^ ]+, exit 0: .* release " <("$TOOL" status "$JOB")
  job "$ranks" 0 restore "${options[@]}" "$JOB" "$MNT"
  wait_states "$WORK/list" 0x9
  expect_unchanged "content and attributes are as they were" "$DIR/tree" "$WORK/picture"
  job "$ranks" 0 restore "${options[@]}" "$JOB" "$MNT"
  expect_line "a finished job does nothing" "done: +$files, 0 in this run" "$WORK/out"
  [ "$ranks" -ne 0 ] || {
    # As a run that was killed leaves it.
    rm "$(object_of "$(fid_of "$(find "$DIR/tree" -type f -print -quit)")" v1)"
    job "$ranks" 0 remove "${options[@]}" "$JOB" "$MNT"
    wait_states "$WORK/list" 0x0
  }
  ! knows_records || expect_soon "no request is left" 60 no_request_is_left
  expect_clean_archive
done

note "what fails is listed, and can be tried again"
victim=$DIR/tree/small-7
object=$(object_of "$(lfs path2fid "$victim")")
release_all "$WORK/list"
wait_states "$WORK/list" 0xd
mv "$object" "$WORK/object"
rm -f "$JOB"*
job 0 0 scan -o "$JOB" "$DIR/tree"
job 3 3 restore "${options[@]}" --failed "$WORK/failed" "$JOB" "$MNT"
expect_equal "the list names it" "$(cat "$WORK/failed")" "$victim"
expect_equal "the others are done" "$(status_of 'done')" "$((files - 1))"
job 2 3 restore "${options[@]}" --failed "$WORK/failed.csv" "$JOB" "$MNT"
expect_line "as CSV, with errno" "$victim,failed,ENOENT" "$WORK/failed.csv"
expect_line "and is told how to have it tried again" '^Next: .*lhsmtool_mpi retry' "$WORK/out"
mv "$WORK/object" "$object"
job 2 0 retry "${options[@]}" "$JOB" "$MNT"
wait_states "$WORK/list" 0x9
expect_unchanged "it is back, too" "$DIR/tree" "$WORK/picture"

job 3 0 archive "${options[@]}" -o "$WORK/kept.h5" "$DIR/tree"
lfs hsm_set --norelease "$victim"
job 3 3 release "$WORK/kept.h5" "$MNT"
expect_line "the log says why" "is refused: marked norelease" "$WORK/log"
lfs hsm_clear --norelease "$victim"
job 3 0 retry "$WORK/kept.h5" "$MNT"
wait_states "$WORK/list" 0xd
job 3 2 retry "$JOB" "$MNT"
expect_line "retry of a restore needs the archive" "hsm-root" "$WORK/log"
job 2 0 restore "${options[@]}" -o "$WORK/back.h5" "$DIR/tree"

note "the mount point after paths"
mkdir "$DIR/beside"
make_file "$DIR/beside/not-asked-for" 1000
for ranks in 0 3; do
  rm -f "$JOB"*
  job "$ranks" 0 archive "${options[@]}" -o "$JOB" "$DIR/tree" "$MNT"
  expect_equal "they are all that the job has ($ranks ranks)" "$(status_of already)" "$files"
done
expect_equal "a file beside is not" "$(state_of "$DIR/beside/not-asked-for")" 0x0
rm -r "$DIR/beside"

note "other copytools do it"
release_all "$WORK/list"
wait_states "$WORK/list" 0xd
rm -f "$JOB"*
job 0 0 scan -o "$JOB" "$DIR/tree"
start_copytool 2
job 0 0 restore --submit-only "$JOB" "$MNT"
wait_states "$WORK/list" 0x9
stop_copytool
expect_code 0

if ! is_real_lustre; then
  note "asking a file system that hangs"
  rm -f "$JOB"*
  job 0 0 scan -o "$JOB" "$DIR/tree"
  daemon=$("$E2E_BUILD/bin/lhsm_emulator" status --json "$MNT" | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -n 1)
  kill -STOP "$daemon"
  launch "$TOOL" restore --submit-only "$JOB" "$MNT"
  expect_soon "the job has begun" 30 test -s "$JOB.journal"
  ends_when_told() { ! copytool_is_up || ! kill -TERM "$COPYTOOL_PID"; }
  expect_soon "a third signal ends it" 10 ends_when_told
  kill -CONT "$daemon"
  wait_copytool
  expect_code 75
  job 0 0 restore --submit-only "$JOB" "$MNT"
fi

note "stopped in the middle, it goes on"
release_all "$WORK/list"
wait_states "$WORK/list" 0xd
rm -f "$JOB"*
job 0 0 scan -o "$JOB" "$DIR/tree"
# Long enough for what follows, where starting a program may take seconds.
bandwidth=4
! is_real_lustre || bandwidth=1
launch mpirun -n 3 "$TOOL" restore "${options[@]}" -b $bandwidth "$JOB" "$MNT"
some_are_done() { [ "$(status_of 'done')" -ge 3 ]; }
expect_soon "some are done" 60 some_are_done
note "a second job on the manifest"
code=0
"$TOOL" restore "${options[@]}" "$JOB" "$MNT" > "$WORK/out" 2>&1 || code=$?
expect_equal "is refused" "$code" 1
expect_line "and told who has it" "$(hostname)" "$WORK/out"
stop_copytool USR1
expect_code 75
left=$(status_of pending)
expect "some are left ($left)" test "$left" -gt 0
job 3 0 restore "${options[@]}" "$JOB" "$MNT"
wait_states "$WORK/list" 0x9
expect_unchanged "content and attributes are as they were" "$DIR/tree" "$WORK/picture"
expect_equal "two runs are recorded" "$("$TOOL" status "$JOB" | grep -c '^run .* restore ')" 2

note "wrong use"
job 0 2 restore "$JOB" "$MNT"
expect_line "a clear line" "hsm-root" "$WORK/log"
head -c 5000 /dev/urandom > "$WORK/garbage"
job 0 1 restore "${options[@]}" "$WORK/garbage" "$MNT"
expect_line "a clear line" "$WORK/garbage" "$WORK/log"
job 0 1 status "$WORK/nowhere.h5"
expect_line "a clear line" "ENOENT" "$WORK/log"
finish
