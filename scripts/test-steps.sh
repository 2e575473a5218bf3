# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Sourced by scripts/test and scripts/test-tsan, which set $top: building, running ctest, counting.
: "${top:?}"

# shellcheck source=scripts/mpi-env.sh
. "$top/scripts/mpi-env.sh"

passed=0 failed=0 skipped=0
results=$(mktemp -d /tmp/lhsm-test.XXXXXX)
child=

clean_up() {
  local code=$?
  trap - EXIT
  if [ -n "$child" ] && kill -TERM -- "-$child" 2> /dev/null; then wait "$child"; fi
  rm -rf "$results"
  exit $code
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# run COMMAND...: waited for in such a way that a signal is heeded at once. It gets a process group
# (set -m), by which all that it started can be ended.
run() {
  local code=0
  set -m
  "$@" < /dev/null &
  child=$!
  set +m
  wait "$child" || code=$?
  child=
  return $code
}

# Good stacks, and less to compile than with optimisation or full debugging symbols.
# shellcheck disable=SC2034 # for who sources this
sanitized=(-DCMAKE_BUILD_TYPE=Debug "-DCMAKE_CXX_FLAGS_DEBUG=-O0 -g1")

# asan_environment: for what AddressSanitizer and UndefinedBehaviorSanitizer look at. Open MPI's own leaks need three things
# together: its plug-ins stay loaded (cmake/sanitizers.cmake), the suppressions, and whole stacks to match them with.
asan_environment() {
  export ASAN_OPTIONS=fast_unwind_on_malloc=0:detect_stack_use_after_return=1
  export LSAN_OPTIONS=suppressions=$top/tests/suppressions/lsan.supp:print_suppressions=0
  export UBSAN_OPTIONS=print_stacktrace=1
  export LHSM_TEST_PATIENCE=4
}

# step TITLE BUILD-DIRECTORY CMAKE-OPTION...: configure and build; of the targets only those of the array `targets`, if
# it has any.
targets=()
step() {
  printf '\n== %s in %s\n' "$1" "$2"
  run cmake -S "$top" -B "$top/$2" -G Ninja -DLHSM_BUILD_TESTS=ON "${@:3}" > "$results/cmake" || {
    cat "$results/cmake"
    exit 1
  }
  run cmake --build "$top/$2" ${targets[@]:+--target "${targets[@]}"}
}

# count ATTRIBUTE FILE: of the test suite's element.
count() { sed -n "0,/[[:space:]]$1=\"\\([0-9]*\\)\".*/s//\\n\\1/p" "$2" | tail -n 1; }

# run_tests BUILD-DIRECTORY CTEST-OPTION...: go on after a failure, and remember it.
run_tests() {
  local report=$results/junit.xml all bad idle code=0
  rm -f "$report"
  # One more than there are cores: many tests wait for a coordinator, a disk or a scheduler.
  run ctest --test-dir "$top/$1" --output-on-failure --no-tests=error -j $(($(nproc) + 1)) --output-junit "$report" "${@:2}" ||
    code=$?
  if [ ! -s "$report" ]; then
    echo "ctest wrote no report (exit code $code)" >&2
    failed=$((failed + 1))
    return
  fi
  all=$(count tests "$report")
  bad=$(count failures "$report")
  idle=$(($(count skipped "$report") + $(count disabled "$report")))
  # What ctest holds against the run without a failed test must not be lost.
  [ "$code" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
  passed=$((passed + all - bad - idle))
  failed=$((failed + bad))
  skipped=$((skipped + idle))
  [ "$bad" -eq 0 ] || python3 "$top/tests/support/failed_tests.py" "$report" >> "$results/failures"
}

# finish: what failed stands at the end once more, as whoever reads a long log begins there.
finish() {
  [ ! -e "$results/failures" ] || cat "$results/failures"
  printf '\n%d passed, %d failed, %d skipped\n' $passed $failed $skipped
  [ $failed -eq 0 ] && exit 0
  exit 1
}
