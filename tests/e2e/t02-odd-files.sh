#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Odd sizes, names, modes, times, holes: everything comes back as it was.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "tree of odd files"

make_odd_tree "$DIR/tree"
list_files "$DIR/tree" > "$WORK/list"
snapshot "$DIR/tree" > "$WORK/picture"
sparse_blocks=$(blocks_of "$DIR/tree/sparse")
start_copytool 3

archive_all "$WORK/list"
wait_states "$WORK/list" 0x9
expect_clean_archive
sparse_object=$(object_of "$(fid_of "$DIR/tree/sparse")")
expect_at_most "holes stay holes in the archive" "$(blocks_of "$sparse_object")" $((sparse_blocks + 256))

release_all "$WORK/list"
wait_states "$WORK/list" 0xd
restore_all "$WORK/list"
wait_states "$WORK/list" 0x9
expect_unchanged "content and attributes are as they were" "$DIR/tree" "$WORK/picture"
expect_at_most "holes stay holes in the restored file" "$(blocks_of "$DIR/tree/sparse")" $((sparse_blocks + 256))

stop_copytool USR1
expect_code 0
expect_line "nothing failed" '^Failed: +0$' "$COPYTOOL_OUT"
finish
