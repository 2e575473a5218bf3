# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What a test says (TAP), what it expects, how it begins and ends.
#
# An expectation that is not met is counted and the test goes on; any other command that fails ends it.

WORK=           # temporary directory of this test, on a local disk
E2E_COUNT=0     # expectations so far
E2E_FAILED=0    # of them not met
E2E_CLEANUPS=() # commands, run in reverse order at the end, whatever happened

is_real_lustre() { [ -n "${LHSM_TEST_MOUNT:-}" ]; }

# seconds N: N, stretched to the patience that this run needs.
seconds() {
  local default=3
  ! is_real_lustre || default=6
  echo $(($1 * ${LHSM_TEST_PATIENCE:-$default}))
}

note() { printf '# %s\n' "$*"; }

pass() {
  E2E_COUNT=$((E2E_COUNT + 1))
  printf 'ok %d - %s\n' "$E2E_COUNT" "$1"
}

# fail TEXT [DIAGNOSTIC...]
fail() {
  E2E_COUNT=$((E2E_COUNT + 1))
  E2E_FAILED=$((E2E_FAILED + 1))
  printf 'not ok %d - %s\n' "$E2E_COUNT" "$1"
  shift
  [ $# -eq 0 ] || printf '%s\n' "$@" | sed 's/^/#   /'
}

# unable TEXT REASON: an expectation that cannot be looked at here.
unable() {
  E2E_COUNT=$((E2E_COUNT + 1))
  printf 'ok %d - %s # SKIP %s\n' "$E2E_COUNT" "$1" "$2"
}

# skip_all REASON: the whole test has nothing to do here. Before or after `begin`.
skip_all() {
  printf '1..0 # SKIP %s\n' "$*"
  E2E_FINISHED=yes
  exit 77
}

# expect TEXT COMMAND...: the command succeeds.
expect() {
  local text=$1 output code=0
  shift
  output=$("$@" 2>&1) || code=$?
  if [ $code -eq 0 ]; then
    pass "$text"
  else
    fail "$text" "exit code $code of: $*" "$output"
  fi
}

# expect_refused TEXT PATTERN COMMAND...: the command fails and says something like PATTERN (extended
# regular expression).
expect_refused() {
  local text=$1 pattern=$2 output code=0
  shift 2
  output=$("$@" 2>&1) || code=$?
  if [ $code -eq 0 ]; then
    fail "$text" "succeeded: $*" "$output"
  elif ! grep -Eq -e "$pattern" <<< "$output"; then
    fail "$text" "exit code $code, but no '$pattern' in:" "$output"
  else
    pass "$text"
  fi
}

# expect_equal TEXT GOT WANTED
expect_equal() {
  if [ "$2" = "$3" ]; then pass "$1"; else fail "$1" "got:    $2" "wanted: $3"; fi
}

# expect_at_most TEXT GOT LIMIT: integers.
expect_at_most() {
  if [ "$2" -le "$3" ]; then pass "$1 ($2)"; else fail "$1" "got: $2" "limit: $3"; fi
}

# expect_at_least TEXT GOT LIMIT: integers.
expect_at_least() {
  if [ "$2" -ge "$3" ]; then pass "$1 ($2)"; else fail "$1" "got: $2" "limit: $3"; fi
}

# expect_line TEXT PATTERN FILE: some line of the file matches the extended regular expression.
expect_line() {
  if grep -Eq -e "$2" -- "$3"; then
    pass "$1"
  else
    fail "$1" "no line like '$2'; the end of $3:" "$(tail -n 15 -- "$3")"
  fi
}

# expect_same_file TEXT GOT WANTED
expect_same_file() {
  local difference
  if difference=$(diff "$3" "$2" 2>&1); then
    pass "$1"
  else
    fail "$1" "difference (< wanted, > got):" "$(head -n 20 <<< "$difference")"
  fi
}

# comes_true SECONDS COMMAND...: wait until the command succeeds; no longer than SECONDS, stretched.
# Nothing tells a script what a coordinator did, so it is asked again and again.
comes_true() {
  local limit deadline
  limit=$(seconds "$1")
  deadline=$((SECONDS + limit))
  shift
  until "$@"; do
    [ $SECONDS -lt "$deadline" ] || return 1
    sleep 0.05
  done
}

# expect_soon TEXT SECONDS COMMAND...
expect_soon() {
  local text=$1 limit=$2
  shift 2
  if comes_true "$limit" "$@"; then
    pass "$text"
  else
    fail "$text" "not within $(seconds "$limit") s: $*"
    copytool_diagnostics
  fi
}

# at_end COMMAND...: run the command when the test ends, before what was said earlier.
at_end() {
  local quoted
  printf -v quoted '%q ' "$@"
  E2E_CLEANUPS+=("$quoted")
}

# begin TITLE [EMULATOR-OPTION...]: a temporary directory, a Lustre, an empty archive.
begin() {
  printf '# %s\n' "$1"
  shift
  # Short: Open MPI puts sockets below it.
  WORK=$(mktemp -d /tmp/lhsm-e2e.XXXXXX)
  export TMPDIR=$WORK
  trap e2e_exit EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  trap 'e2e_error "$LINENO" "$BASH_COMMAND"' ERR
  set -o errtrace
  set_up_lustre "$@"
}

e2e_error() {
  [ "$BASH_SUBSHELL" -eq 0 ] || return 0
  fail "line $1 of ${0##*/} works" "failed: $2"
}

finish() {
  printf '1..%d\n' "$E2E_COUNT"
  E2E_FINISHED=yes
  [ "$E2E_FAILED" -eq 0 ] && exit 0
  exit 1
}

e2e_exit() {
  local code=$? i
  trap - ERR INT TERM HUP
  set +e
  if [ "${E2E_FINISHED:-no}" = no ]; then
    echo "Bail out! ${0##*/} ended before its end (exit code $code)"
    [ $code -ne 0 ] || code=1
  fi
  for ((i = ${#E2E_CLEANUPS[@]} - 1; i >= 0; --i)); do
    eval "${E2E_CLEANUPS[i]}" || note "cleaning up: '${E2E_CLEANUPS[i]}' failed"
  done
  if [ "${LHSM_TEST_KEEP:-0}" = 1 ] || { [ $code -ne 0 ] && [ $code -ne 77 ]; }; then
    note "kept: $WORK"
  else
    rm -rf -- "$WORK"
  fi
  exit $code
}
