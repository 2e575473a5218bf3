#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The files for PBS and LSF, which no Debian has: bash runs them as those would, with the variables that they set and stand-ins
# for the commands that they ask or that submit them (qstat, qrerun, qsub, bjobs, bsub). What the schedulers themselves make of the files is not seen here.
# shellcheck source=tests/slurm/lib.sh
. "$(dirname "$0")/lib.sh"
! is_real_lustre || skip_all "on an emulated Lustre only"
begin "job files for PBS and LSF"

export JOB=$WORK/job.h5 MOUNT=$MNT ARCHIVE ARCHIVE_ID LHSMTOOL_MPI=$TOOL FAILED=$WORK/failed
export OPTIONS='--look-after 2 --drain-timeout 40'
make_released 60 100000
mkdir "$WORK/bin"
PATH=$WORK/bin:$PATH
cat > "$WORK/bin/qstat" << 'Q'
#!/bin/sh
[ "$*" = "-f 7.server" ] || [ "$*" = "-f 7[3].server" ] || exit 1
printf 'Job Id: %s\n    Job_Name = lhsm-restore\n    Resource_List.walltime = %s\n    Rerunable = True\n' "$2" "$WALLTIME"
Q
cat > "$WORK/bin/bjobs" << 'B'
#!/bin/sh
[ "$*" = "-noheader -hms -o runtimelimit 7" ] || [ "$*" = "-noheader -hms -o runtimelimit 7[3]" ] || exit 1
echo "$WALLTIME"
B
# shellcheck disable=SC2016 # expanded by it
printf '#!/bin/sh\necho "$1" >> %s/rerun\n' "$WORK" > "$WORK/bin/qrerun"
# Submitting: what was asked for, and the job itself, each in a file.
cat > "$WORK/bin/qsub" << 'Q'
#!/bin/sh
number=$(($(ls "$WORK/submitted" | wc -l) + 1))
printf '%s\n' "$*" > "$WORK/submitted/$number"
case $* in
  *restore.*) ;;
  *) cat > "$WORK/job-$number" ;;
esac
case $0 in
  *bsub) echo "Job <$number> is submitted to default queue <normal>." ;;
  *) echo "$number.server" ;;
