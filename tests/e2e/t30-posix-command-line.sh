#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The command line of lhsmtool_posix: in the foreground, as a daemon, under mpirun; pid file, configuration,
# log lines, signals.
# shellcheck disable=SC2016,SC2119,SC2317 # eval; stop_copytool without a signal; functions are called by name
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "the command line of lhsmtool_posix" --loop-period 1
POSIX=$E2E_BUILD/bin/lhsmtool_posix
PID_FILE=$WORK/tool.pid
LOG=$WORK/posix.log

# said CODE TEXT ARGUMENT...: it says TEXT (extended regular expression) and exits with CODE.
said() {
  local wanted=$1 text=$2 code=0
  shift 2
  timeout 30 "$POSIX" "$@" > "$WORK/said" 2>&1 < /dev/null || code=$?
  expect_equal "exit code of '$*'" "$code" "$wanted"
  expect_line "  it says '$text'" "$text" "$WORK/said"
}
daemon_pid() { cat "$PID_FILE"; }
daemon_is_gone() { ! is_running "$(daemon_pid)"; }
kill_daemon() { [ ! -s "$PID_FILE" ] || daemon_is_gone || kill -s KILL "$(daemon_pid)"; }
at_end kill_daemon

# start_daemon OPTION...: as Lustre's test framework starts it. It has registered when it returns.
start_daemon() {
  local code=0
  : > "$LOG"
  "$POSIX" --archive-format=v2 --hsm-root="$ARCHIVE" --daemon --pid-file="$PID_FILE" "$@" "$MNT" \
    < /dev/null > "$LOG" 2>&1 || code=$?
  expect_equal "exit code of --daemon" "$code" 0
  COPYTOOL_LOG=$LOG
  ! knows_records || expect "it has registered when it returns" is_registered
}
stop_daemon() {
  kill -s "${1:-TERM}" "$(daemon_pid)"
  expect_soon "the daemon ends" 30 daemon_is_gone
  ! knows_records || expect "nobody is registered" eval '! is_registered'
}
all_bytes_there() { [ "$(stat -c %s "$(object_of "$1" v2)" 2> /dev/null)" = "$2" ]; }

note "usage"
said 22 "try 'lhsmtool_posix --help'" --hsm-root "$ARCHIVE"
said 22 "bad value for -u" -p "$ARCHIVE" --update-interval=-1 "$MNT"
said 22 'must|missing' "$MNT"
said 2 'No such file' -p "$WORK/nowhere" "$MNT"
said 19 'ENODEV' -p "$ARCHIVE" "$WORK"
said 19 'ENODEV' -p "$ARCHIVE" --daemon "$WORK"
said 0 '--archive-upgrade' --help
expect "lhsmtool_mpi posix is the same" eval '"$TOOL" posix --help | grep -e --archive-upgrade > /dev/null'
timeout 60 mpirun -n 2 "$POSIX" --hsm-root "$ARCHIVE" > "$WORK/said" 2>&1 < /dev/null && code=0 || code=$?
expect_equal "usage error on two ranks: exit code" "$code" 22
expect_equal "  it is said once" "$(grep -c 'no mount point' "$WORK/said")" 1

timeout 60 mpirun -n 2 "$POSIX" -p "$WORK/nowhere" "$MNT" > "$WORK/said" 2>&1 < /dev/null && code=0 || code=$?
expect_equal "no archive on two ranks: exit code" "$code" 1
expect_line "  it is said which one cannot work" 'rank [01] on .*nowhere' "$WORK/said"

note "a daemon"
start_daemon --archive "$ARCHIVE_ID"
pid=$(daemon_pid)
expect "the process that the pid file names runs" is_running "$pid"
expect_equal "its name" "$(cat "/proc/$pid/comm")" lhsmtool_posix
expect_equal "the last word of its command line is the mount" "$(tr '\0' '\n' < "/proc/$pid/cmdline" | tail -n 1)" "$MNT"
expect_equal "its directory is kept" "$(readlink "/proc/$pid/cwd")" "$(pwd -P)"
expect_equal "it is a session of its own" "$(ps -o sid= -p "$pid" | tr -d ' ')" "$pid"
code=0
"$POSIX" -p "$ARCHIVE" --pid-file="$PID_FILE" "$MNT" > "$WORK/said" 2>&1 < /dev/null || code=$?
expect_equal "a second one with this pid file fails in the foreground" "$code" 11
code=0
"$POSIX" -p "$ARCHIVE" --daemon --pid-file="$PID_FILE" "$MNT" > "$WORK/said" 2>&1 < /dev/null || code=$?
expect_equal "as a daemon it is no error, as there is one" "$code" 0
others() { [ "$(pgrep -f -c -- "--pid-file=$PID_FILE")" -gt 1 ]; }
expect_soon "  it ends" 30 eval '! others'
expect_line "  and says why" 'lock pid file .*tool.pid' "$WORK/said"
expect_equal "  and leaves the file alone" "$(daemon_pid)" "$pid"

make_file "$DIR/a" 3000000
make_file "$DIR/b" 5000
archive "$DIR/a"
wait_state "$DIR/a" 0x9
archive "$DIR/b"
wait_state "$DIR/b" 0x9
release "$DIR/a"
digest=$(digest_of <(cat "$(object_of "$(fid_of "$DIR/a")" v2)"))
restore "$DIR/a"
wait_state "$DIR/a" 0x9
expect_equal "content after the restore" "$(digest_of "$DIR/a")" "$digest"
expect_equal "the log names each item once, in order" "$(grep -o 'RESTORE\|ARCHIVE' "$LOG" | tr '\n' ' ')" \
  "ARCHIVE ARCHIVE RESTORE "
