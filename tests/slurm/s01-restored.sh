#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A tree is archived and restored by jobs; an array restores the pieces of a list.
# shellcheck source=tests/slurm/lib.sh
. "$(dirname "$0")/lib.sh"
begin_slurm "jobs that come to their end" 2

make_released 60 20000
submit restore.sbatch --nodes=1 --time=10
expect_end "$ID" COMPLETED 0
expect_restored
expect_equal "all are done" "$(count_done)" 60
expect_equal "each byte was copied once" "$(bytes_copied)" 1200000
expect_line "it ran on all ranks" ', 2 ranks on [^ ]+, exit 0:' <("$TOOL" status "$JOB")

note "archived, by a job that scans first"
find "$DIR/tree" -type f -name '*[05]' -exec sh -c 'for f; do printf x >> "$f"; done' sh {} +
snapshot "$DIR/tree" > "$WORK/picture"
export JOB=$WORK/archive.h5
TREE=$DIR/tree submit archive.sbatch --nodes=1 --time=10
expect_end "$ID" COMPLETED 0
wait_states "$WORK/list" 0x9
expect_equal "what had changed is archived" "$(count_done)" 12
expect_clean_archive

note "an array over the pieces of a list"
release_all "$WORK/list"
wait_states "$WORK/list" 0xd
tr '\0' '\n' < "$WORK/list" > "$WORK/lines"
split -n l/2 -d -a 1 "$WORK/lines" "$WORK/list."
ID=$(JOBS=$WORK/part.%a.h5 LISTS=$WORK/list.%a sbatch --parsable -o "$WORK/part-%a.out" --array=0-1 --nodes=1 --time=10 \
  "$JOB_FILES/restore-array.sbatch")
expect_soon "both tasks end" 120 no_job_is_left
expect_restored
for part in 0 1; do
  expect_equal "part $part: none is left" "$("$E2E_BUILD/bin/show_results" "$WORK/part.$part.h5" | grep -vc '^[12]')" 0
done
expect_equal "all are in one part" "$(for part in 0 1; do "$E2E_BUILD/bin/show_results" "$WORK/part.$part.h5"; done | wc -l)" 60
finish
