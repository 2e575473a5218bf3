#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Jobs that are killed at random moments, all ranks at once or one of them; the same command goes on. Nothing is lost, torn, or
# copied again after it was finished, and no request stays at the coordinator.
#   LHSM_TEST_KILLS  how many (default 6), LHSM_TEST_SEED  of the random moments (default 1)
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "killed jobs"
knows_records || skip_all "needs the coordinator's parameters"

set_tunable 'mdt.*.hsm.active_request_timeout' 60 # what was sent to a copytool that died before it could note it

KILLS=${LHSM_TEST_KILLS:-6}
RANDOM=${LHSM_TEST_SEED:-1}
JOB=$WORK/job.h5
options=(-p "$ARCHIVE" -A "$ARCHIVE_ID" --slots 2 --stripe-threshold 2M --extent-size 1M -b 12 -u 0.5 --progress 0 --look-after 2)
mkdir "$DIR/tree"
for i in {1..150}; do make_file "$DIR/tree/$i" $((RANDOM % 60000)); done
for i in {1..3}; do make_file "$DIR/tree/big-$i" 6000000; done
list_files "$DIR/tree" > "$WORK/list"
snapshot "$DIR/tree" > "$WORK/picture"

no_request_is_left() { no_request_has actions status=WAITING status=STARTED; }
temporaries() { find "$ARCHIVE" -name '*_tmp.*' -o -name '*_old.*'; }

# kill_job all|one
kill_job() {
  local ranks
  mapfile -t ranks < <(rank_pids)
  case $1 in
    all) kill -s KILL "$COPYTOOL_PID" "${ranks[@]}" 2> /dev/null || true ;;
    one) [ ${#ranks[@]} -eq 0 ] || kill -s KILL "${ranks[RANDOM % ${#ranks[@]}]}" 2> /dev/null || true ;;
  esac
  wait_copytool 60
  expect_soon "no process is left" 60 no_tool_running
}

# finished_now: FIDs of the items with a result, in the manifest and the journal.
finished_now() { "$TOOL" status --json "$JOB" | awk '$1 == "\"pending\":" { found = 1 } found && $1 == "\"items\":" { gsub(/[^0-9]/, "", $2); print $2; exit }'; }

phase=archive
begin_phase() {
  rm -f "$JOB"*
  run_tool 0 scan -o "$JOB" "$DIR/tree" > "$WORK/out" 2> "$WORK/log" || fail "scan" "$(cat "$WORK/log")"
}
begin_phase
for ((kill = 1; kill <= KILLS; ++kill)); do
  victim=all
  [ $((RANDOM % 2)) -eq 0 ] || victim=one
  launch mpirun -n 3 "$TOOL" "$phase" "${options[@]}" "$JOB" "$MNT"
  # The moment is what is random here.
  sleep "$(awk -v r="$RANDOM" 'BEGIN { print 0.3 + r / 32768 * 1.5 }')"
  if copytool_is_up; then kill_job $victim; else wait_copytool; fi
  left=$(finished_now)
  note "kill $kill, $phase, $victim: $left items are left"
  [ $((RANDOM % 3)) -ne 0 ] && [ "${left:-1}" -ne 0 ] && continue # let the next run be killed, too
  run_tool 3 "$phase" "${options[@]}" "$JOB" "$MNT" > "$WORK/out" 2> "$WORK/log" && code=0 || code=$?
  expect_equal "$phase goes on to its end" "$code" 0
  [ "$code" -eq 0 ] || sed 's/^/#   /' "$WORK/out" "$WORK/log"
  expect_soon "no request is left" 60 no_request_is_left
  expect_equal "no temporary is left" "$(temporaries)" ""
  if [ $phase = archive ]; then
    wait_states "$WORK/list" 0x9
    run_tool 0 release "$JOB" "$MNT" > /dev/null 2> "$WORK/log" || fail "release" "$(cat "$WORK/log")"
    wait_states "$WORK/list" 0xd
    phase=restore
  else
    wait_states "$WORK/list" 0x9
    expect_unchanged "content and attributes are as they were" "$DIR/tree" "$WORK/picture"
    find "$DIR/tree" -type f -name '*[05]' -exec sh -c 'for f; do printf x >> "$f"; done' sh {} +
    snapshot "$DIR/tree" > "$WORK/picture"
    phase=archive
  fi
  begin_phase
done
if [ $phase = restore ]; then
  run_tool 3 restore "${options[@]}" "$JOB" "$MNT" > "$WORK/out" 2> "$WORK/log" && code=0 || code=$?
  expect_equal "the last restore ends" "$code" 0
  expect_unchanged "content and attributes are as they were" "$DIR/tree" "$WORK/picture"
fi
expect_soon "no request is left" 60 no_request_is_left
finish
