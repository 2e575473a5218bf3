# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The tool under test as a copytool in the background.

TOOL=$E2E_BUILD/bin/lhsmtool_mpi
COPYTOOL_PID=      # mpirun, or the tool itself when it was started plainly
COPYTOOL_CODE=     # exit code after stop_copytool or wait_copytool
COPYTOOL_OUT=      # its stdout: progress, summary
COPYTOOL_LOG=      # its stderr
E2E_LAUNCHES=0

# run_tool RANKS ARGUMENT...: in the foreground. 0 ranks: without mpirun.
run_tool() {
  local ranks=$1
  shift
  if [ "$ranks" -eq 0 ]; then
    "$TOOL" "$@" < /dev/null
  else
    mpirun -n "$ranks" "$TOOL" "$@" < /dev/null
  fi
}

# launch COMMAND...: in the background, with a fresh COPYTOOL_OUT and COPYTOOL_LOG.
launch() {
  E2E_LAUNCHES=$((E2E_LAUNCHES + 1))
  COPYTOOL_OUT=$WORK/copytool-$E2E_LAUNCHES.out
  COPYTOOL_LOG=$WORK/copytool-$E2E_LAUNCHES.log
  COPYTOOL_CODE=
  [ "$E2E_LAUNCHES" -gt 1 ] || at_end kill_copytool
  # A shell without job control has its background jobs ignore SIGINT; the tool must see it.
  local plain=()
  ! env --default-signal=INT true 2> /dev/null || plain=(env --default-signal=INT)
  "${plain[@]}" "$@" < /dev/null > "$COPYTOOL_OUT" 2> "$COPYTOOL_LOG" &
  COPYTOOL_PID=$!
}

# start_copytool RANKS ARGUMENT...: serve the archive, and wait until the coordinators know it. 0
# ranks: without mpirun.
start_copytool() {
  local ranks=$1 launcher=()
  shift
  [ "$ranks" -eq 0 ] || launcher=(mpirun -n "$ranks")
  launch "${launcher[@]}" "$TOOL" serve -p "$ARCHIVE" -A "$ARCHIVE_ID" "$@" "$MNT"
  expect_soon "copytool on $ranks ranks is registered" 30 copytool_has_settled
  copytool_is_up || {
    note "the copytool ended; its log:"
    copytool_diagnostics
    exit 1
  }
}

# copytool_has_settled: it is registered, or it is no more.
copytool_has_settled() { { is_registered && copytool_says_so; } || ! copytool_is_up; }

# copytool_says_so: a coordinator knows one that was killed for some time; a signal to a launcher that starts its ranks is lost.
copytool_says_so() {
  grep -q 'registered as copytool' "$COPYTOOL_LOG" ||
    [[ " $(tr '\0' ' ' < "/proc/$COPYTOOL_PID/cmdline" 2> /dev/null)" =~ \ (-q|--quiet|--log-file)\  ]]
}

copytool_is_up() { [ -n "$COPYTOOL_PID" ] && is_running "$COPYTOOL_PID"; }

# is_running PID: it exists and is no zombie.
is_running() {
  local state
  state=$(sed -n 's/^State:[[:space:]]*//p' "/proc/$1/status" 2> /dev/null) || return 1
  [ -n "$state" ] && [ "${state:0:1}" != Z ]
}

is_registered() {
  if knows_records; then
    lctl get_param -n 'mdt.*.hsm.agents' | grep -E "archive_id=([0-9]+,)*$ARCHIVE_ID(,|[[:space:]])" > /dev/null
  else
    grep -q ' serve ' "$COPYTOOL_LOG"
  fi
}

# children_of PID: its child processes.
children_of() {
  local status
  for status in /proc/[0-9]*/status; do
    awk -v parent="$1" '$1 == "Pid:" { pid = $2 } $1 == "PPid:" && $2 == parent { print pid }' "$status" 2> /dev/null ||
      true # gone meanwhile
  done
}

# rank_pids: the processes of the tool itself.
rank_pids() {
  local pid
  for pid in "$COPYTOOL_PID" $(children_of "$COPYTOOL_PID"); do
    [ "$(readlink "/proc/$pid/exe")" != "$(readlink -f "$TOOL")" ] || echo "$pid"
  done
}

# signal_copytool SIGNAL: to what was launched.
signal_copytool() { kill -s "$1" "$COPYTOOL_PID"; }

# wait_copytool [SECONDS]: wait for its end; COPYTOOL_CODE is its exit code.
wait_copytool() {
  expect_soon "copytool ends" "${1:-60}" copytool_is_gone
  if copytool_is_gone; then
    COPYTOOL_CODE=0
    wait "$COPYTOOL_PID" || COPYTOOL_CODE=$?
    COPYTOOL_PID=
  fi
}

copytool_is_gone() { ! copytool_is_up; }

# stop_copytool [SIGNAL]
stop_copytool() {
  signal_copytool "${1:-USR1}"
  wait_copytool 60
}

expect_code() { expect_equal "exit code is $1${2:+ ($2)}" "$COPYTOOL_CODE" "$1"; }

# copytool_diagnostics: the end of what it said, as a comment.
copytool_diagnostics() {
  [ -n "$COPYTOOL_LOG" ] || return 0
  tail -n 20 "$COPYTOOL_LOG" | sed 's/^/#   log: /'
}

# kill_copytool: for the end of a test that did not stop it.
kill_copytool() {
  local ranks
  copytool_is_up || return 0
  ranks=$(rank_pids)
  kill -s USR1 "$COPYTOOL_PID"
  comes_true 10 copytool_is_gone && return
  note "copytool did not stop in time: killed"
  # shellcheck disable=SC2086
  kill -s KILL "$COPYTOOL_PID" $ranks 2> /dev/null
  comes_true 10 copytool_is_gone
}

# expect_clean_archive: nothing unfinished in the archive. The former version of an object goes only after the
# coordinator has taken the end, which is what a test waits for.
archive_has_no_temporaries() { [ -z "$(find "$ARCHIVE" -name '*_tmp*' -o -name '*_old*')" ]; }
expect_clean_archive() { expect_soon "no temporary is left in the archive" 10 archive_has_no_temporaries; }

# By this variable a test knows what it started, directly or not: other tests may run beside it.
export LHSM_TEST_MARK=$$.$RANDOM
# no_tool_running: no process of the tool that this test has started.
no_tool_running() {
  local process
  for process in /proc/[0-9]*; do
    [ "$(readlink "$process/exe" 2> /dev/null)" = "$(readlink -f "$TOOL")" ] || continue
    ! grep -qzxF "LHSM_TEST_MARK=$LHSM_TEST_MARK" "$process/environ" 2> /dev/null || return 1
  done
}

# object_of FID [v1|v2]: path of its object in the archive.
object_of() {
  local seq oid ver
  IFS=: read -r seq oid ver <<< "${1//[\[\]]/}"
  if [ "${2:-v1}" = v2 ]; then
    printf '%s/%04x' "$ARCHIVE" $(((oid ^ seq) & 0xffff))
  else
    printf '%s/%04x/%04x/%04x/%04x/%04x/%04x' "$ARCHIVE" $((oid & 0xffff)) $((oid >> 16 & 0xffff)) \
      $((seq & 0xffff)) $((seq >> 16 & 0xffff)) $((seq >> 32 & 0xffff)) $((seq >> 48 & 0xffff))
  fi
  printf '/%s:%s:%s\n' "$seq" "$oid" "$ver"
}
