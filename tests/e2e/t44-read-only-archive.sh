#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An archive that is mounted read-only, as one is from which all is to be brought back and nothing may be changed.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "an archive that is read-only"
[ "$(id -u)" -eq 0 ] || skip_all "only root may mount"
for i in {1..8}; do make_file "$DIR/f$i" $((i * 1000)); done
list_files "$DIR" > "$WORK/list"
snapshot "$DIR" > "$WORK/picture"
start_copytool 0
archive_all "$WORK/list"
wait_states "$WORK/list" 0x9
stop_copytool USR1
release_all "$WORK/list"
wait_states "$WORK/list" 0xd

is_mounted() { mountpoint -q "$ARCHIVE"; }
unmount() { ! is_mounted || umount "$ARCHIVE"; }
mount --bind "$ARCHIVE" "$ARCHIVE" 2> /dev/null || skip_all "nothing can be mounted here"
at_end unmount
mount -o remount,bind,ro "$ARCHIVE"

note "check"
for options in "" --read-only; do
  # shellcheck disable=SC2086
  run_tool 2 check $options -p "$ARCHIVE" -A "$ARCHIVE_ID" "$MNT" > "$WORK/out" 2> "$WORK/log" && code=0 || code=$?
  expect_equal "check $options: exit code" "$code" 0
done
run_tool 2 check -p "$ARCHIVE" -A "$ARCHIVE_ID" "$MNT" > "$WORK/out" 2> "$WORK/log" || true
expect_line "it says what is possible" "^WARN +archive +$ARCHIVE is mounted read-only: restores only\$" "$WORK/out"

note "jobs"
run_tool 2 archive -p "$ARCHIVE" -A "$ARCHIVE_ID" -o "$WORK/archive.h5" "$DIR" > "$WORK/out" 2>&1 && code=0 || code=$?
expect_equal "one that would write there does not begin" "$code" 1
expect_line "and says why" 'write to the archive .*EROFS' "$WORK/out"
expect "one that restores does" run_tool 2 restore -p "$ARCHIVE" -A "$ARCHIVE_ID" -o "$WORK/restore.h5" "$DIR"
wait_states "$WORK/list" 0x9
expect_unchanged "content and attributes are as they were" "$DIR" "$WORK/picture"

note "a copytool"
release_all "$WORK/list"
wait_states "$WORK/list" 0xd
start_copytool 2
expect_line "says what it cannot do" "warning the archive $ARCHIVE is mounted read-only" "$COPYTOOL_LOG"
restore_all "$WORK/list"
wait_states "$WORK/list" 0x9
make_file "$DIR/new" 1000
archive "$DIR/new"
wait_record "$(fid_of "$DIR/new")" ARCHIVE FAILED
stop_copytool USR1
expect_code 3
expect_line "and fails what would write" 'ARCHIVE .*EROFS' "$COPYTOOL_LOG"
finish
