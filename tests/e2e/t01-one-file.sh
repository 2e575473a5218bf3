#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The life of one file: archived, released, restored, removed from the archive; in both archive formats.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "one file's life"

life_in_format() {
  local format=$1 file=$DIR/file-$1 fid object picture digest copied
  note "archive format $format"
  start_copytool 2 -F "$format"
  make_file "$file" 1234567
  chmod 0640 "$file"
  [ "$(id -u)" -ne 0 ] || chown 4321:8765 "$file"
  touch -d '2011-12-13 14:15:16' "$file"
  picture=$(stat -c '%a %u:%g %s %Y' "$file")
  digest=$(digest_of "$file")
  fid=$(fid_of "$file")
  object=$(object_of "$fid" "$format")
  expect_state "$file" 0x0

  archive "$file"
  wait_state "$file" 0x9
  wait_record "$fid" ARCHIVE SUCCEED
  expect "object is at its place" test -f "$object"
  expect_equal "object has the content" "$(digest_of "$object")" "$digest"
  expect_equal "object has mode, owner, size and time" "$(stat -c '%a %u:%g %s %Y' "$object")" "$picture"
  expect "object's layout is beside it" test -s "$object.lov"
  expect_equal "shadow link leads to the object" "$(readlink -f "$ARCHIVE/shadow/${file#"$MNT"/}")" \
    "$(readlink -f "$object")"
  expect_clean_archive

  release "$file"
  expect_state "$file" 0xd
  expect_equal "released file has its attributes" "$(stat -c '%a %u:%g %s %Y' "$file")" "$picture"
  expect_at_most "released file has no blocks" "$(blocks_of "$file")" 1

  restore "$file"
  wait_state "$file" 0x9
  wait_record "$fid" RESTORE SUCCEED
  expect_equal "restored file has its content" "$(digest_of "$file")" "$digest"
  expect_equal "restored file has its attributes" "$(stat -c '%a %u:%g %s %Y' "$file")" "$picture"
  expect_equal "it is the same file" "$(fid_of "$file")" "$fid"

  release "$file"
  expect_state "$file" 0xd
  restore "$file"
  wait_state "$file" 0x9
  expect_equal "a second restore brings the content, too" "$(digest_of "$file")" "$digest"

  # A changed file is archived again, over the old object.
  copied=$(stat -c %i "$object")
  make_file "$file" 54321
  digest=$(digest_of "$file")
  comes_true 10 has_state "$file" 0xb || note "file did not become dirty: $(state_of "$file")"
  archive "$file"
  wait_state "$file" 0x9
  expect_equal "object has the new content" "$(digest_of "$object")" "$digest"
  expect "object is a new file" test "$(stat -c %i "$object")" != "$copied"
  expect_clean_archive

  remove "$file"
  wait_state "$file" 0x0
  wait_record "$fid" REMOVE SUCCEED
  expect "object is gone" test ! -e "$object"
  expect "its layout is gone" test ! -e "$object.lov"
  expect_equal "file keeps its content" "$(digest_of "$file")" "$digest"

  stop_copytool USR1
  expect_code 0
  expect_line "summary counts the actions" '^Files: .*2 archived, 2 restored, 1 removed' "$COPYTOOL_OUT"
}

life_in_format v1
life_in_format v2
expect "no process is left" no_tool_running
finish
