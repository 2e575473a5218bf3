#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# lfs hsm_cancel of a copy that runs: it stops, nothing of it is left, and the file can be had again.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "cancel"

size=$((700 * 1048576))
! is_real_lustre || size=$((48 * 1048576))
make_big_file "$DIR/big" $size
digest=$(digest_of "$DIR/big")
fid=$(fid_of "$DIR/big")

# cancel_while_running WORD: wait until `lfs hsm_action` says that WORD runs, cancel it, and wait for its end.
is_underway() { lfs hsm_action "$DIR/big" | grep "$1 running" > /dev/null; }
is_over() { lfs hsm_action "$DIR/big" | grep NOOP > /dev/null; }
archive_is_clean() { [ -z "$(find "$ARCHIVE" -name '*_tmp*')" ]; }
cancel_while_running() {
  expect_soon "$1 runs" 60 is_underway "$1"
  cancel "$DIR/big"
  wait_record "$fid" "$1" CANCELED
  expect_soon "$1 is over" 60 is_over
}

# with_copytool RANKS OPTION...: one by one, and striped.
with_copytool() {
  note "$*"
  start_copytool "$@" --update-interval 0.1 --chunk-size 64K
  archive "$DIR/big"
  cancel_while_running ARCHIVE
  expect_soon "no temporary is left in the archive" 30 archive_is_clean
  expect "no object is there" test ! -e "$(object_of "$fid")"
  expect_archive_failed_state "$DIR/big"

  archive "$DIR/big"
  wait_state "$DIR/big" 0x9 120
  release "$DIR/big"
  restore "$DIR/big"
  cancel_while_running RESTORE
  expect_state "$DIR/big" 0xd
  restore "$DIR/big"
  wait_state "$DIR/big" 0x9 120
  expect_equal "content is right in the end" "$(digest_of "$DIR/big")" "$digest"

  remove "$DIR/big"
  wait_state "$DIR/big" 0x0
  stop_copytool USR1
  expect_code 0 "a cancelled action has not failed"
  expect_line "summary counts what was cancelled" '^Cancelled: +2$' "$COPYTOOL_OUT"
}
with_copytool 1 --slots 1 --stripe-threshold 100G
with_copytool 3 --slots 1 --stripe-threshold 8M --extent-size 8M
expect "no process is left" no_tool_running
finish
