#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An archive that is full, an archive that is unmounted in mid-run, and a coordinator that dies.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "archive full, archive gone, coordinator gone"
! is_real_lustre || skip_all "kills the coordinator"
[ "$(id -u)" -eq 0 ] || skip_all "only root may mount"
is_mounted() { mountpoint -q "$ARCHIVE"; }
unmount() { ! is_mounted || umount "$ARCHIVE"; }
mount -t tmpfs -o size=2m tmpfs "$ARCHIVE" 2> /dev/null || skip_all "no tmpfs can be mounted here"
at_end unmount
options=(--slots 2 --stripe-threshold 4M --extent-size 1M --chunk-size 64K)

# expect_no_room NAME: its archive failed for want of room, and left nothing.
expect_no_room() {
  local fid
  fid=$(fid_of "$DIR/$1")
  wait_record "$fid" ARCHIVE FAILED
  expect_archive_failed_state "$DIR/$1"
  expect_line "$1: a line has file, operation and errno" "${fid//[\[\]]/.*} ?.*failed: .+: .*\\(ENOSPC\\)" "$COPYTOOL_LOG"
  expect "$1: no object" test ! -e "$(object_of "$fid")"
}

note "an archive of 2 MB"
make_file "$DIR/fits" 500000
make_file "$DIR/too-long" 3000000
make_file "$DIR/far-too-long" 9000000
start_copytool 3 "${options[@]}"
archive "$DIR/too-long" "$DIR/far-too-long"
expect_no_room too-long
expect_no_room far-too-long
archive "$DIR/fits"
wait_state "$DIR/fits" 0x9
expect_clean_archive
mount -o remount,size=64m "$ARCHIVE"
archive "$DIR/too-long" "$DIR/far-too-long"
wait_state "$DIR/too-long" 0x9
wait_state "$DIR/far-too-long" 0x9
stop_copytool USR1
expect_code 3

note "unmounted in mid-run: the ranks keep the file system that they opened"
start_copytool 2 "${options[@]}"
umount -l "$ARCHIVE"
make_file "$DIR/late" 100000
archive "$DIR/late"
wait_state "$DIR/late" 0x9
expect_equal "nothing was put into the directory below" "$(find "$ARCHIVE" -mindepth 1)" ""
stop_copytool USR1
expect_code 0

note "a root that is removed in mid-run"
mkdir "$ARCHIVE/root"
ARCHIVE=$ARCHIVE/root start_copytool 2 "${options[@]}"
rm -r "$ARCHIVE/root"
mkdir "$ARCHIVE/root"
make_file "$DIR/nowhere" 1000
fid=$(fid_of "$DIR/nowhere")
archive "$DIR/nowhere"
wait_record "$fid" ARCHIVE FAILED
expect_line "its line has file, operation and errno" "${fid//[\[\]]/.*} ?.*failed: .+: .*\\(ENOENT\\)" "$COPYTOOL_LOG"
expect_equal "nothing was put into the other directory" "$(find "$ARCHIVE/root" -mindepth 1)" ""
stop_copytool USR1
expect_code 3

note "the coordinator is killed in mid-run"
for i in 1 2 3 4 5 6; do make_file "$DIR/file-$i" 3000000; done
list_files "$DIR" > "$WORK/list"
tr '\0' '\n' < "$WORK/list" | grep file- | tr '\n' '\0' > "$WORK/files"
start_copytool 2 "${options[@]}" -b 4 --drain-timeout 2
archive_all "$WORK/files"
some_temporary() { [ -n "$(find "$ARCHIVE" -name '*_tmp.*')" ]; }
expect_soon "objects are in the making" 30 some_temporary
daemon=$("$E2E_BUILD/bin/lhsm_emulator" status "$WORK/lustre" --json | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -n 1)
expect "the daemon is found" test -n "$daemon"
kill -s KILL "$daemon"
"$E2E_BUILD/bin/lhsm_emulator" start "$WORK/lustre" --time-scale $E2E_TIME_SCALE --max-requests 1000 > "$WORK/emulator.out"
expect_soon "the copytool registers again" 60 is_registered
archive_all "$WORK/files"
wait_states "$WORK/files" 0x9
expect_clean_archive
stop_copytool USR1
expect_code 3 "what ran when the coordinator went has failed"
finish
