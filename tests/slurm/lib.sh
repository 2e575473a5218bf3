# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The words of the Slurm tests: those of the end-to-end tests, a Slurm (lab.sh), and jobs of the files in jobs/, which run as
# they are shipped. What Slurm says of a job is not believed alone: manifest, journal and files are looked at.

# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"
# shellcheck source=tests/slurm/lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"

JOB_FILES=$E2E_SOURCE/jobs

# begin_slurm TITLE NODES: a Slurm, and a Lustre of which its jobs know.
begin_slurm() {
  ! is_real_lustre || skip_all "on an emulated Lustre only"
  lab_is_there || skip_all "no Slurm here (slurmctld, slurmd, slurm-client, munge)"
  begin "$1"
  start_lab "$2" 4
  cd "$WORK" || exit
  # What the job files take from the environment.
  export JOB=$WORK/job.h5 MOUNT=$MNT ARCHIVE ARCHIVE_ID LHSMTOOL_MPI=$TOOL FAILED=$WORK/failed
  export OPTIONS='--look-after 2 -u 0.5'
}

# make_released FILES BYTES: a tree of released files, its picture, and a manifest of it.
make_released() {
  local i
  mkdir "$DIR/tree"
  for ((i = 1; i <= $1; ++i)); do make_file "$DIR/tree/$i" "$2"; done
  list_files "$DIR/tree" > "$WORK/list"
  snapshot "$DIR/tree" > "$WORK/picture"
  {
    run_tool 0 scan -q -o "$JOB" "$DIR/tree"
    run_tool 0 archive -q -p "$ARCHIVE" -A "$ARCHIVE_ID" "$JOB" "$MNT"
    run_tool 0 release -q "$JOB" "$MNT"
  } > "$WORK/prepared" 2>&1
  wait_states "$WORK/list" 0xd
  rm -f "$JOB"*
  run_tool 0 scan -q -o "$JOB" "$DIR/tree" >> "$WORK/prepared"
}

# submit FILE SBATCH-OPTION...: sets ID; what the job says is in $WORK/job-$ID.out.
submit() {
  local file=$1
  shift
  ID=$(sbatch --parsable -o "$WORK/job-%j.out" "$@" "$JOB_FILES/$file")
  note "job $ID: $file $*"
}

# results: result, attempts, bytes copied, time and path of each item.
results() { "$E2E_BUILD/bin/show_results" "$JOB"; }
count_done() { results | grep -c '^1' || true; }
are_done() { [ "$(count_done)" -ge "$1" ]; }
keep_finished() { results | grep '^[1-6]' > "$WORK/finished" || true; }
# expect_not_touched: what was finished at keep_finished is as it was, to the nanosecond of its end.
expect_not_touched() {
  results > "$WORK/now"
  expect_equal "the $(wc -l < "$WORK/finished") finished files were not touched again" \
    "$(LC_ALL=C comm -23 <(LC_ALL=C sort "$WORK/finished") <(LC_ALL=C sort "$WORK/now"))" ""
}
# expect_restored: every file is back, and no request or temporary is left.
expect_restored() {
  wait_states "$WORK/list" 0x9
  expect_unchanged "content and attributes are as they were" "$DIR/tree" "$WORK/picture"
  expect_soon "no request is left" 60 no_record_open
  expect_clean_archive
}
runs() { "$TOOL" status "$JOB" | grep -c '^run .* restore '; }
bytes_copied() { "$TOOL" status --json "$JOB" | awk '$1 == "\"bytes_copied\":" { gsub(/[^0-9]/, "", $2); sum += $2 } END { print sum + 0 }'; }
