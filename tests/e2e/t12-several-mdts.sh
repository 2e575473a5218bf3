#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Files on several MDTs: each has a coordinator of its own, and a restore must happen on the file's MDT.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "several MDTs" --mdt-count 2

[ "$(mdt_count)" -ge 2 ] || skip_all "this Lustre has one MDT, or does not say"
lfs mkdir -i 0 "$DIR/mdt0"
lfs mkdir -i 1 "$DIR/mdt1"
count=40
! is_real_lustre || count=8
for ((i = 0; i < count; ++i)); do
  make_file "$DIR/mdt0/$i" $((i * 1000 + 1))
  make_file "$DIR/mdt1/$i" $((i * 999 + 1))
done
make_big_file "$DIR/mdt1/big" $((9 * 1048576 + 1))
list_files "$DIR" > "$WORK/list"
snapshot "$DIR" > "$WORK/picture"
expect "files are on both" test "$(fid_of "$DIR/mdt0/0" | cut -d: -f1)" != "$(fid_of "$DIR/mdt1/0" | cut -d: -f1)"

start_copytool 3 --stripe-threshold 4M --extent-size 1M
archive_all "$WORK/list"
wait_states "$WORK/list" 0x9
release_all "$WORK/list"
wait_states "$WORK/list" 0xd
restore_all "$WORK/list"
wait_states "$WORK/list" 0x9
expect_unchanged "content and attributes are as they were" "$DIR" "$WORK/picture"
wait_record "$(fid_of "$DIR/mdt1/big")" RESTORE SUCCEED
expect_clean_archive

# Moved below a directory of the other MDT, a file stays on its own.
release "$DIR/mdt1/5"
mv "$DIR/mdt1/5" "$DIR/mdt0/moved"
restore "$DIR/mdt0/moved"
wait_state "$DIR/mdt0/moved" 0x9
expect_equal "moved file has its size" "$(stat -c %s "$DIR/mdt0/moved")" $((5 * 999 + 1))

stop_copytool USR1
expect_code 0
finish
