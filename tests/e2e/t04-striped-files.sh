#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Large files are cut into extents that several ranks copy; their progress is seen while it grows.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "striped files"

mebibyte=1048576
size=$((100 * mebibyte + 12345))
! is_real_lustre || size=$((24 * mebibyte + 12345))
make_big_file "$DIR/big" $size
make_sparse_file "$DIR/sparse" $size
make_file "$DIR/under" $((8 * mebibyte - 1))
make_file "$DIR/exact" $((8 * mebibyte))
list_files "$DIR" > "$WORK/list"
snapshot "$DIR" > "$WORK/picture"
sparse_blocks=$(blocks_of "$DIR/sparse")

start_copytool 4 --slots 2 --stripe-threshold 8M --extent-size 1M --update-interval 1 -v
archive_all "$WORK/list"
wait_states "$WORK/list" 0x9
expect_equal "big object has the content" "$(digest_of "$(object_of "$(fid_of "$DIR/big")")")" "$(digest_of "$DIR/big")"
expect_at_most "holes stay holes in the archive" "$(blocks_of "$(object_of "$(fid_of "$DIR/sparse")")")" \
  $((sparse_blocks + 2 * 2048))
expect_clean_archive

release_all "$WORK/list"
wait_states "$WORK/list" 0xd
restore_all "$WORK/list"
wait_states "$WORK/list" 0x9
expect_unchanged "content and attributes are as they were" "$DIR" "$WORK/picture"
expect_at_most "holes stay holes in the restored file" "$(blocks_of "$DIR/sparse")" $((sparse_blocks + 2 * 2048))
stop_copytool USR1
expect_code 0

# Growing progress, with the work spread over ranks. How long a copy takes depends on the machine: the
# file grows until it takes long enough to be watched.
note "progress of one large file"
watch_restore() {
  local file=$1 seen=0 last='' now
  restore "$file"
  # Between two reports the figure stands still; only different ones count.
  until has_state "$file" 0x9; do
    now=$(moved_bytes "$file")
    # The end itself is recorded as 2^64-1 bytes, the whole file.
    [ ${#now} -lt 20 ] || now=''
    if [ -n "$now" ] && [ "$now" != "$last" ] && [ "$now" -gt 0 ]; then
      [ -z "$last" ] || [ "$now" -gt "$last" ] || fail "progress grows only" "from $last to $now"
      echo "# $now bytes moved"
      last=$now
      seen=$((seen + 1))
    fi
    [ $SECONDS -lt "$deadline" ] || return 1
  done
  progress_figures=$seen
}

start_copytool 4 --slots 1 --stripe-threshold 8M --extent-size 1M --update-interval 0.2 --chunk-size 64K -v
progress_figures=0
for factor in 3 10; do
  ! is_real_lustre || factor=$((factor / 3))
  make_big_file "$DIR/watched" $((size * factor))
  digest_before=$(digest_of "$DIR/watched")
  archive "$DIR/watched"
  wait_state "$DIR/watched" 0x9 120
  release "$DIR/watched"
  deadline=$((SECONDS + $(seconds 120)))
  watch_restore "$DIR/watched" || fail "restore ends in time"
  expect_equal "watched file has its content" "$(digest_of "$DIR/watched")" "$digest_before"
  [ "$progress_figures" -lt 2 ] || break
  rm -f "$DIR/watched"
done
expect_at_least "lfs hsm_action showed growing progress" "$progress_figures" 2
# What each rank wrote says whether the work was spread.
busy=0
for pid in $(rank_pids); do
  written=$(sed -n 's/^wchar: //p' "/proc/$pid/io")
  note "rank with pid $pid wrote $written bytes"
  [ "$written" -lt $((2 * mebibyte)) ] || busy=$((busy + 1))
done
expect_at_least "ranks that took part" "$busy" 2
stop_copytool USR1
expect_code 0
expect_clean_archive
finish
