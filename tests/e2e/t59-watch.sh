#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a run tells of itself while it runs: status, metrics, logs of ranks; and what is left of them when it is gone.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "status, metrics and logs"

STATUS=$WORK/status.json METRICS=$WORK/lhsm.prom
watched=(--status "$STATUS" --metrics "$METRICS")
big=$DIR/big
make_big_file "$big" 67108864
for i in {1..20}; do make_file "$DIR/small-$i" $((i * 100)); done
list_files "$DIR" > "$WORK/list"
files=$(tr -dc '\0' < "$WORK/list" | wc -c)

# value_of KEY: a number or word at the top of the status file.
value_of() { sed -n "s/^ \"$1\": \"\{0,1\}\([^,\"]*\)\"\{0,1\},\{0,1\}\$/\1/p" "$STATUS" 2> /dev/null; }
has_value() { [ "$(value_of "$1")" = "$2" ]; }
watcher_is_gone() { ! is_running "$watcher"; }
shows() { "$TOOL" status "$STATUS" > "$WORK/table" && grep -Eq -e "$1" "$WORK/table"; }
# expect_good_metrics TEXT: as Prometheus wants them.
expect_good_metrics() {
  if command -v promtool > /dev/null; then
    expect "$1" promtool check metrics < "$METRICS"
  else
    unable "$1" "promtool is not installed"
  fi
}

note "a copytool that is held back"
echo bandwidth=1 > "$WORK/control"
start_copytool 2 "${watched[@]}" --slots 2 --stripe-threshold 32M --extent-size 1M --control "$WORK/control" \
  --log-file "$WORK/log-%r.json" --log-format json --progress 0
expect_soon "there is a status" 30 has_value state running
archive "$big"
expect_soon "the large file is shown with its extents" 30 shows \
  "archive +$(fid_of "$big" | sed 's/[][]/\\&/g') .* 64 MiB +[0-9.]+ % .* [0-9]+ done, [0-9]+ running"
expect_line "so are hosts" "HOST" "$WORK/table"
expect_line "and both ranks" "^  1 " "$WORK/table"
expect_line "it is one archive that runs" "^  archive +0 +1 +0 " "$WORK/table"
expect_line "it is not stale" "running since" "$WORK/table"
expect "nor is that said" sh -c "! grep -q STALE '$WORK/table'"
expect_line "JSON is for machines" '"running_archive": 1,' <("$TOOL" status --json "$STATUS")
expect_good_metrics "metrics while it runs are good ones"
"$TOOL" status --watch 1 "$STATUS" > "$WORK/watched" 2>&1 &
watcher=$!
echo bandwidth=0 > "$WORK/control"
archive "$DIR"/small-*
wait_states "$WORK/list" 0x9
release_all "$WORK/list"
wait_states "$WORK/list" 0xd
mv "$(object_of "$(fid_of "$DIR/small-3")")" "$WORK/object"
restore_all "$WORK/list"
expect_soon "all are restored but one" 60 has_value done_restore $((files - 1))
expect_soon "that one has failed" 30 has_value failed_restore 1
stop_copytool USR1
expect_code 3
expect_soon "who watched has gone" 30 watcher_is_gone
code=0
wait "$watcher" || code=$?
expect_equal "and was content" "$code" 0
expect_line "and saw the end" "serve $MNT, ended [-0-9T:]+, begun " "$WORK/watched"
expect_line "and the error" "1 x RESTORE: .*ENOENT" "$WORK/watched"
expect_equal "the status says so, too" "$(value_of state)" ended
expect_good_metrics "metrics at the end are good ones"
expect_line "they count" "^lhsmtool_mpi_actions_total\{.*action=\"restore\",result=\"done\"\} $((files - 1))\$" "$METRICS"
expect_line "errors by errno" "^lhsmtool_mpi_action_errors_total\{.*errno=\"ENOENT\"\} 1\$" "$METRICS"
expect_line "the latency of each" "^lhsmtool_mpi_action_latency_seconds_count\{.*action=\"restore\"\} $((files - 1))\$" "$METRICS"
expect_line "and that it is over" '^lhsmtool_mpi_up\{.*\} 0$' "$METRICS"
expect "no temporary is left" sh -c "! ls '$STATUS'.tmp-* '$METRICS'.tmp-* 2> /dev/null"
for rank in 0 1; do expect "rank $rank has a log" test -e "$WORK/log-$rank.json"; done
expect_line "with lines of JSON" '^\{"time":"[-0-9T:.+]+","level":"info","host":"[^"]+","rank":0,"message":".* serve ' "$WORK/log-0.json"
expect_equal "and no other" "$(grep -cv '^{"time":.*}$' "$WORK/log-0.json" || true)" 0
mv "$WORK/object" "$(object_of "$(fid_of "$DIR/small-3")")"

