#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Without mpirun, and with one rank: the same work, small files and striped ones.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "one rank"

mkdir "$DIR/tree"
for size in 0 1 4097 1048577; do make_file "$DIR/tree/$size" $size; done
make_big_file "$DIR/tree/big" $((20 * 1048576 + 77))
list_files "$DIR/tree" > "$WORK/list"
snapshot "$DIR/tree" > "$WORK/picture"

for ranks in 0 1; do
  note "$ranks ranks of mpirun"
  start_copytool $ranks --stripe-threshold 8M --extent-size 2M
  expect_equal "one process does it" "$(rank_pids | wc -l)" 1
  archive_all "$WORK/list"
  wait_states "$WORK/list" 0x9
  release_all "$WORK/list"
  wait_states "$WORK/list" 0xd
  restore_all "$WORK/list"
  wait_states "$WORK/list" 0x9
  expect_unchanged "content and attributes are as they were" "$DIR/tree" "$WORK/picture"
  for file in "$DIR/tree"/*; do remove "$file"; done
  wait_states "$WORK/list" 0x0
  expect_equal "no object is left" "$(find "$ARCHIVE" \( -path "$ARCHIVE/shadow" -o -path "$ARCHIVE/.lhsmtool_mpi" \) -prune -o -type f -print)" ""
  stop_copytool USR1
  expect_code 0
  expect_line "summary counts the work" '5 archived, 5 restored, 5 removed' "$COPYTOOL_OUT"
done
finish
