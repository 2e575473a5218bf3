#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a run would find, told before anything is touched.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "check"

# check RANKS CODE ARGUMENT...: its output is in $WORK/out. On a real Lustre the tunables are what they are.
check() {
  local ranks=$1 expected=$2 code=0
  shift 2
  run_tool "$ranks" check "$@" > "$WORK/out" 2> "$WORK/log" || code=$?
  expect_equal "check $* on $ranks ranks: exit code" "$code" "$expected"
  [ "$code" -eq "$expected" ] || sed 's/^/#   /' "$WORK/out" "$WORK/log"
}
# No file of a test has been made yet: what changes is what check did.
parameters() { lctl get_param 'mdt.*.hsm_control' 'mdt.*.hsm.*' 2> /dev/null; }
parameters > "$WORK/parameters"
[ ! -s "$WORK/parameters" ] || knows=yes

note "all is well"
check 4 0 -p "$ARCHIVE" -A "$ARCHIVE_ID" "$MNT"
expect_line "ranks and hosts" "^OK +ranks +4 ranks on 1 host, all of build " "$WORK/out"
expect_line "MPI is measured" "^OK +mpi +1 link from rank 0: latency .* us, bandwidth .* MiB/s" "$WORK/out"
expect_line "the mount, once for all" "^OK +mount +.*Lustre '.*' at $MNT\$" "$WORK/out"
expect_line "the coordinator" "^OK +coordinator +runs, " "$WORK/out"
expect_line "the archive" "^OK +archive +$ARCHIVE: can be written\$" "$WORK/out"
expect_line "free space" "^(OK|WARN) +archive +$ARCHIVE: .* are free" "$WORK/out"
expect_line "the sum" "^[0-9]+ OK, [0-9]+ WARN, 0 FAIL" "$WORK/out"
check 0 0 -p "$ARCHIVE" "$MNT"
expect_line "without MPI" "^OK +ranks +1 rank on 1 host" "$WORK/out"
check 2 0 --read-only -p "$ARCHIVE" "$MNT"
expect_line "without writing" "can be read \(--read-only: not written to\)\$" "$WORK/out"
expect_equal "nothing is left in the archive" "$(ls -A "$ARCHIVE")" ""
parameters > "$WORK/now"
expect_same_file "parameters, records and agents are as before" "$WORK/now" "$WORK/parameters"

note "JSON"
check 2 0 --json -p "$ARCHIVE" "$MNT"
expect "it can be read" python3 - "$WORK/out" << 'PYTHON'
import json, sys
told = json.load(open(sys.argv[1]))
assert told["version"] == 1 and told["ranks"] == 2 and told["result"] in ("OK", "WARN")
assert {"verdict", "subject", "text", "remedy", "ranks"} == set(told["findings"][0])
assert any(f["subject"] == "mount" and f["ranks"] == "0-1" for f in told["findings"])
link, = told["links"]
assert link["rank"] == 1 and link["latency_us"] > 0 and link["mib_per_s"] > 0
PYTHON

note "what is wrong is said, with the remedy"
check 2 3 -p "$ARCHIVE/nowhere" "$MNT"
expect_line "no archive" "^FAIL +archive +open $ARCHIVE/nowhere: .*\(ENOENT\)\$" "$WORK/out"
expect_line "and what to do" "-> mount the archive at this place on every node" "$WORK/out"
mkdir "$WORK/plain"
check 2 3 -p "$ARCHIVE" "$WORK/plain"
expect_line "no Lustre" "^FAIL +mount +.*\(ENODEV\)\$" "$WORK/out"
expect_line "and what to do" "-> mount -t lustre " "$WORK/out"
check 0 2 -p "$ARCHIVE"
check 0 2 "$MNT"

if ! is_real_lustre; then
  # A second name for the archive, behind which another rank finds something else.
  mkdir "$WORK/other"
  cat > "$WORK/rank" << RANK