note "a run that is gone"
start_copytool 0 "${watched[@]}" --progress 0
expect_soon "there is a status" 30 has_value state running
kill -KILL "$COPYTOOL_PID"
wait_copytool 30
expect "it is stale" shows 'STALE: its process [0-9]+ is gone'
expect_line "who watches is told at once" STALE <(timeout 60 "$TOOL" status --watch "$STATUS")

if command -v script > /dev/null; then
  expect_line "on a terminal the table is drawn from the top" $'^\033\\[H\033\\[Jserve ' <(
    timeout 60 script -qec "'$TOOL' status --watch '$STATUS'" /dev/null < /dev/null)
else
  unable "on a terminal the table is drawn from the top" "script(1) is not installed"
fi

note "jobs"
rm -f "$STATUS" "$METRICS"
expect "the missing one is restored by a job" run_tool 2 restore -p "$ARCHIVE" -A "$ARCHIVE_ID" "${watched[@]}" -o "$WORK/job.h5" "$DIR"
expect_line "of which the status tells" "job: $files/$files items \\(100.0 %\\), 0 unsuccessful" <("$TOOL" status "$STATUS")
expect_good_metrics "metrics of a job are good ones"
rm -f "$STATUS" "$METRICS"
expect "a job that releases" run_tool 2 release "${watched[@]}" -o "$WORK/release.h5" "$DIR"
expect_equal "counts, too" "$(value_of done_release)" "$files"
expect_good_metrics "metrics of a release are good ones"

note "logs of a scan and of a check of the archive"
printf '%s\n' "$DIR/small-1" "$DIR/gone" > "$WORK/names"
run_tool 2 scan --from-list "$WORK/names" -o "$WORK/scan.h5" --log-file "$WORK/scan-%r" --log-format json "$MNT" > "$WORK/out" 2>&1 && code=0 || code=$?
expect_equal "a scan of which one name is gone" "$code" 3
expect_line "logs it on the rank that gathers" '^\{"time":.*"level":"error".*"rank":0,"message":".*ENOENT' "$WORK/scan-0"
expect "the other rank has a file, too" test -e "$WORK/scan-1"
mv "$(object_of "$(fid_of "$DIR/small-3")")" "$WORK/object"
run_tool 2 verify -p "$ARCHIVE" --log-file "$WORK/verify-%r" --log-format json "$WORK/job.h5" > "$WORK/out" 2>&1 && code=0 || code=$?
expect_equal "a check that misses an object" "$code" 3
expect_line "logs it likewise" '^\{"time":.*"level":"error".*"rank":0,"message":".*ENOENT' "$WORK/verify-0"
mv "$WORK/object" "$(object_of "$(fid_of "$DIR/small-3")")"

note "what cannot be"
expect_refused "a log file that cannot be opened" 'open log file .*ENOENT' \
  run_tool 2 restore -p "$ARCHIVE" --log-file "$WORK/no/log" -o "$WORK/no.h5" "$DIR"
printf '{"format": "another"}' > "$WORK/other.json"
expect_refused "another file of JSON" 'read status' "$TOOL" status "$WORK/other.json"
expect "a status that cannot be written is no failure" run_tool 0 restore -p "$ARCHIVE" -A "$ARCHIVE_ID" --status "$WORK/no/status" -o "$WORK/last.h5" "$DIR"
finish
