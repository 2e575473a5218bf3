#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a rank costs that has nothing to do: under two per cent of a core. Open MPI's own waits would spin.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "cost of idling"

start_copytool 4
ticks_per_second=$(getconf CLK_TCK)
# ticks_of PID: processor time used, in ticks. The name in the second field may hold blanks.
ticks_of() { sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'; }

pids=$(rank_pids)
expect_equal "four ranks run" "$(wc -w <<< "$pids")" 4
# Their start is over when a file came through.
make_file "$DIR/file" 100
archive "$DIR/file"
wait_state "$DIR/file" 0x9

declare -A before least
period=5
for pid in $pids; do least[$pid]=1000; done
# The least of three: whatever else the machine does makes it more, never less.
for _ in 1 2 3; do
  for pid in $pids; do before[$pid]=$(ticks_of "$pid"); done
  sleep $period # there is nothing to wait for: time itself is what is measured
  for pid in $pids; do
    per_mille=$((($(ticks_of "$pid") - before[$pid]) * 1000 / (ticks_per_second * period)))
    [ "$per_mille" -ge "${least[$pid]}" ] || least[$pid]=$per_mille
  done
done
for pid in $pids; do
  expect_at_most "rank with pid $pid used per mille of a core" "${least[$pid]}" 19
  note "its memory: $(sed -n 's/^VmRSS:[[:space:]]*//p' "/proc/$pid/status")"
done
stop_copytool USR1
expect_code 0
finish
