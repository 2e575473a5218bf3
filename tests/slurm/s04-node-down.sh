#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A job on two nodes, one of which dies: Slurm requeues the job; submitted again for the node that is left, it goes on there.
# shellcheck source=tests/slurm/lib.sh
. "$(dirname "$0")/lib.sh"
begin_slurm "a node dies in the midst of a job" 2
set_tunable 'mdt.*.hsm.active_request_timeout' 400 # what was sent to a copytool that was killed

make_released 100 100000
CONTROL=$WORK/control
echo bandwidth=500K > "$CONTROL"

# ranks_on NODE: the tool's processes on a pretended node.
ranks_on() {
  local pid
  for pid in /proc/[0-9]*; do
    [ "$(readlink "$pid/exe" 2> /dev/null)" = "$(readlink -f "$TOOL")" ] || continue
    tr '\0' '\n' 2> /dev/null < "$pid/environ" | grep -x "SLURMD_NODENAME=$1" > /dev/null && echo "${pid#/proc/}"
  done || true
}
parent_of() { sed -n 's/^PPid:[[:space:]]*//p' "/proc/$1/status"; }

OPTIONS="$OPTIONS --keep-alive 1 --slots 2 --control $CONTROL" submit restore.sbatch --nodes=2 --time=10
expect_soon "some are done" 60 are_done 5
mapfile -t ranks < <(ranks_on n2)
expect_equal "two ranks run on the second node" "${#ranks[@]}" 2
step=$(parent_of "${ranks[0]}")

note "the second node dies"
kill -s KILL "$(cat "$LAB/slurmd-n2.pid")"
scontrol update nodename=n2 state=down reason=test
kill -s KILL "$step" "${ranks[@]}" 2> /dev/null || true
expect_soon "the job is requeued" 60 has_restarted "$ID"
expect_soon "no process is left" 60 no_tool_running
keep_finished
left=$((100 - $(count_done)))
expect "the manifest can be read, and some are left ($left)" test "$left" -gt 0

scancel "$ID"
echo bandwidth=0 > "$CONTROL"
OPTIONS="$OPTIONS --keep-alive 1 --slots 2" submit restore.sbatch --nodes=1 --time=10
expect_end "$ID" COMPLETED 0
expect_equal "it had the other node" "$(job_field "$ID" NodeList)" n1
expect_equal "all are done" "$(count_done)" 100
expect_restored
expect_not_touched
finish
