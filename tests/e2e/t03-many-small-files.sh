#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Many small files over four ranks of several slots.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "many small files"

count=1500
! is_real_lustre || count=201
note "$count files"
for length in 100 4097 16383; do
  mkdir -p "$DIR/tree/$length"
  make_file "$WORK/content" $((length * count / 3))
  split -a 4 -b $length "$WORK/content" "$DIR/tree/$length/"
done
list_files "$DIR/tree" > "$WORK/list"
snapshot "$DIR/tree" > "$WORK/picture"

# The flat tree: v1 takes six directories for each file, and making them all would be what is measured.
start_copytool 4 --slots 4 -F v2
archive_all "$WORK/list"
wait_states "$WORK/list" 0x9 120
release_all "$WORK/list"
wait_states "$WORK/list" 0xd
restore_all "$WORK/list"
wait_states "$WORK/list" 0x9 120
expect_unchanged "content and attributes are as they were" "$DIR/tree" "$WORK/picture"
expect_clean_archive
expect_equal "the archive has an object for each file" \
  "$(find "$ARCHIVE" \( -path "$ARCHIVE/shadow" -o -path "$ARCHIVE/.lhsmtool_mpi" \) -prune -o -type f ! -name '*.lov' -print | wc -l)" "$count"

stop_copytool USR1
expect_code 0
expect_line "summary counts all" "^Files: .*$count archived, $count restored, 0 removed" "$COPYTOOL_OUT"
finish
