#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The files for PBS and LSF, which no Debian has: bash runs them as those would, with the variables that they set and stand-ins
# for the commands that they ask (qstat, qrerun, bjobs). What the schedulers themselves make of the files is not seen here.
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
[ "$*" = "-f 7.server" ] || exit 1
printf 'Job Id: %s\n    Job_Name = lhsm-restore\n    Resource_List.walltime = %s\n    Rerunable = True\n' "$2" "$WALLTIME"
Q
cat > "$WORK/bin/bjobs" << 'B'
#!/bin/sh
[ "$*" = "-noheader -hms -o runtimelimit 7" ] || exit 1
echo "$WALLTIME"
B
# shellcheck disable=SC2016 # expanded by it
printf '#!/bin/sh\necho "$1" >> %s/rerun\n' "$WORK" > "$WORK/bin/qrerun"
chmod +x "$WORK"/bin/*
export WORK
printf 'localhost\nlocalhost\n' > "$WORK/hosts"

# as_job FILE CODE: run it as its scheduler would.
as_job() {
  local code=0
  PBS_JOBID=7.server PBS_NODEFILE=$WORK/hosts PBS_O_WORKDIR=$WORK LSB_JOBID=7 LSB_DJOB_HOSTFILE=$WORK/hosts \
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
note "Torque's walltime is in seconds"
rm -f "$JOB"*
PBS_WALLTIME=1000 TREE=$DIR/tree as_job restore.pbs 0
expect_line "it is the deadline" 'the job stops at' "$WORK/job.out"
expect_restored
finish
