#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a site can get wrong: a clear line with file, operation and errno; the action ended with the right
# errno; nothing left behind; the other files go on.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "bad input"
# Records are looked at one after the other: they have to stay until then, however slow the machine is.
! knows_records || set_tunable 'mdt.*.hsm.grace_delay' 3600

note "at the start"
try_serve() { timeout 60 "$TOOL" serve "$@" < /dev/null; }
expect_refused "missing mount" "$WORK/nowhere: .*\(ENOENT\)" try_serve -p "$ARCHIVE" "$WORK/nowhere"
expect_refused "mount that is no Lustre" "$ARCHIVE: .*\(ENODEV\)" try_serve -p "$ARCHIVE" "$ARCHIVE"
expect_refused "missing archive root" "$WORK/none: .*\(ENOENT\)" try_serve -p "$WORK/none" "$MNT"
: > "$WORK/plain"
expect_refused "archive root that is a file" "$WORK/plain: .*\(ENOTDIR\)" try_serve -p "$WORK/plain" "$MNT"
expect_refused "missing mount under mpirun" "$WORK/nowhere: .*\(ENOENT\)" \
  timeout 60 mpirun -n 3 "$TOOL" serve -p "$ARCHIVE" "$WORK/nowhere"
timeout 60 mpirun -n 3 "$TOOL" serve -p "$ARCHIVE" "$WORK/nowhere" > "$WORK/said" 2>&1 < /dev/null && code=0 || code=$?
expect_equal "exit code of it" "$code" 1
expect_equal "it is said once, not by each rank" "$(grep -c ENOENT "$WORK/said")" 1

if [ "$(id -u)" -eq 0 ] && command -v setpriv > /dev/null; then
  # The build tree may lie where nobody may look; a copy does not.
  mkdir -p "$WORK/copy/bin" "$WORK/copy/lib"
  cp "$TOOL" "$WORK/copy/bin/"
  [ ! -d "$E2E_BUILD/lib/lhsm_emulator" ] || cp -R "$E2E_BUILD/lib/lhsm_emulator" "$WORK/copy/lib/"
  chmod 755 "$WORK"
  as_nobody() {
    timeout 60 setpriv --reuid=65534 --regid=65534 --clear-groups \
      env -u LHSM_EMULATOR_LIBRARY "$WORK/copy/bin/lhsmtool_mpi" serve "$@" < /dev/null
  }
  chmod 777 "$ARCHIVE"
  expect_refused "no permission to register" "$MNT: .*\((EPERM|EACCES)\)" as_nobody -p "$ARCHIVE" "$MNT"
  chmod 700 "$ARCHIVE"
  expect_refused "archive root that may not be read" "$ARCHIVE: .*\((EACCES|EPERM)\)" as_nobody -p "$ARCHIVE" "$MNT"
else
  unable "no permission" "needs root and setpriv"
fi

if knows_records; then
  coordinator shutdown
  expect_soon "coordinator stops" 30 coordinator_is stopped
  expect_refused "coordinator stopped" "ask the coordinator of .* $MNT: .*\(EAGAIN\)" try_serve -p "$ARCHIVE" "$MNT"
  coordinator enabled
  expect_soon "coordinator starts" 30 coordinator_is enabled
else
  unable "coordinator stopped" "lctl cannot stop it from here"
fi
expect "no process is left" no_tool_running
expect_equal "nothing was put into the archive" "$(find "$ARCHIVE" -mindepth 1)" ""

note "single files among good ones"
start_copytool 3 --stripe-threshold 2M --extent-size 1M
for name in good-1 missing short directory long good-2; do make_file "$DIR/$name" 300000; done
for name in big-missing big-short big-good; do make_file "$DIR/$name" 5000001; done
list_files "$DIR" > "$WORK/list"
archive_all "$WORK/list"
wait_states "$WORK/list" 0x9
snapshot "$DIR" > "$WORK/picture"
release_all "$WORK/list"
wait_states "$WORK/list" 0xd

object_named() { object_of "$(fid_of "$DIR/$1")"; }
set_aside() { mv "$(object_named "$1")" "$WORK/$1.aside"; }
put_back() {
  local object
  object=$(object_named "$1")
  rm -rf "$object"
  mv "$WORK/$1.aside" "$object"
}
for name in missing short directory long big-missing big-short; do set_aside "$name"; done
head -c 299999 "$WORK/short.aside" > "$(object_named short)"
mkdir "$(object_named directory)"
cat "$WORK/long.aside" "$WORK/short.aside" > "$(object_named long)"
head -c 4999999 "$WORK/big-short.aside" > "$(object_named big-short)"

restore_all "$WORK/list"
for name in good-1 good-2 big-good; do wait_state "$DIR/$name" 0x9; done
# expect_failed NAME ERRNO-PATTERN
expect_failed() {
  local fid
  fid=$(fid_of "$DIR/$1")
  wait_record "$fid" RESTORE FAILED
  expect_state "$DIR/$1" 0xd
  expect_equal "$1 keeps its size" "$(stat -c %s "$DIR/$1")" "$(stat -c %s "$WORK/$1.aside")"
  expect_line "$1: one line has file, operation and errno" "${fid//[\[\]]/.*} ?.*failed: .+: .*\\($2\\)" "$COPYTOOL_LOG"
}
expect_failed missing ENOENT
expect_failed big-missing ENOENT
expect_failed directory 'EISDIR|EINVAL'
expect_failed short 'EIO|ENODATA|EINVAL|ESTALE|EUCLEAN'
expect_failed big-short 'EIO|ENODATA|EINVAL|ESTALE|EUCLEAN'
long=$(last_record "$(fid_of "$DIR/long")" RESTORE 2> /dev/null || true)
note "object longer than its file: ${long:-not looked at}, state $(state_of "$DIR/long")"
grep -F 'failed:' "$COPYTOOL_LOG" | sed 's/^/# /' || true

note "mended, the files come back"
for name in missing short directory long big-missing big-short; do put_back "$name"; done
restore_all "$WORK/list"
wait_states "$WORK/list" 0x9
expect_unchanged "content and attributes are as they were" "$DIR" "$WORK/picture"

note "an archive that cannot be written"
make_file "$DIR/unwritable" 1000
fid=$(fid_of "$DIR/unwritable")
place=$(object_of "$fid")
mkdir -p "$place/occupied" # a directory that is not empty stands where the object belongs
archive "$DIR/unwritable"
wait_record "$fid" ARCHIVE FAILED
expect_archive_failed_state "$DIR/unwritable"
expect_line "its line has file, operation and errno" "${fid//[\[\]]/.*} ?.*failed: .+: .*\\((EISDIR|ENOTEMPTY|EEXIST|EINVAL)\\)" \
  "$COPYTOOL_LOG"
rm -r "$place"
archive "$DIR/unwritable"
wait_state "$DIR/unwritable" 0x9
expect_clean_archive

stop_copytool USR1
expect_code 3 "some files failed"
expect_line "summary counts the failures" '^Failed: +[67]$' "$COPYTOOL_OUT"
expect "no process is left" no_tool_running
finish
