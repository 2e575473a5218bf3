#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# lhsmtool_posix, unchanged, on the emulator's library: all it can do, and archives that it and our tool
# leave to each other. LHSM_TEST_PROGRAM names it.
# shellcheck disable=SC2317 # functions are called by name
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
begin "lhsmtool_posix" --loop-period 1

POSIX=$LHSM_TEST_PROGRAM
PID_FILE=$WORK/posix.pid
POSIX_LOG=$WORK/posix.log

posix_is_up() { [ -s "$PID_FILE" ] && is_running "$(cat "$PID_FILE")"; }
posix_is_gone() { ! posix_is_up; }

# start_posix FORMAT OPTION...: as Lustre's test framework starts it.
start_posix() {
  local format=$1
  shift
  "$POSIX" --archive-format="$format" --hsm-root="$ARCHIVE" --daemon --pid-file="$PID_FILE" "$@" "$MNT" \
    < /dev/null >> "$POSIX_LOG" 2>&1
  expect_soon "lhsmtool_posix is registered" 20 is_registered_any
}
is_registered_any() { lctl get_param -n 'mdt.*.hsm.agents' | grep uuid > /dev/null; }
nobody_registered() { ! is_registered_any; }

stop_posix() {
  ! posix_is_up || kill -s TERM "$(cat "$PID_FILE")"
  expect_soon "lhsmtool_posix ends" 20 posix_is_gone
  expect_soon "nobody is registered" 20 nobody_registered
}
at_end stop_posix

# tree NAME: a tree of odd files, its list, its picture.
tree() {
  make_odd_tree "$DIR/$1"
  make_file "$DIR/$1/large" 7000001
  ln "$DIR/$1/large" "$DIR/$1/hardlink"
  lfs setstripe -c 2 -S 1M -i 1 "$DIR/$1/striped"
  make_file "$DIR/$1/striped" 3000001
  lfs setstripe -E 1M -c 1 -E 16M -c 2 -E -1 -c 4 "$DIR/$1/progressive"
  make_file "$DIR/$1/progressive" 2500001
  # Two names are one file to the coordinator, and one request.
  find "$DIR/$1" -type f ! -name hardlink -print0 | LC_ALL=C sort -z > "$WORK/list"
  snapshot "$DIR/$1" > "$WORK/picture"
}

# layouts_of NAME: what a restore has to bring back. A restored file's objects are others.
layouts_of() {
  lfs getstripe -c -S "$DIR/$1/striped"
  lfs getstripe "$DIR/$1/progressive" | grep -E 'extent|stripe_count|stripe_size'
}

for format in v1 v2; do
  note "format $format, by lhsmtool_posix alone"
  tree "own-$format"
  layouts=$(layouts_of "own-$format")
  start_posix $format
  archive_all "$WORK/list"
  wait_states "$WORK/list" 0x9
  release_all "$WORK/list"
  wait_states "$WORK/list" 0xd
  expect_equal "released files own no blocks" "$(blocks_of "$DIR/own-$format/large")" 0
  restore_all "$WORK/list"
  wait_states "$WORK/list" 0x9
  expect_unchanged "the tree is what it was" "$DIR/own-$format" "$WORK/picture"
  expect_equal "files have their layouts" "$(layouts_of "own-$format")" "$layouts"
  file=$DIR/own-$format/sizes/4096
  object=$(object_of "$(fid_of "$file")" $format)
  expect "there is an object" test -e "$object"
  remove "$file"
  wait_state "$file" 0x0
  expect "the object is removed" test ! -e "$object"

  note "format $format, archived by lhsmtool_posix, restored by ours"
  release_all <(grep -azFxv "$file" "$WORK/list")
  stop_posix
  start_copytool 3 -F $format
  restore_all <(grep -azFxv "$file" "$WORK/list")
  grep -azFxv "$file" "$WORK/list" > "$WORK/rest"
  wait_states "$WORK/rest" 0x9
  expect_unchanged "the tree is what it was" "$DIR/own-$format" "$WORK/picture"
  expect_equal "files have their layouts" "$(layouts_of "own-$format")" "$layouts"

  note "format $format, archived by ours, restored by lhsmtool_posix"
  tree "ours-$format"
  archive_all "$WORK/list"
  wait_states "$WORK/list" 0x9
  release_all "$WORK/list"
  stop_copytool USR1
  start_posix $format
  restore_all "$WORK/list"
  wait_states "$WORK/list" 0x9
  expect_unchanged "the tree is what it was" "$DIR/ours-$format" "$WORK/picture"
  expect_equal "files have their layouts" "$(layouts_of "ours-$format")" "$layouts"
  stop_posix
done

note "import"
make_file "$ARCHIVE/outside" 123457
digest=$(digest_of "$ARCHIVE/outside")
touch -d '2011-02-03 04:05:06' "$ARCHIVE/outside"
expect "import of a file" "$POSIX" --archive-format=v2 --hsm-root="$ARCHIVE" --archive "$ARCHIVE_ID" \
  --import outside "$DIR/imported" "$MNT"
expect_state "$DIR/imported" 0xd
expect_equal "its size" "$(stat -c %s "$DIR/imported")" 123457
start_posix v2
restore "$DIR/imported"
wait_state "$DIR/imported" 0x9
expect_equal "its content" "$(digest_of "$DIR/imported")" "$digest"
expect_equal "its time" "$(stat -c %Y "$DIR/imported")" "$(stat -c %Y "$ARCHIVE/outside")"

note "rebind"
make_file "$DIR/first" 5555
digest=$(digest_of "$DIR/first")
archive "$DIR/first"
wait_state "$DIR/first" 0x9
stop_posix
old=$(fid_of "$DIR/first")
make_file "$DIR/second" 5555
new=$(fid_of "$DIR/second")
expect "rebind of an object" "$POSIX" --archive-format=v2 --hsm-root="$ARCHIVE" --rebind "$old" "$new" "$MNT"
expect "the object has the new FID" test -e "$(object_of "$new" v2)"
expect "and the old one no more" test ! -e "$(object_of "$old" v2)"
lfs hsm_set --exists --archived --archive-id "$ARCHIVE_ID" "$DIR/second"

note "event fifo"
mkfifo "$WORK/fifo"
cat "$WORK/fifo" > "$WORK/events" &
reader=$!
start_posix v2 --event-fifo "$WORK/fifo" --update-interval 0
make_file "$DIR/watched" 3000000
archive "$DIR/watched"
wait_state "$DIR/watched" 0x9
release "$DIR/watched"
restore "$DIR/watched"
wait_state "$DIR/watched" 0x9
stop_posix
wait "$reader" || true
for event in REGISTER ARCHIVE_START ARCHIVE_RUNNING ARCHIVE_FINISH RESTORE_START RESTORE_FINISH UNREGISTER; do
  expect_line "event $event" "\"event_type\": ?\"$event\"" "$WORK/events"
done
finish
