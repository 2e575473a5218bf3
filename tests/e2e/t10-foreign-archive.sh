#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An archive as lhsmtool_posix leaves it: its objects restore here, and what stands beside them is left alone.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "archive of another copytool"

# A release needs an archive that really happened (the data version is recorded then), so the tool makes
# the objects; then each is replaced by what lhsmtool_posix would have written.
foreign_object() {
  local format=$1 file=$2 fid object
  fid=$(fid_of "$file")
  object=$(object_of "$fid" "$format")
  rm -f "$object" "$object.lov"
  rm -rf "$ARCHIVE/shadow"
  (umask 077 && cat "$WORK/content" > "$object")
  # What its crash leaves behind.
  echo torn > "${object}_tmp"
  [ "$3" = no-layout ] || cp "$WORK/layout" "$object.lov"
}

for format in v1 v2; do
  note "format $format"
  for layout in layout no-layout; do
    file=$DIR/$format-$layout
    make_file "$file" 777777
    cp "$file" "$WORK/content"
    digest=$(digest_of "$file")
    start_copytool 2 -F $format
    archive "$file"
    wait_state "$file" 0x9
    cp "$(object_of "$(fid_of "$file")" $format).lov" "$WORK/layout"
    stop_copytool USR1
    release "$file"
    foreign_object $format "$file" $layout

    start_copytool 2 -F $format
    restore "$file"
    wait_state "$file" 0x9
    expect_equal "$layout: content is the object's" "$(digest_of "$file")" "$digest"
    object=$(object_of "$(fid_of "$file")" $format)
    expect_equal "the other's temporary is untouched" "$(cat "${object}_tmp")" torn
    printf x >> "$file"
    archive "$file"
    wait_state "$file" 0x9
    expect_equal "object can be replaced" "$(digest_of "$object")" "$(digest_of "$file")"
    rm "${object}_tmp"
    expect_clean_archive
    stop_copytool USR1
    expect_code 0
  done
done

# What the tool writes has the forms that lhsmtool_posix reads: modes of directories and objects.
expect_equal "directories of the archive are their owner's" \
  "$(find "$ARCHIVE" -mindepth 1 -type d ! -perm 0700 ! -path "$ARCHIVE/shadow*")" ""
finish