#!/bin/sh
[ "\$OMPI_COMM_WORLD_RANK" != 1 ] || root=$WORK/other
exec "$TOOL" check -p "\${root:-$ARCHIVE}" "$MNT"
RANK
  chmod +x "$WORK/rank"
  code=0
  mpirun -n 3 "$WORK/rank" > "$WORK/out" 2> "$WORK/log" < /dev/null || code=$?
  expect_equal "another archive on rank 1: exit code" "$code" 3
  expect_line "it is told which rank" "^FAIL +archive +$WORK/other is not the directory that rank 0 has.* \[rank 1\]\$" "$WORK/out"
  expect_line "and which are right" "^OK +archive +$ARCHIVE: can be written  \[ranks 0,2\]\$" "$WORK/out"

  note "tunables"
  lctl set_param -n 'mdt.*.hsm.max_requests=3' 'mdt.*.hsm.active_request_timeout=100'
  check 2 0 --slots 8 -p "$ARCHIVE" "$MNT"
  expect_line "max_requests is too low" "^WARN +max_requests +3 on MDT0000: .* can copy 16 files at once" "$WORK/out"
  remedy=$(sed -n 's/.*-> on the MDS: \(lctl set_param mdt[^ ]*max_requests=[0-9]*\)$/\1/p' "$WORK/out")
  expect "the command that is told works" eval "$remedy"
  remedy=$(sed -n 's/.*-> on the MDS: \(lctl set_param mdt[^ ]*timeout=[0-9]*\)$/\1/p' "$WORK/out")
  expect "the other one, too" eval "$remedy"
  check 2 0 --slots 8 -p "$ARCHIVE" "$MNT"
  expect_line "and helps" "^OK +max_requests +1000 on MDT0000\$" "$WORK/out"
  expect_line "and helps" "^OK +active_request_timeout +3600 on MDT0000\$" "$WORK/out"

  note "a client sees no tunables"
  mkdir "$WORK/empty"
  code=0
  PATH=$WORK/empty:/usr/bin:/bin run_tool 2 check -p "$ARCHIVE" "$MNT" > "$WORK/out" 2> "$WORK/log" || code=$?
  expect_equal "exit code" "$code" 0
  expect_line "and says so" "^WARN +max_requests +not visible from here\$" "$WORK/out"
  expect_line "with the command" "-> on the MDS: lctl get_param mdt\..*-MDT\*\.hsm\.max_requests\$" "$WORK/out"
  expect_line "but knows that HSM is enabled" "^OK +coordinator +runs, " "$WORK/out"

  note "HSM is not enabled"
  coordinator shutdown
  expect_soon "the coordinator stops" 10 coordinator_is stopped
  check 2 3 -p "$ARCHIVE" "$MNT"
  expect_line "as the MDT answers" "^FAIL +coordinator +HSM is not enabled" "$WORK/out"
  expect_line "as the parameter says" "^FAIL +hsm_control +stopped on MDT0000" "$WORK/out"
  remedy=$(sed -n 's/.*-> on the MDS: \(lctl set_param mdt[^ ]*enabled\).*/\1/p' "$WORK/out" | head -n 1)
  expect "the command that is told works" eval "$remedy"
  expect_soon "the coordinator runs" 10 coordinator_is enabled
  check 2 0 -p "$ARCHIVE" "$MNT"

  note "a copytool is there already"
  export LHSM_EMULATOR_NODE=node
  start_copytool 1
  check 1 3 -p "$ARCHIVE" "$MNT"
  expect_line "it is told" "^FAIL +coordinator +a copytool is registered on rank 0's client already" "$WORK/out"
  expect "and still serves" copytool_is_up
  stop_copytool USR1
  expect_code 0
  unset LHSM_EMULATOR_NODE

  if [ "$(id -u)" -eq 0 ]; then
    note "an archive that must not be written"
    chmod 755 "$WORK" "$ARCHIVE"
    code=0
    setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/tmp TMPDIR=/tmp "$TOOL" check -p "$ARCHIVE" "$MNT" \
      > "$WORK/out" 2> "$WORK/log" < /dev/null || code=$?
    if [ "$code" -eq 126 ] || [ "$code" -eq 127 ]; then
      unable "an ordinary user" "the build tree is not readable for one"
    else
      expect_equal "exit code" "$code" 3
      expect_line "it is told" "^FAIL +archive +create a file in $ARCHIVE: .*\(EACCES\)" "$WORK/out"
      expect_line "and what to do" "-> let root write there" "$WORK/out"
    fi
  fi

  note "a file system that hangs"
  daemon=$("$E2E_BUILD/bin/lhsm_emulator" status --json "$MNT" | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' | head -n 1)
  kill -STOP "$daemon"
  check 2 3 --timeout 3 -p "$ARCHIVE" "$MNT"
  expect_line "is not waited for" "^FAIL +[a-z]+ +no answer within 3 s: it hangs" "$WORK/out"
  expect_line "nothing hides what was found" "^OK +ranks +2 ranks" "$WORK/out"
  check 0 3 --timeout 3 -p "$ARCHIVE" "$MNT"
  expect_line "nor without MPI" "^FAIL +[a-z]+ +no answer within 3 s: it hangs" "$WORK/out"
  expect_equal "nothing is left in the archive" "$(ls -A "$ARCHIVE")" ""
  kill -CONT "$daemon"
  check 2 0 -p "$ARCHIVE" "$MNT"

  "$E2E_BUILD/bin/lhsm_emulator" stop "$MNT"
  check 1 3 -p "$ARCHIVE" "$MNT"
  expect_line "nobody serves the file system" "^FAIL +(mount|coordinator) +.*\(ENOTCONN\)" "$WORK/out"
fi
[ "${knows:-no}" = yes ] || note "lctl shows no parameters here"
finish
