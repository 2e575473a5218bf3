#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is told of a job without doing it: a plan before, reports and a look into the archive after it.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "report, plan, verify"

JOB=$WORK/job.h5
options=(-p "$ARCHIVE" -A "$ARCHIVE_ID" --stripe-threshold 2M --extent-size 1M)
make_odd_tree "$DIR/tree"
make_file "$DIR/tree/big" 9000001
for i in {1..40}; do make_file "$DIR/tree/small-$i" $((i * 100)); done
list_files "$DIR/tree" > "$WORK/list"
files=$(tr -dc '\0' < "$WORK/list" | wc -c)
victim=$DIR/tree/small-7

# tool RANKS CODE ARGUMENT...: its output is in $WORK/out.
tool() {
  local ranks=$1 expected=$2 code=0
  shift 2
  run_tool "$ranks" "$@" > "$WORK/out" 2> "$WORK/log" || code=$?
  expect_equal "$1 on $ranks ranks: exit code" "$code" "$expected"
  [ "$code" -eq "$expected" ] || sed 's/^/#   /' "$WORK/out" "$WORK/log"
}
# json EXPRESSION: of the members of the object in $WORK/out, as Python has it.
json() { python3 -c 'import json, sys; print(eval(sys.argv[2], json.load(open(sys.argv[1]))))' "$WORK/out" "$1"; }
# left_alone TEXT: neither the manifest nor what is beside it has changed since `remember`.
remember() { (cd "$WORK" && sha256sum job.h5* > remembered); }
left_alone() { (cd "$WORK" && sha256sum job.h5*) > "$WORK/now" && expect_same_file "$1" "$WORK/now" "$WORK/remembered"; }

tool 0 0 scan -o "$JOB" "$DIR/tree"

note "plan"
remember
tool 0 1 plan "$JOB"
expect_line "a scan does not say what is to be done" "find what is to be done" "$WORK/log"
tool 0 0 plan --action archive "$JOB"
expect_line "all are to be archived" "to archive +$files " "$WORK/out"
expect_line "no estimate without a rate" "^Time: no estimate" "$WORK/out"
for told in "plan --action archive" "plan --action archive --json" status "status --json"; do
  code=0
  # shellcheck disable=SC2086 # words
  run_tool 0 $told "$JOB" > /dev/full 2> "$WORK/log" || code=$?
  expect_equal "$told to a full disk: exit code" "$code" 1
  expect_line "and why" "write standard output: No space left" "$WORK/log"
done
tool 0 0 plan --action archive --mount "$MNT" -p "$ARCHIVE" --rate-mb 1 --files-per-second 1 "$JOB"
expect_line "there is room" "^Space: .*fits" "$WORK/out"
expect_line "an estimate" "^Time: about .* as given" "$WORK/out"
tool 0 3 plan --action release --mount "$MNT" "$JOB"
expect_line "what cannot work" "$files x not archived" "$WORK/out"
left_alone "the job is left alone"
expect_equal "no lock, no journal" "$(cd "$WORK" && echo job.h5*)" job.h5

tool 2 0 archive "${options[@]}" "$JOB" "$MNT"
tool 0 0 release "$JOB" "$MNT"
wait_states "$WORK/list" 0xd

