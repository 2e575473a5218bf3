#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Lustre's own llapi_hsm_test, unchanged, on the emulator's library. LHSM_TEST_PROGRAM names it.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
begin "llapi_hsm_test" --loop-period 1

# The program ends at its first failure, so a test that did not finish failed or was not reached.
code=0
"$LHSM_TEST_PROGRAM" -d "$MNT" > "$WORK/output" 2>&1 || code=$?
expect_equal "it runs to its end" "$code" 0
for number in 1 2 3 4 5 6 7 50 51 52 {100..113}; do
  expect_line "test$number" "^Finishing test test$number " "$WORK/output"
done
others=$(sed -nE 's/^Starting test (test[0-9]+) .*/\1/p' "$WORK/output" |
  grep -Evx 'test([1-7]|5[0-2]|10[0-9]|11[0-3])' || true)
[ -z "$others" ] || note "tests that are new in this version, run as well: $others"
for name in $others; do expect_line "$name" "^Finishing test $name " "$WORK/output"; done
[ "$code" -eq 0 ] || tail -n 5 "$WORK/output" | sed 's/^/#   /'
finish
