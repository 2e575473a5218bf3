#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Killed in mid-run, all ranks or one: the next start finishes everything, nothing is torn, and no temporary
# stays in the archive.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "killed"
knows_records || skip_all "needs the coordinator's parameters"
set_tunable 'mdt.*.hsm.active_request_timeout' 60 # what a killed copytool had begun is given up after so long

options=(--slots 2 --stripe-threshold 4M --extent-size 1M --chunk-size 256K -u 0.5)
mkdir "$DIR/tree"
for i in {1..12}; do make_file "$DIR/tree/$i" 1500000; done
make_file "$DIR/tree/big" 24000000
list_files "$DIR/tree" > "$WORK/list"
snapshot "$DIR/tree" > "$WORK/picture"

temporaries() { find "$ARCHIVE" -name '*_tmp.*' -o -name '*_old.*'; }
has_temporaries() { [ -n "$(temporaries)" ]; }
nothing_runs() { no_request_has actions status=STARTED; }
some_are() { [ "$(count_in_state "$1" < "$WORK/list")" -ge 1 ]; }

some_are_left() { ! all_in_state 0x9 "$WORK/list"; }

# kill_all: the launcher and all ranks, so that nobody can clean up.
kill_all() {
  local ranks
  ranks=$(rank_pids)
  # shellcheck disable=SC2086
  kill -s KILL "$COPYTOOL_PID" $ranks
  wait_copytool 30
  expect_soon "no process is left" 30 no_tool_running
}

# kill_one: a rank that is not rank 0.
kill_one() {
  local ranks
  mapfile -t ranks < <(rank_pids)
  kill -s KILL "${ranks[-1]}"
  wait_copytool 30
  expect "exit code is not 0 ($COPYTOOL_CODE)" test "$COPYTOOL_CODE" -ne 0
  expect_soon "no process is left" 30 no_tool_running
}

# finish_archive: a new start does what is left.
finish_archive() {
  expect_soon "what was begun is given up" 60 nothing_runs
  start_copytool "$1" "${options[@]}"
  archive_all "$WORK/list"
  wait_states "$WORK/list" 0x9 60
  expect_equal "no temporary is left" "$(temporaries)" ""
  stop_copytool USR1
  expect_code 0
  expect_equal "nor a table" "$(find "$ARCHIVE/.lhsmtool_mpi" -type f)" ""
}

for ranks in 0 3; do
  note "archive on $ranks ranks, all killed"
  for i in {1..12} big; do printf x >> "$DIR/tree/$i"; done # dirty again
  snapshot "$DIR/tree" > "$WORK/picture"
  start_copytool "$ranks" "${options[@]}" -b 8
  archive_all "$WORK/list"
  expect_soon "objects are in the making" 30 has_temporaries
  expect_soon "a file is archived" 30 some_are 0x9
  kill_all
  note "left behind: $(temporaries | wc -l) temporaries"
  expect_line "the kill was in the middle" '.' <(temporaries)
  finish_archive "$ranks"
done

note "archive on 3 ranks, one killed"
for i in {1..12} big; do printf y >> "$DIR/tree/$i"; done
snapshot "$DIR/tree" > "$WORK/picture"
start_copytool 3 "${options[@]}" -b 8
archive_all "$WORK/list"
expect_soon "objects are in the making" 30 has_temporaries
expect_soon "a file is archived" 30 some_are 0x9
kill_one
finish_archive 3

for victim in all one; do
  note "restore on 3 ranks, $victim killed"
  release_all "$WORK/list"
  wait_states "$WORK/list" 0xd
  start_copytool 3 "${options[@]}" -b 8
  restore_all "$WORK/list"
  expect_soon "a file is restored" 30 some_are 0x9
  "kill_$victim"
  expect "not all was done" some_are_left
  expect_soon "what was begun is given up" 60 nothing_runs
  start_copytool 3 "${options[@]}"
  restore_all "$WORK/list"
  wait_states "$WORK/list" 0x9 60
  expect_unchanged "content and attributes are as they were" "$DIR/tree" "$WORK/picture"
  stop_copytool USR1
  expect_code 0
done
expect_clean_archive
finish
