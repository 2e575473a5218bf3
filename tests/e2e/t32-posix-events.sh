#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Events for a monitor: what they hold, and that nothing depends on somebody who reads them.
# shellcheck disable=SC2016,SC2119,SC2317 # eval; stop_copytool without a signal; functions are called by name
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "event fifo" --loop-period 1
POSIX=$E2E_BUILD/bin/lhsmtool_posix
FIFO=$WORK/fifo

# start RANKS OPTION...: the tool as lhsmtool_posix, in the foreground of the launcher or of the shell.
start() {
  local launcher=()
  [ "$1" -eq 0 ] || launcher=(mpirun -n "$1")
  shift
  launch "${launcher[@]}" "$POSIX" -F v2 -p "$ARCHIVE" -A "$ARCHIVE_ID" -u 0 "$@" "$MNT"
  expect_soon "the copytool is registered" 30 copytool_has_settled
}
# of EVENT FILE-WITH-EVENTS: its lines.
of() { grep -F "\"event_type\":\"$1\"" "$2" || true; }
# field NAME: of the lines on stdin, without quotes, each once.
field() { sed -n "s/.*\"$1\":\"\\{0,1\\}\\([^\",}]*\\).*/\\1/p" | sort -u; }
has_unregister() { grep -q UNREGISTER "$1"; }

for ranks in 0 2; do
  note "$ranks ranks of mpirun"
  events=$WORK/events-$ranks
  mkfifo -m 0644 "$FIFO"
  cat "$FIFO" > "$events" &
  reader=$!
  start "$ranks" --event-fifo "$FIFO" --stripe-threshold 4M
  name="$DIR/it's \"quoted\" $ranks"
  make_file "$name" 3000000
  make_file "$DIR/striped" 9000000
  fid=$(fid_of "$name" | tr -d '[]')
  archive "$name" "$DIR/striped"
  wait_state "$name" 0x9
  wait_state "$DIR/striped" 0x9
  release "$name" "$DIR/striped"
  restore "$name" "$DIR/striped"
  wait_state "$name" 0x9
  wait_state "$DIR/striped" 0x9
  remove "$DIR/striped"
  wait_state "$DIR/striped" 0x0
  rm "$(object_of "$fid" v2)"
  release "$name"
  restore "$name"
  wait_record "[$fid]" RESTORE FAILED
  if [ "$ranks" -eq 0 ]; then stop_copytool TERM; else stop_copytool USR1; fi
  wait "$reader"
  expect "a fifo that was there stays" test -p "$FIFO"
  rm "$FIFO"

  expect_equal "no line is anything but one object" "$(grep -vc '^{"event_time":"[0-9: +-]*","event_type":"[A-Z_]*",.*}$' "$events")" 0
  expect_line "REGISTER comes first" '^1:.*"REGISTER".*"archive":1,"mount_point":"'"$MNT"'","uuid":"[^"]+"' <(grep -n . "$events")
  expect_equal "UNREGISTER comes last" "$(tail -n 1 "$events" | field event_type)" UNREGISTER
  own=$WORK/own-$ranks
  grep -F "\"source_fid\":\"$fid\"" "$events" > "$own"
  expect_equal "what happened to the file, in order" "$(sed 's/.*"event_type":"\([A-Z_]*\)".*/\1/' "$own" | uniq | tr '\n' ' ')" \
    "ARCHIVE_START ARCHIVE_RUNNING ARCHIVE_FINISH RESTORE_START RESTORE_RUNNING RESTORE_FINISH RESTORE_ERROR "
  for event in ARCHIVE_START ARCHIVE_RUNNING ARCHIVE_FINISH RESTORE_START RESTORE_FINISH; do
    expect_equal "$event: data_fid is source_fid" "$(of $event "$own" | field data_fid)" "$fid"
  done
  expect "RESTORE_RUNNING: it is not" test "$(of RESTORE_RUNNING "$own" | field data_fid)" != "$fid"
  expect_equal "total_bytes" "$(of ARCHIVE_RUNNING "$own" | field total_bytes)" 3000000
  expect_equal "the first RUNNING comes before any byte" "$(of ARCHIVE_RUNNING "$own" | sed -n 1p | field current_bytes)" 0
  expect_equal "current_bytes add up" \
    "$(of ARCHIVE_RUNNING "$own" | sed 's/.*"current_bytes":\([0-9]*\).*/\1/' | awk '{ sum += $1 } END { print sum }')" 3000000
  expect_equal "total_bytes of a start" "$(of ARCHIVE_START "$own" | field total_bytes)" 0
  expect_line "lustre_path, escaped" "\"lustre_path\":\"${DIR##*/}/it's \\\\\"quoted\\\\\" $ranks\"" "$own"
  expect_equal "errno of the failure" "$(of RESTORE_ERROR "$own" | field errno)" 2
  expect_line "REMOVE" '"REMOVE_START"' "$events"
  expect_line "REMOVE" '"REMOVE_FINISH"' "$events"
done

note "a file that is copied before the first report is due"
mkfifo -m 0644 "$FIFO"
cat "$FIFO" > "$WORK/quick" &
reader=$!
start 0 --event-fifo "$FIFO" -u 3600
make_file "$DIR/quick" 1048576
archive "$DIR/quick"
wait_state "$DIR/quick" 0x9
stop_copytool TERM
wait "$reader"
rm "$FIFO"
expect_equal "its events" "$(sed 's/.*"event_type":"\([A-Z_]*\)".*/\1/' "$WORK/quick" | tr '\n' ' ')" \
  "REGISTER ARCHIVE_START ARCHIVE_RUNNING ARCHIVE_FINISH UNREGISTER "

note "without a reader, and with one who does not read"
start 0 --event-fifo "$FIFO"
expect_equal "a fifo is made: type and mode" "$(stat -c '%F %a' "$FIFO")" "fifo 644"
make_file "$DIR/unseen" 500000
archive "$DIR/unseen"
wait_state "$DIR/unseen" 0x9
# Open for reading and never read.
exec 7<> "$FIFO"
make_file "$DIR/much" 300000000
archive "$DIR/much" # more events than a pipe holds: one for each MiB
wait_state "$DIR/much" 0x9 60
stop_copytool TERM
exec 7<&-
expect_line "it says that events were lost" 'events had no reader' "$COPYTOOL_LOG"
expect "the fifo that it made is gone" test ! -e "$FIFO"

note "what cannot be a fifo for it"
: > "$FIFO"
code=0
"$POSIX" -p "$ARCHIVE" --event-fifo "$FIFO" "$MNT" > "$WORK/said" 2>&1 < /dev/null || code=$?
expect_equal "a regular file: EEXIST" "$code" 17
rm "$FIFO"
mkfifo -m 0600 "$FIFO"
code=0
"$POSIX" -p "$ARCHIVE" --daemon --event-fifo "$FIFO" "$MNT" > "$WORK/said" 2>&1 < /dev/null || code=$?
expect_equal "another mode, a daemon: EEXIST" "$code" 17
finish
