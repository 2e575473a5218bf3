#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# SIGSTOP of rank 0 stops the work of all ranks, SIGCONT lets it go on.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "stop and continue"

size=$((1200 * 1048576))
! is_real_lustre || size=$((96 * 1048576))
for name in a b c; do make_big_file "$DIR/$name" $size; done
digest=$(digest_of "$DIR/a")

# pid_of_rank N: of the tool under mpirun.
pid_of_rank() {
  local pid
  for pid in $(rank_pids); do
    ! tr '\0' '\n' < "/proc/$pid/environ" | grep -x "OMPI_COMM_WORLD_RANK=$1" > /dev/null || echo "$pid"
  done
}
# In KiB; an object has its size from the begin on, so blocks count.
archived_kib() { du -sk "$ARCHIVE" | cut -f 1; }
# Each rank has begun its file.
is_moving() { [ "$(find "$ARCHIVE" -name '*_tmp*' | wc -l)" -ge 3 ]; }
holds_still() {
  local before
  before=$(archived_kib)
  sleep 1 # what is looked at is that nothing happens
  [ "$(archived_kib)" = "$before" ]
}
count_started() { lctl get_param -n 'mdt.*.hsm.actions' | grep -c 'action=ARCHIVE.*status=STARTED' || true; }

# Copied whole, each by one rank, in small pieces so that it takes a while.
start_copytool 3 --slots 1 --stripe-threshold 100G --chunk-size 4K --keep-alive 600
dispatcher=$(pid_of_rank 0)
expect "rank 0 is found" test -n "$dispatcher"
archive "$DIR/a" "$DIR/b" "$DIR/c"
expect_soon "all ranks copy" 60 is_moving
kill -STOP "$dispatcher"
expect_soon "the other ranks stop, too" 4 holds_still
stopped_at=$(archived_kib)
sleep 3
expect_equal "no byte moves while rank 0 is stopped" "$(archived_kib)" "$stopped_at"
expect "something was left to do ($((stopped_at / 1024)) MiB are done)" test "$stopped_at" -lt $((3 * size / 1024))
if knows_records; then expect_equal "requests stay started" "$(count_started)" 3; fi
expect_line "a rank says why" 'dispatcher is silent' "$COPYTOOL_LOG"
kill -CONT "$dispatcher"
for name in a b c; do wait_state "$DIR/$name" 0x9 180; done
expect_equal "objects are right" "$(digest_of "$(object_of "$(fid_of "$DIR/a")")")" "$digest"
stop_copytool USR1
expect_code 0
expect_equal "work paused once on each of the others" "$(grep -c 'dispatcher is silent' "$COPYTOOL_LOG")" 2
expect_clean_archive
finish
