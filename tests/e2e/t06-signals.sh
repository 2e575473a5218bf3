#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A signal to stop: nothing new is taken, what runs finishes, what waited is put back.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "signals"

note "idle copytools"
for signal in TERM USR1 INT; do
  start_copytool 0
  stop_copytool $signal
  if [ $signal = INT ]; then expect_code 130 "plain start, SIG$signal"; else expect_code 0 "plain start, SIG$signal"; fi
  expect_line "summary is printed" '^Completed: ' "$COPYTOOL_OUT"
  ! knows_records || expect "copytool is no longer registered" eval '! is_registered'
done
start_copytool 3
stop_copytool USR1
expect_code 0 "mpirun, SIGUSR1"
start_copytool 3
stop_copytool TERM
# mpirun answers 1 to SIGTERM, whatever its ranks say.
note "mpirun, SIGTERM: exit code $COPYTOOL_CODE"
expect_line "summary is printed all the same" '^Completed: ' "$COPYTOOL_OUT"
expect "no process is left" no_tool_running

note "busy copytools"
mkdir "$DIR/tree"
file_size=$((6 * 1048576))
files=60
! is_real_lustre || files=12
for ((i = 0; i < files; ++i)); do make_big_file "$DIR/tree/$i" $file_size; done
list_files "$DIR/tree" > "$WORK/list"
snapshot "$DIR/tree" > "$WORK/picture"

# stop_when_busy RANKS SIGNAL: archive the tree, and stop as soon as a few are done.
archived_some() { [ "$(count_in_state 0x9 < "$WORK/list")" -ge 2 ]; }
stop_when_busy() {
  local ranks=$1 signal=$2 done_before left
  start_copytool "$ranks" --slots 1
  archive_all "$WORK/list"
  expect_soon "a few files are archived" 60 archived_some
  done_before=$(count_in_state 0x9 < "$WORK/list")
  stop_copytool "$signal"
  left=$((files - $(count_in_state 0x9 < "$WORK/list")))
  note "$done_before of $files were archived at the signal, $left are left after it"
  expect_clean_archive
  expect "no process is left" no_tool_running
  stopped_left=$left
}
# What a stopped copytool put back has failed for the coordinator; what it never took waits.
stop_when_busy 0 TERM
if [ "$stopped_left" -gt 0 ]; then expect_line "summary tells what was not done" '^Not done: +[1-9]' "$COPYTOOL_OUT"; fi
case $COPYTOOL_CODE in
  75) expect "75: work was left" test "$stopped_left" -gt 0 ;;
  *) expect_code 0 "all was done before the signal came" ;;
esac

note "what was left is done by the next one"
start_copytool 3
archive_all "$WORK/list"
wait_states "$WORK/list" 0x9 120
release_all "$WORK/list"
wait_states "$WORK/list" 0xd
restore_all "$WORK/list"
restored_some() { [ "$(count_in_state 0x9 < "$WORK/list")" -ge 2 ]; }
expect_soon "a few files are restored" 60 restored_some
stop_copytool USR1
note "exit code of the interrupted restore: $COPYTOOL_CODE"
if [ "$COPYTOOL_CODE" -ne 75 ]; then expect_code 0 "all was done before the signal came"; fi
expect "no process is left" no_tool_running
start_copytool 2
restore_all "$WORK/list"
wait_states "$WORK/list" 0x9 120
expect_unchanged "content and attributes are as they were" "$DIR/tree" "$WORK/picture"
expect_clean_archive
stop_copytool USR1
expect_code 0
finish
