#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A large archive that is interrupted, by a kill or at the end of a walltime, goes on from its finished extents, and begins anew
# where the file has changed.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "large archives that are interrupted"
knows_records || skip_all "needs the coordinator's parameters"
set_tunable 'mdt.*.hsm.active_request_timeout' 60 # what was sent to a copytool that died before it could note it

SIZE=67109641 # 64 MiB and a bit
JOB=$WORK/job.h5
options=(-p "$ARCHIVE" -A "$ARCHIVE_ID" --slots 2 --stripe-threshold 2M --extent-size 1M -u 0.5 --look-after 2)
mkdir "$DIR/tree"
make_file "$DIR/tree/big" $SIZE
list_files "$DIR/tree" > "$WORK/list"
OBJECT=$(object_of "$(lfs path2fid "$DIR/tree/big")")

# extents_noted: how many the journal has, of 1 MiB each.
extents_noted() { "$TOOL" status --json "$JOB" 2> /dev/null | awk '$1 == "\"bytes_in_part\":" { print int($2 / 1048576) }'; }
some_are_noted() { [ "$(extents_noted)" -ge 12 ]; }
temporaries() { find "$ARCHIVE" -name '*_tmp.*' -o -name '*_old.*'; }
no_request_runs() { no_request_has actions status=STARTED; }
# pieces_of_old: how many MiB of the object are as $WORK/old has them, where the file has something else now.
pieces_of_old() {
  local i count=0
  for ((i = 0; i < SIZE / 1048576; ++i)); do
    ! cmp -s -n 1048576 -i $((i * 1048576)) "$OBJECT" "$WORK/old" || count=$((count + 1))
  done
  echo $count
}

# interrupt all|one|stop: an archive, some extents into it, at a speed at which it takes 20 s.
interrupt() {
  local ranks
  rm -f "$JOB"*
  run_tool 0 scan -q -o "$JOB" "$DIR/tree" > "$WORK/out" 2> "$WORK/log" || fail "scan" "$(cat "$WORK/log")"
  launch mpirun -n 3 "$TOOL" archive "${options[@]}" --progress 0 -b 3 --drain-timeout 0 "$JOB" "$MNT"
  expect_soon "extents are noted" 60 some_are_noted
  mapfile -t ranks < <(rank_pids)
  case $1 in
    all) kill -s KILL "$COPYTOOL_PID" "${ranks[@]}" ;;
    one) kill -s KILL "${ranks[-1]}" ;;
    stop) signal_copytool USR1 ;;
  esac
  wait_copytool 60
  [ "$1" != stop ] || expect_code 75
  expect_soon "no process is left" 60 no_tool_running
  expect_equal "an object is in the making" "$(temporaries | wc -l)" 1
  noted=$(extents_noted)
  note "$noted extents are noted"
}

# go_on FILE: the same command, to its end; the object is this file then.
go_on() {
  local code=0
  run_tool 3 archive "${options[@]}" --progress 0 "$JOB" "$MNT" > "$WORK/out" 2> "$WORK/log" || code=$?
  expect_equal "it goes on to its end" "$code" 0
  [ "$code" -eq 0 ] || sed 's/^/#   /' "$WORK/out" "$WORK/log"
  wait_states "$WORK/list" 0x9
  [ $# -eq 0 ] || expect "the object is the file" cmp "$OBJECT" "$1"
  expect_equal "no temporary is left" "$(temporaries)" ""
  expect_equal "nor a table" "$(find "$ARCHIVE/.lhsmtool_mpi" -type f)" ""
  expect_soon "no request is left" 60 no_request_runs
}

for how in all one stop; do
  note "interrupted: $how"
  interrupt $how
  go_on "$DIR/tree/big"
  expect_line "it says so" 'goes on where an earlier run ended' "$WORK/log"
  run_tool 0 verify -p "$ARCHIVE" "$JOB" > "$WORK/out" 2> "$WORK/log" && code=0 || code=$?
  expect_equal "its digest is right" "$code" 0
  printf x >> "$DIR/tree/big" # dirty again
done

note "its lock is taken away"
rm -f "$JOB"*
run_tool 0 scan -q -o "$JOB" "$DIR/tree" > "$WORK/out" 2> "$WORK/log" || fail "scan" "$(cat "$WORK/log")"
launch mpirun -n 3 "$TOOL" archive "${options[@]}" --progress 0 -b 1 --drain-timeout 3600 "$JOB" "$MNT"
expect_soon "extents are noted" 60 some_are_noted
rm "$JOB.lock"
wait_copytool 30 # what runs would take a minute
expect_code 1
expect_line "it says why" "the lock is not this run's any more" "$COPYTOOL_LOG"
expect_equal "the object is left" "$(temporaries | wc -l)" 1
go_on "$DIR/tree/big"
expect_line "the next run goes on" 'goes on where an earlier run ended' "$WORK/log"
printf x >> "$DIR/tree/big"

if ! is_real_lustre; then
  note "only the rest is read"
  interrupt all
  # What the emulator does not notice: another content of the same time.
  cp --preserve=timestamps "$DIR/tree/big" "$WORK/old"
  make_file "$DIR/tree/big" $((SIZE + 4))
  touch -r "$WORK/old" "$DIR/tree/big"
  go_on
  expect_equal "the object has of the old content what was noted" "$(pieces_of_old)" "$noted"
  printf x >> "$DIR/tree/big"
fi

note "changed meanwhile"
interrupt all
printf y | dd of="$DIR/tree/big" bs=1 seek=5 conv=notrunc status=none
go_on "$DIR/tree/big"
expect_line "it begins anew" 'begins anew' "$WORK/log"

note "another run comes between"
printf z >> "$DIR/tree/big"
interrupt all
# It knows nothing of the job, but sees that what lies there is a job's.
start_copytool 0
# (The coordinator still has the dead one in its list, too.)
expect_soon "it serves" 30 grep -q 'registered as copytool' "$COPYTOOL_LOG"
stop_copytool USR1
expect_equal "the object in the making is spared" "$(temporaries | grep -c .)" 1
go_on "$DIR/tree/big"
expect_line "it goes on" 'goes on where an earlier run ended' "$WORK/log"
finish
