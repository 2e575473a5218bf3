#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A coordinator that is stopped, or restarted, forgets its copytools without a word: the copytool registers
# anew by itself, and all requests, from before and after, are served.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "coordinator restart"

knows_records || skip_all "no MDT on this node: its coordinator cannot be stopped from here"

# new_file NAME: in the test's directory.
new_file() { make_big_file "$DIR/$1" 300000; }
# archive_and_wait NAME: of a file that is made now.
archive_and_wait() {
  new_file "$1"
  archive "$DIR/$1"
  wait_state "$DIR/$1" 0x9 60
}
restart_coordinator() {
  coordinator shutdown
  expect_soon "coordinator is stopped" 30 coordinator_is stopped
  coordinator enabled
  expect_soon "coordinator runs" 30 coordinator_is enabled
}
# says PATTERN [TIMES]: so many lines of the log match.
says() { [ "$(grep -c "$1" "$COPYTOOL_LOG")" -ge "${2:-1}" ]; }

note "a copytool that is started before its coordinator"
coordinator shutdown
expect_soon "coordinator is stopped" 30 coordinator_is stopped
launch mpirun -n 3 "$TOOL" serve -p "$ARCHIVE" -A "$ARCHIVE_ID" --renew-interval 2 "$MNT"
expect_soon "copytool says that it tries again" 30 says "EAGAIN.*tried again"
coordinator enabled
expect_soon "copytool is registered" 60 is_registered
archive_and_wait first

note "shut down and enabled at once, while the copytool is idle"
restart_coordinator
archive_and_wait second

note "shut down for a while, with requests before and after"
new_file third
coordinator disabled # it takes requests and sends nothing
archive "$DIR/third"
coordinator shutdown
expect_soon "copytool says that it tries again" 60 says "EAGAIN.*tried again" 2
coordinator enabled
archive_and_wait fourth
wait_state "$DIR/third" 0x9 60
expect_soon "copytool says that it is registered again" 30 says "registered as copytool" 2

note "restores that are under way when it is restarted"
make_big_file "$DIR/big" $((200 * 1048576))
digest=$(digest_of "$DIR/big")
archive "$DIR/big"
wait_state "$DIR/big" 0x9 120
release "$DIR/big" "$DIR/first"
restore "$DIR/big" "$DIR/first"
restart_coordinator
# What was under way may have failed for the coordinator that started it; that one sends it again.
wait_state "$DIR/first" 0x9 120
wait_state "$DIR/big" 0x9 120
expect_equal "content is right" "$(digest_of "$DIR/big")" "$digest"

if ! is_real_lustre; then
  note "the emulator's daemon is killed and started again"
  release "$DIR/second"
  kill -KILL "$(cat "$MNT/.lustre/lock")"
  "$E2E_BUILD/bin/lhsm_emulator" start "$MNT" --time-scale $E2E_TIME_SCALE --max-requests 1000 > "$WORK/emulator.out"
  restore "$DIR/second"
  wait_state "$DIR/second" 0x9 60
  archive_and_wait fifth
fi

expect "copytool has lived through all of it" copytool_is_up
is_real_lustre ||
  expect "no registration was tried that a coordinator refused" sh -c "! grep -q 'registration is refused' '$MNT/.lustre/log'"
stop_copytool USR1
expect_line "summary is printed" '^Completed: ' "$COPYTOOL_OUT"
expect_clean_archive
expect "no process is left" no_tool_running
finish
