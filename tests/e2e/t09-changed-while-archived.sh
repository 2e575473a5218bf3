#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A file that changes while it is archived: the action fails, and the object of before stays what it was.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "file changed while archived"

size=$((700 * 1048576))
! is_real_lustre || size=$((48 * 1048576))
make_big_file "$DIR/big" $size
fid=$(fid_of "$DIR/big")
object=$(object_of "$fid")
# Running is also what was sent and is not begun: a change before the begin would be archived with the rest.
is_underway() { [ "$(moved_bytes "$DIR/big")" -gt 0 ] 2> /dev/null; }

# with_copytool RANKS OPTION...: one by one, and striped.
with_copytool() {
  local before
  note "$*"
  start_copytool "$@"
  archive "$DIR/big"
  wait_state "$DIR/big" 0x9 120
  before=$(digest_of "$object")
  expect_equal "object is the file" "$before" "$(digest_of "$DIR/big")"

  printf changed >> "$DIR/big"
  expect_soon "file is dirty" 30 has_state "$DIR/big" 0xb
  archive "$DIR/big"
  expect_soon "second archive runs" 30 is_underway
  printf again >> "$DIR/big"
  wait_record "$fid" ARCHIVE FAILED 120
  expect_equal "object is the one of before" "$(digest_of "$object")" "$before"
  expect_clean_archive
  expect_line "a line has file, operation and errno" "${fid//[\[\]]/.*} ?.*failed: .*\\(EBUSY\\)" "$COPYTOOL_LOG"

  archive "$DIR/big"
  wait_state "$DIR/big" 0x9 120
  expect_equal "left in peace it is archived" "$(digest_of "$object")" "$(digest_of "$DIR/big")"
  stop_copytool USR1
  expect_code 3
  expect_clean_archive
}
with_copytool 1 --slots 1 --update-interval 0.1 --stripe-threshold 100G --chunk-size 64K
printf more >> "$DIR/big"
# A request for what does not count as changed yet would ask for nothing.
expect_soon "file is dirty" 30 has_state "$DIR/big" 0xb
with_copytool 3 --slots 1 --update-interval 0.1 --stripe-threshold 8M --extent-size 8M --chunk-size 64K
finish