if ! is_real_lustre && [ "$(id -u)" -eq 0 ]; then
  note "room: what the emulator's OSTs and quotas tell of released files"
  room=$WORK/room.h5
  import() { "$E2E_BUILD/bin/lhsmtool_posix" --hsm-root="$ARCHIVE" --archive "$ARCHIVE_ID" --import "$1" "$2" "$MNT" < /dev/null; }
  make_file "$ARCHIVE/outside" 40000
  chown 4321:8765 "$ARCHIVE/outside"
  mkdir "$DIR/room"
  expect "import" import outside "$DIR/room/small"
  tool 0 0 scan -o "$room" "$DIR/room"
  tool 0 0 plan --action restore --mount "$MNT" "$room"
  expect_line "all OSTs are usable" '^OSTs:  4 of 4 are usable, with .* free, .* at the fullest: fits$' "$WORK/out"
  expect_line "there are no limits" '^Quota: of 1 user, 1 group: fits$' "$WORK/out"
  "$E2E_BUILD/bin/lhsm_emulator" model "$MNT" ost.1=inactive ost.2=full
  lfs setquota -u 4321 -B 20K "$MNT"
  tool 0 3 plan --action restore --mount "$MNT" "$room"
  expect_line "OSTs that take nothing are not counted" '^OSTs:  2 of 4 are usable, .*fits$' "$WORK/out"
  expect_line "they are named: inactive" '^ +inactive: lustre-OST0001$' "$WORK/out"
  expect_line "  and full" '^ +full: lustre-OST0002$' "$WORK/out"
  expect_line "a quota is too small" '^Quota: .*DOES NOT FIT$' "$WORK/out"
  expect_line "  it is told whose" '^ +quota of user 4321: 19 KiB over$' "$WORK/out"
  tool 0 3 plan --action restore --mount "$MNT" --json "$room"
  expect_equal "so in JSON: OSTs" "$(json 'osts["usable"], osts["unusable"]["full"]')" "(2, ['lustre-OST0002'])"
  expect_equal "  and quotas" "$(json 'quotas["over"][0]["id"], quotas["over"][0]["bytes"], clear')" "(4321, 19520, False)"
  "$E2E_BUILD/bin/lhsm_emulator" model "$MNT" off
  lfs setquota -u 4321 -B 0 "$MNT"
  # Half of all free space fits, but not on one OST of four.
  truncate -s "$(($(stat -f -c '%a * %S' "$MNT") / 2))" "$ARCHIVE/outside-huge"
  expect "import of a file of half the free space" import outside-huge "$DIR/room/huge"
  rm "$room"
  tool 0 0 scan -o "$room" "$DIR/room"
  tool 0 3 plan --action restore --mount "$MNT" "$room"
  expect_line "as a whole it fits" '^OSTs:  4 of 4 .*: fits$' "$WORK/out"
  expect_line "on one OST it does not" 'of one file would lie on one OST, none has more than .*: DOES NOT FIT$' "$WORK/out"
  expect_line "  it is told which" '^ +.*/room/huge$' "$WORK/out"
  rm -r "$DIR/room" "$room" "$ARCHIVE/outside" "$ARCHIVE/outside-huge"
fi

