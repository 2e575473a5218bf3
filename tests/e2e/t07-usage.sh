#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Help, version, usage errors and their exit codes; ranks of different builds.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "usage and exit codes"

# said CODE TEXT ARGUMENT...: the plain tool says TEXT (extended regular expression) and exits with CODE.
said() {
  local wanted=$1 text=$2 code=0
  shift 2
  timeout 30 "$TOOL" "$@" > "$WORK/said" 2>&1 < /dev/null || code=$?
  expect_equal "exit code of '$*'" "$code" "$wanted"
  expect_line "  it says '$text'" "$text" "$WORK/said"
}
said 0 'serve' --help
said 0 '--stripe-threshold' serve --help
said 0 '--hsm-root' serve --help
said 0 '^lhsmtool_mpi [0-9]' --version
said 2 'help|required' # no command
said 2 'nonsense' nonsense
said 2 'MNT' serve -p "$ARCHIVE"
said 2 'hsm-root' serve "$MNT"
said 2 'frobnicate' serve -p "$ARCHIVE" --frobnicate "$MNT"
said 2 'size' serve -p "$ARCHIVE" --chunk-size large "$MNT"
said 2 'slots' serve -p "$ARCHIVE" --slots 0 "$MNT"
said 2 'archive-format|v1' serve -p "$ARCHIVE" -F v3 "$MNT"
said 1 "$WORK/nowhere" serve -p "$ARCHIVE" "$WORK/nowhere"

# Help must come without MPI: login nodes and help2man have none that works.
if OMPI_MCA_ess=nonsense timeout 30 "$TOOL" --help > "$WORK/said" 2>&1; then
  pass "help needs no MPI"
else
  fail "help needs no MPI" "$(head -n 3 "$WORK/said")"
fi
timeout 60 mpirun -n 3 "$TOOL" serve > "$WORK/said" 2>&1 < /dev/null && code=0 || code=$?
expect_equal "usage error on three ranks: exit code" "$code" 2
expect_equal "usage error on three ranks is said once" "$(grep -c "required" "$WORK/said")" 1
timeout 60 mpirun -n 3 "$TOOL" --version > "$WORK/said" 2>&1 < /dev/null && code=0 || code=$?
expect_equal "version on three ranks: exit code" "$code" 0
expect_equal "version on three ranks is said once" "$(grep -c '^lhsmtool_mpi' "$WORK/said")" 1

note "ranks of different builds"
# The same program with another build id, which a linker would have given to another build.
build_id=$("$TOOL" --version | sed -n 's/^build: .*+\([0-9a-f]\{16\}\) .*/\1/p')
other=$WORK/bin/lhsmtool_mpi
mkdir "$WORK/bin"
cp "$TOOL" "$other"
[ ! -d "$E2E_BUILD/lib" ] || ln -s "$E2E_BUILD/lib" "$WORK/lib"
# Not by grep: the id may hold a line end.
offset=$(od -An -v -tx1 "$TOOL" | tr -d ' \n' | awk -v id="$build_id" '{ print (index($0, id) - 1) / 2 }')
printf '\xee\xee' | dd of="$other" bs=1 seek="$offset" conv=notrunc status=none
expect "the copy has another build id" test "$("$other" --version | grep '^build')" != "$("$TOOL" --version | grep '^build')"
timeout 60 mpirun -n 1 "$TOOL" serve -p "$ARCHIVE" "$MNT" : -n 1 "$other" serve -p "$ARCHIVE" "$MNT" \
  > "$WORK/said" 2>&1 < /dev/null && code=0 || code=$?
expect_equal "they do not work together: exit code" "$code" 1
expect_line "a line says why" 'rank 1 .*another build' "$WORK/said"
expect "no process is left" no_tool_running

note "a rank on which the archive is not mounted"
# shellcheck disable=SC2016 # another shell expands it
in_directory='cd "$0" && exec "$@"'
mkdir -p "$WORK/here/archive" "$WORK/there/archive"
for where in there here; do
  timeout 60 mpirun -n 1 bash -c "$in_directory" "$WORK/here" "$TOOL" serve -p archive "$MNT" \
    : -n 1 bash -c "$in_directory" "$WORK/$where" "$TOOL" serve -p archive "$MNT" > "$WORK/said" 2>&1 < /dev/null &
  run=$!
  if [ "$where" = there ]; then
    wait "$run" && code=0 || code=$?
    expect_equal "it does not take part: exit code" "$code" 1
    expect_line "a line says why" 'rank 1 .*find what rank 0 has in the archive' "$WORK/said"
  else
    expect_soon "with the same archive it does" 30 grep -q '2 ranks of .* slots serve' "$WORK/said"
    kill -s TERM "$run"
    wait "$run" || true
  fi
done
expect_soon "no process is left" 30 no_tool_running
finish