expect_line "a line like lhsmtool_posix's for an item" \
  '\[0x[0-9a-f]+:0x[0-9a-f]+:0x0\] action ARCHIVE reclen 72, cookie=0x[0-9a-f]+' "$LOG"
expect_line "start copy" 'start copy of \[0x' "$LOG"
expect_line "copied" 'copied \[0x' "$LOG"
stop_daemon TERM
expect "the pid file stays" test -s "$PID_FILE"

note "a daemon with all of -v says no more action words"
start_daemon --archive "$ARCHIVE_ID" -v -v
make_file "$DIR/c" 5000
archive "$DIR/c"
wait_state "$DIR/c" 0x9
expect_equal "the log names the item once" "$(grep -co 'ARCHIVE' "$LOG")" 1
stop_daemon INT

note "a dry run"
start_daemon --archive "$ARCHIVE_ID" --dry-run
make_file "$DIR/d" 5000
archive "$DIR/d"
wait_record "$(fid_of "$DIR/d")" ARCHIVE FAILED
expect_line "the item is named" 'action ARCHIVE' "$LOG"
expect "there is no object" test ! -e "$(object_of "$(fid_of "$DIR/d")" v2)"
stop_daemon

note "stop at the first failure"
start_daemon --archive "$ARCHIVE_ID" --abort-on-error
release "$DIR/b"
mv "$(object_of "$(fid_of "$DIR/b")" v2)" "$WORK/object"
restore "$DIR/b"
expect_soon "the daemon ends by itself" 30 daemon_is_gone
mv "$WORK/object" "$(object_of "$(fid_of "$DIR/b")" v2)"
expect_state "$DIR/b" 0xd

note "a first signal waits for running copies ten seconds at most, a second one for none"
mkdir "$DIR/large"
make_big_file "$DIR/large/1" 268435456
start_daemon --archive "$ARCHIVE_ID" --slots 1 --stripe-threshold 1T
archive "$DIR/large/1"
copying() { grep -q 'start copy' "$LOG"; }
expect_soon "it copies" 30 copying
before=$SECONDS
kill -s TERM "$(daemon_pid)"
kill -s INT "$(daemon_pid)"
expect_soon "the daemon ends" 30 daemon_is_gone
expect_at_most "seconds until then" $((SECONDS - before)) 5
expect_line "it did not wait for the copy" 'not ended' "$LOG"
! knows_records || expect "nobody is registered" eval '! is_registered'

note "a daemon that is started while its predecessor still ends"
make_big_file "$DIR/large/2" 268435456
start_daemon --archive "$ARCHIVE_ID" --slots 1 --bandwidth 1 --stop-timeout 60
archive "$DIR/large/2"
expect_soon "it copies" 30 copying
former=$(daemon_pid)
kill -s TERM "$former"
! knows_records || expect_soon "it has unregistered" 30 eval '! is_registered'
"$POSIX" -F v2 -p "$ARCHIVE" --daemon -P "$PID_FILE" -A "$ARCHIVE_ID" "$MNT" < /dev/null > "$WORK/said" 2>&1 &
second=$!
waits() { grep -q 'a process that is ending' "$WORK/said"; }
expect_soon "the second one waits" 30 waits
kill -s INT "$former"
code=0
wait "$second" || code=$?
expect_equal "exit code of --daemon" "$code" 0
expect "the pid file names another process" test "$(daemon_pid)" != "$former"
! knows_records || expect "it has registered" is_registered
stop_daemon

note "configuration"
printf 'archive_format: v1\narchive_path: "%s"\n' "$ARCHIVE" > "$WORK/config.yaml"
mkdir "$WORK/elsewhere"
COPYTOOL_LOG=$LOG
"$POSIX" -p "$WORK/elsewhere" -F v2 -C "$WORK/config.yaml" --daemon -P "$PID_FILE" -A "$ARCHIVE_ID" "$MNT" \
  < /dev/null > "$LOG" 2>&1
make_file "$DIR/e" 5000
archive "$DIR/e"
wait_state "$DIR/e" 0x9
expect "the object is where the file says" test -e "$(object_of "$(fid_of "$DIR/e")" v1)"
stop_daemon
printf 'archive_format: v3\n' > "$WORK/config.yaml"
said 22 'v3' -p "$ARCHIVE" -C "$WORK/config.yaml" "$MNT"
printf -- '- a list\n' > "$WORK/config.yaml"
said 22 'mapping' -p "$ARCHIVE" -C "$WORK/config.yaml" "$MNT"
said 2 'config.none' -p "$ARCHIVE" -C "$WORK/config.none" "$MNT"

note "two ranks"
launch mpirun -n 2 "$POSIX" --archive-format=v2 -p "$ARCHIVE" -A "$ARCHIVE_ID" --daemon --pid-file="$PID_FILE" \
  --stripe-threshold 1M "$MNT"
expect_soon "they are registered" 30 copytool_has_settled
expect_line "they say that they stay in the foreground" '--daemon' "$COPYTOOL_LOG"
expect_equal "the pid file names rank 0" "$(tr '\0' '\n' < "/proc/$(daemon_pid)/environ" | grep '^OMPI_COMM_WORLD_RANK=')" \
  OMPI_COMM_WORLD_RANK=0
release "$DIR/a"
restore "$DIR/a"
wait_state "$DIR/a" 0x9
expect_equal "content after the restore" "$(digest_of "$DIR/a")" "$digest"
kill -s TERM "$(daemon_pid)"
wait_copytool 60
expect_code 0 "SIGTERM to rank 0 ends all"
expect "no process is left" no_tool_running
finish