note "report"
object=$(object_of "$(fid_of "$victim")")
mv "$object" "$WORK/object"
tool 0 3 plan --action restore --mount "$MNT" -p "$ARCHIVE" "$JOB"
expect_line "the missing object is foreseen" "1 x no object in the archive \(ENOENT\)" "$WORK/out"
tool 0 3 plan --action restore --mount "$MNT" -p "$ARCHIVE" --json "$JOB"
planned=$(grep -A 2 '"to_do"' "$WORK/out" | sed -n 's/.*"items": \([0-9]*\).*/\1/p')
tool 2 3 restore "${options[@]}" "$JOB" "$MNT"
expect_line "as many are restored as planned" "done: +$planned, " "$WORK/out"
tool 0 0 plan "$JOB"
expect_line "done before" "done before +$((files - 1)) " "$WORK/out"
expect_line "failed before" "failed before +1 " "$WORK/out"
expect_line "an estimate from the run" "^Time: about .* as in 1 runs" "$WORK/out"
remember
tool 0 0 report "$JOB" --csv -o "$WORK/job.csv"
# A quoted path may hold line ends; a FID begins each item.
expect_equal "CSV has every item" "$(grep -ac '^\[0x' "$WORK/job.csv")" "$files"
expect_line "and what failed" 'tree/small-7,700,restore,failed,ENOENT,' "$WORK/job.csv"
tool 0 0 report "$JOB" --json
expect_line "JSON has the sums" "\"items\": $((files - 1))" "$WORK/out"
expect_line "and the errors" '"errno": "ENOENT"' "$WORK/out"
tool 0 0 report "$JOB" --json --items
expect_equal "with every item when asked for" "$(grep -ac '"fid":"\[0x' "$WORK/out")" "$files"
tool 0 0 report "$JOB" -o "$WORK/job.html"
expect_line "a page" '<h2>Throughput</h2>' "$WORK/job.html"
expect_line "that names the failed file" 'tree/small-7</code>' "$WORK/job.html"
expect "and is no large one" test "$(stat -c %s "$WORK/job.html")" -lt 500000
rm "$WORK"/job.csv "$WORK"/job.html
left_alone "the job is left alone"
tool 0 2 report "$JOB"
tool 0 2 report "$JOB" --csv --html
tool 0 2 report "$JOB" --csv --items
tool 0 2 report "$JOB" --csv -o "$WORK/../$(basename "$WORK")/job.h5"
tool 0 1 report "$WORK/nowhere.h5" --csv
tool 0 1 report "$JOB" --csv -o "$WORK/no/job.csv"

note "verify"
for ranks in 0 3; do
  tool "$ranks" 3 verify -p "$ARCHIVE" --failed "$WORK/bad.csv" "$JOB"
  expect_line "the missing object is found" '^Missing: +1$' "$WORK/out"
  expect_line "the others are verified" "^Verified: +$((files - 1))\$" "$WORK/out"
  expect_line "and it is listed" "small-7,missing,ENOENT," "$WORK/bad.csv"
done
mv "$WORK/object" "$object"
tool 2 0 verify -p "$ARCHIVE" --failed "$WORK/bad" "$JOB"
expect_equal "back again: nothing is listed" "$(cat "$WORK/bad")" ""
corrupt=$(object_of "$(fid_of "$DIR/tree/big")")
mtime=$(stat -c %y "$corrupt")
printf 'X' | dd of="$corrupt" bs=1 seek=8000000 conv=notrunc status=none
touch -d "$mtime" "$corrupt"
truncate -s 5 "$(object_of "$(fid_of "$DIR/tree/small-9")")"
tool 2 3 verify -p "$ARCHIVE" --failed "$WORK/bad" "$JOB"
expect_line "a damaged object is found" '^Corrupt: +1$' "$WORK/out"
expect_line "so is a short one" '^Wrong size: +1$' "$WORK/out"
expect_equal "both are listed" "$(sort "$WORK/bad")" "$(printf '%s\n' "$DIR/tree/big" "$DIR/tree/small-9" | sort)"
expect_line "it says what is wrong" 'verify size of object of .*\(5 bytes, expected 900\)' "$WORK/log"
tool 2 3 verify -p "$ARCHIVE" --json -b 1G --progress 1 "$JOB"
expect_equal "the summary as JSON, with stdout for itself" \
  "$(json 'complete, ranks, corrupt, wrong_size, missing, verified, left')" "(True, 2, 1, 1, 0, $((files - 2)), 0)"
rm "$WORK"/bad*
tool 2 1 verify -p "$ARCHIVE" --failed "$WORK/no/bad" "$JOB"
expect_equal "where no list can be written nothing is read" "$(cat "$WORK/out")" ""
tool 0 1 verify -p "$ARCHIVE" --failed "$JOB" "$JOB"
launch "$TOOL" verify -p "$ARCHIVE" --failed "$WORK/bad" -b 1 --progress 1 "$JOB"
has_begun() { [ -s "$COPYTOOL_OUT" ]; }
expect_soon "it reads" 30 has_begun
mkdir "$WORK/bad"
stop_copytool USR1
expect_code 1 "when it cannot be written any more"
expect_line "the summary is there" '^Verified: ' "$COPYTOOL_OUT"
rmdir "$WORK/bad"
left_alone "the job is left alone"
tool 2 1 verify -p "$WORK/no-archive" "$JOB"
tool 2 1 verify -p "$ARCHIVE" "$WORK/nowhere.h5"
tool 0 2 verify "$JOB"

note "while a job runs"
tool 0 0 status --watch "$JOB"
expect_line "nobody works on it: it says how it stands" "^  failed +1 " "$WORK/out"
expect_equal "once" "$(grep -c ' items (' "$WORK/out" || true)" 0
release_all "$WORK/list"
wait_states "$WORK/list" 0xd
rm -f "$JOB"*
tool 0 0 scan -o "$JOB" "$DIR/tree"
launch mpirun -n 2 "$TOOL" restore "${options[@]}" -b 2 "$JOB" "$MNT"
is_begun() { [ -e "$JOB.lock" ] && "$TOOL" status "$JOB" | grep '^run .* restore ' > /dev/null; }
expect_soon "a job runs" 60 is_begun
tool 0 0 report "$JOB" -o "$WORK/job.html"
expect_line "the page says so" '>running</span>' "$WORK/job.html"
tool 0 0 plan --mount "$MNT" "$JOB"
tool 0 0 status --watch 1 "$JOB"
expect_line "lines as it goes on" "^[-0-9T:]+ [0-9]+/$files items \\(" "$WORK/out"
expect_line "and its end" "^run .* exit [03]: .* restore " "$WORK/out"
wait_copytool 60
tool 0 0 report "$JOB" -o "$WORK/job.html"
expect "then the page does not" sh -c "! grep -q '>running</span>' '$WORK/job.html'"
tool 0 2 status --watch 0 "$JOB"
tool 0 2 status --watch
finish
