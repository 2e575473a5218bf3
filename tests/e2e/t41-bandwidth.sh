#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# -b is the limit of all ranks together, and a control file changes it while they copy.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "bandwidth"

now_ms() { date +%s%3N; }

# timed_archive: archive the files of the list and set `took` to the time in milliseconds.
timed_archive() {
  local begun
  begun=$(now_ms)
  archive_all "$WORK/list"
  wait_states "$WORK/list" 0x9 60
  took=$(($(now_ms) - begun))
}

# with_ranks RANKS FILES BYTES: at 4 MiB/s 16 MiB take four seconds, less a fifth of one that may have been saved up.
with_ranks() {
  local i
  rm -rf "$DIR/files"
  mkdir "$DIR/files"
  for ((i = 0; i < $2; ++i)); do make_file "$DIR/files/$i" "$3"; done
  list_files "$DIR/files" > "$WORK/list"
  start_copytool "$1" -b 4 --stripe-threshold 8M --extent-size 1M
  timed_archive
  note "$1 ranks, $2 files of $3 bytes: $took ms"
  expect "no faster than the limit" test "$took" -ge 3790
  expect "not much slower" test "$took" -le $(($(seconds 40) * 1000))
  stop_copytool USR1
  expect_code 0
}
with_ranks 0 4 4194304
with_ranks 2 1 16777216
with_ranks 4 512 32768

note "changed while it runs"
make_file "$DIR/big" 67108864
printf '%s\0' "$DIR/big" > "$WORK/list"
echo 'bandwidth=64K' > "$WORK/controls" # 17 minutes
start_copytool 2 -b 1G --control "$WORK/controls" --stripe-threshold 8M --extent-size 1M
expect_soon "the file's limit is heeded" 10 grep -q 'bandwidth limit: 64 KiB/s' "$COPYTOOL_LOG"
archive "$DIR/big"
is_underway() { lfs hsm_action "$DIR/big" | grep "ARCHIVE running" > /dev/null; }
expect_soon "it runs" 30 is_underway
echo 'bandwith=1G' > "$WORK/controls"
expect_soon "a line that is not understood is told" 10 grep -q "line 1: 'bandwith=1G'" "$COPYTOOL_LOG"
echo 'bandwidth=0' > "$WORK/controls"
wait_state "$DIR/big" 0x9 30
stop_copytool USR1
expect_code 0
finish
