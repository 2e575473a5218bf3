#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Options from a config file and the environment: commands take them, jobs record them, ranks must agree on them.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "config file and environment"

JOB=$WORK/job.h5
CONFIG=$WORK/lhsm.toml
mkdir "$DIR/tree"
for i in {1..20}; do make_file "$DIR/tree/small-$i" $((i * 100)); done
make_file "$DIR/tree/big" 9000001
list_files "$DIR/tree" > "$WORK/list"
snapshot "$DIR/tree" > "$WORK/picture"
cat > "$CONFIG" << END
hsm-root = '$ARCHIVE'
stripe-threshold = "2M"
[archive]
archive = $ARCHIVE_ID
[restore]
archive = [$ARCHIVE_ID]
extent-size = "1M"
END

note "a cycle that says next to nothing"
for ranks in 0 2; do
  rm -f "$JOB"*
  expect "archive on $ranks ranks" run_tool "$ranks" archive --config "$CONFIG" -o "$JOB" "$DIR/tree"
  wait_states "$WORK/list" 0x9
  expect "release" run_tool "$ranks" release --config "$CONFIG" "$JOB" "$MNT"
  wait_states "$WORK/list" 0xd
  LHSMTOOL_MPI_CONFIG=$CONFIG LHSMTOOL_MPI_MAX_INFLIGHT=7 expect "restore" run_tool "$ranks" restore "$JOB" "$MNT"
  wait_states "$WORK/list" 0x9
  expect_unchanged "content and attributes are as they were" "$DIR/tree" "$WORK/picture"
  "$TOOL" status "$JOB" > "$WORK/status"
  expect_line "the run's record says what came from the file" "restore .* --hsm-root=$ARCHIVE .*--extent-size=1M" "$WORK/status"
  expect_line "and from the environment" "restore .* --max-inflight=7" "$WORK/status"
done
expect "verify" run_tool 2 verify --config "$CONFIG" "$JOB"

# differ NAME VALUE COMMAND ARGUMENT...: rank 1 has another environment, and the run is refused for it.
differ() {
  local name=$1 value=$2 variable code=0
  variable=LHSMTOOL_MPI_$(tr 'a-z-' 'A-Z_' <<< "$name")
  shift 2
  timeout 120 mpirun -n 1 "$TOOL" "$@" : -n 1 env "$variable=$value" "$TOOL" "$@" > "$WORK/said" 2>&1 < /dev/null || code=$?
  expect_equal "$1 with another $name on rank 1: exit code" "$code" 1
  expect_line "  it says which" "rank 1 on .* has other options than rank 0: $name=$value there, $name=" "$WORK/said"
  expect "  and nothing is left running" no_tool_running
}
note "ranks that came to different options"
export LHSMTOOL_MPI_CONFIG=$CONFIG
differ extent-size 3M serve "$MNT"
differ no-xattr true serve "$MNT"
differ extent-size 3M restore "$JOB" "$MNT"
differ submit-only true restore "$JOB" "$MNT"
differ attempts 9 release "$JOB" "$MNT"
differ size -1M scan -o "$WORK/new.h5" "$DIR/tree"
expect "no manifest was written" test ! -e "$WORK/new.h5"
differ direct true verify "$JOB"
code=0
timeout 120 mpirun -n 1 "$TOOL" verify "$JOB" : -n 1 env LHSMTOOL_MPI_THREADS=2 "$TOOL" verify -v "$JOB" > "$WORK/said" 2>&1 < /dev/null || code=$?
expect_equal "threads are each rank's own affair: exit code" "$code" 0

note "what one rank cannot read"
code=0
timeout 120 mpirun -n 1 "$TOOL" serve "$MNT" : -n 1 env LHSMTOOL_MPI_CONFIG="$WORK/none" OMPI_COMM_WORLD_LOCAL_RANK=0 "$TOOL" serve "$MNT" \
  > "$WORK/said" 2>&1 < /dev/null || code=$?
expect_equal "a file that is missing on another node ends the run: exit code" "$code" 2
expect_line "that node says so" "lhsmtool_mpi on .*: open config $WORK/none" "$WORK/said"
expect "no process is left" no_tool_running
code=0
# A launcher that lets the others go on: rank 1 must end them itself.
timeout 120 mpirun -n 1 "$TOOL" serve "$MNT" : -n 1 bash -c 'LHSMTOOL_MPI_SLOTS=none "$@" || sleep 300' alone "$TOOL" serve "$MNT" \
  > "$WORK/said" 2>&1 < /dev/null || code=$?
expect_equal "nobody waits for a rank that could not begin: exit code" "$code" 2
expect "no process is left" no_tool_running

note "the command line of lhsmtool_posix"
expect_line "takes nothing of it" "hsm-root is missing|no root directory" <(LHSMTOOL_MPI_CONFIG=$CONFIG "$TOOL" posix "$MNT" 2>&1 || true)
finish