esac
Q
cp "$WORK/bin/qsub" "$WORK/bin/bsub"
chmod +x "$WORK"/bin/*
export WORK
printf 'localhost\nlocalhost\n' > "$WORK/hosts"

# as_job FILE CODE: run it as its scheduler would.
as_job() {
  local code=0
  PBS_JOBID=${ARRAY_ID:-7.server} PBS_NODEFILE=$WORK/hosts PBS_O_WORKDIR=$WORK LSB_JOBID=7 LSB_DJOB_HOSTFILE=$WORK/hosts \
    bash "$JOB_FILES/$1" < /dev/null > "$WORK/job.out" 2>&1 || code=$?
  expect_equal "$1: exit code" "$code" "$2"
  [ "$code" -eq "$2" ] || tail -n 20 "$WORK/job.out" | sed 's/^/#   /'
}
again() {
  release_all "$WORK/list"
  wait_states "$WORK/list" 0xd
  rm -f "$JOB"* "$WORK/rerun"
  run_tool 0 scan -q -o "$JOB" "$DIR/tree" > "$WORK/prepared"
}

for kind in pbs lsf; do
  note "$kind: the run limit is the deadline"
  [ $kind = pbs ] || again
  # 6 MB at half a megabyte a second: 12 s are too few at this margin, as many as it takes are enough.
  export WALLTIME=00:00:55
  OPTIONS="$OPTIONS -b 500K --deadline-margin 47" as_job restore.$kind 75
  expect_line "it stopped at the deadline" 'Stopped: .*the deadline' "$WORK/job.out"
  left=$((60 - $(count_done)))
  expect "some are left ($left)" test "$left" -gt 0
  [ $kind = lsf ] || expect_equal "it is to run again" "$(cat "$WORK/rerun")" 7.server
  keep_finished
  export WALLTIME=04:00:00
  as_job restore.$kind 0
  expect_restored
  expect_not_touched
  expect_equal "each byte was copied once" "$(bytes_copied)" 6000000

  note "$kind: without progress it is not run again"
  again
  export WALLTIME=00:00:20
  as_job restore.$kind 1
  expect "not run again" test ! -e "$WORK/rerun"

  note "$kind: archive"
  rm -f "$JOB"*
  export WALLTIME=unlimited
  TREE=$DIR/tree as_job archive.$kind 0
  expect_equal "all are archived already" "$(results | grep -c '^2')" 60
done
for kind in pbs lsf; do
  note "$kind: one of an array, from a piece of a list"
  again
  rm -f "$JOB"*
  find "$DIR/tree" -type f | head -n 20 > "$WORK/list.3"
  export WALLTIME=04:00:00
  JOBS=$WORK/job.%a.h5 LISTS=$WORK/list.%a PBS_ARRAY_INDEX=3 LSB_JOBINDEX=3 ARRAY_ID='7[3].server' as_job restore-array.$kind 0
  expect_line "its walltime is the deadline" 'the job stops at' "$WORK/job.out"
  expect_equal "its part is restored" "$(JOB=$WORK/job.3.h5 count_done)" 20
  rm -f "$WORK"/job.3.*
  echo "$DIR/tree/missing" >> "$WORK/list.3"
  for run in first second; do
    note "$run start of one whose list was not found whole"
    JOBS=$WORK/job.%a.h5 LISTS=$WORK/list.%a PBS_ARRAY_INDEX=3 LSB_JOBINDEX=3 ARRAY_ID='7[3].server' as_job restore-array.$kind 3
  done
  rm -f "$WORK"/job.3.*
done

for kind in pbs lsf; do
  note "$kind: a chain"
  mkdir -p "$WORK/submitted"
  rm -f "$WORK"/submitted/* "$WORK"/job-*
  submitted=$(AFTER="touch $WORK/after" "$JOB_FILES/restore-chain-$kind.sh" "$JOB" -l more)
  case $kind in
    pbs)
      expect_equal "three jobs" "$submitted" "1.server 2.server 3.server"
      expect_line "the restore, with what was asked for" '^-V -l more .*/restore\.pbs$' "$WORK/submitted/1"
      expect_line "a report when it succeeds" 'depend=afterok:1\.server$' "$WORK/submitted/2"
      expect_line "another one when it does not" 'depend=afternotok:1\.server$' "$WORK/submitted/3"
      ;;
    lsf)
      expect_equal "three jobs" "$submitted" "1 2 3"
      expect_line "the restore, with what was asked for" '^-l more$' "$WORK/submitted/1"
      expect_line "a report when it succeeds" '-ti -w done\(1\)$' "$WORK/submitted/2"
      expect_line "another one when it does not" '-ti -w exit\(1\)$' "$WORK/submitted/3"
      ;;
  esac
  run_tool 0 scan -q --force -o "$JOB" "$DIR/tree" > "$WORK/prepared"
  rm -f "$WORK/after"
  expect "the report runs" env JOB="$JOB" AFTER="touch $WORK/after" PBS_O_WORKDIR="$WORK" bash "$WORK/job-2"
  expect "and what is to come after it" test -e "$WORK/after"
  echo /the/one > "$FAILED"
  code=0
  JOB=$JOB PBS_O_WORKDIR=$WORK bash "$WORK/job-3" > "$WORK/job.out" 2>&1 || code=$?
  expect_equal "the other one fails" "$code" 3
  expect_line "and names what failed" '^/the/one$' "$WORK/job.out"
  rm -f "$FAILED"
done
note "Torque's walltime is in seconds"
again
rm -f "$JOB"*
PBS_WALLTIME=1000 TREE=$DIR/tree as_job restore.pbs 0
expect_line "it is the deadline" 'the job stops at' "$WORK/job.out"
expect_restored
finish
