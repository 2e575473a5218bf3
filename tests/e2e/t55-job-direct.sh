#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Jobs of paths and lists, without a scan before: the same run makes the manifest and carries it out, and goes on with it when
# it is given again.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "jobs of paths and lists"

show=$E2E_BUILD/bin/show_manifest
[ -x "$show" ] || skip_all "no show_manifest in $E2E_BUILD/bin"
JOB=$WORK/job.h5
options=(-p "$ARCHIVE" -A "$ARCHIVE_ID")
make_odd_tree "$DIR/tree"
mkdir "$DIR/other"
for i in {1..60}; do make_file "$DIR/other/small-$i" $((i * 100)); done
list_files "$DIR/tree" > "$WORK/tree"
list_files "$DIR/other" > "$WORK/other"
cat "$WORK/tree" "$WORK/other" > "$WORK/all"
snapshot "$DIR" > "$WORK/picture"

# job RANKS CODE COMMAND ARGUMENT...: carry it out; its output is in $WORK/out.
job() {
  local ranks=$1 expected=$2 code=0
  shift 2
  run_tool "$ranks" "$@" > "$WORK/out" 2> "$WORK/log" || code=$?
  expect_equal "$1 on $ranks ranks: exit code" "$code" "$expected"
  [ "$code" -eq "$expected" ] || sed 's/^/#   /' "$WORK/out" "$WORK/log"
}
items() { "$show" "$JOB" | tr -cd '\0' | wc -c; }
count() { tr -cd '\0' < "$1" | wc -c; }

for ranks in 0 3; do
  note "a whole cycle on $ranks ranks"
  rm -f "$JOB"*
  job "$ranks" 0 archive "${options[@]}" -o "$JOB" "$DIR/tree" "$DIR/other"
  wait_states "$WORK/all" 0x9
  expect_equal "the manifest has them all" "$(items)" "$(count "$WORK/all")"
  expect_line "what it was made by is in it" "scan $DIR/tree $DIR/other" <("$TOOL" status "$JOB")
  job "$ranks" 0 archive "${options[@]}" -o "$JOB" "$DIR/tree" "$DIR/other"
  expect_line "given again, it goes on" "nothing is scanned" "$WORK/out"
  rm -f "$JOB"*
  job "$ranks" 0 release -o "$JOB" "$DIR/tree" "$DIR/other"
  wait_states "$WORK/all" 0xd
  rm -f "$JOB"*
  job "$ranks" 0 restore "${options[@]}" -o "$JOB" --name 'small-*' "$DIR"
  wait_states "$WORK/other" 0x9
  expect_equal "conditions hold" "$(items)" 60
  expect "others stay released" all_in_state 0xd "$WORK/tree"
  rm -f "$JOB"*
  job "$ranks" 0 restore "${options[@]}" -o "$JOB" --from-list "$WORK/all" --null "$MNT"
  wait_states "$WORK/all" 0x9
  expect_equal "a list with its files" "$(items)" "$(count "$WORK/all")"
  expect_unchanged "content and attributes are as they were" "$DIR" "$WORK/picture"
  rm -f "$JOB"*
  [ "$ranks" -ne 0 ] || job "$ranks" 0 remove "${options[@]}" -o "$JOB" "$DIR"
  [ "$ranks" -ne 0 ] || wait_states "$WORK/all" 0x0
done

note "what failed may not be written over the job"
for name in "$JOB" "$WORK/./job.h5.journal"; do
  job 3 1 archive "${options[@]}" -o "$JOB" --failed "$name" "$DIR/tree"
  expect_line "it says so" 'write the list of what failed over' "$WORK/log"
  expect_equal "and nothing was scanned for it" "$(cd "$WORK" && ls job.h5* 2> /dev/null)" ""
done

note "a list through a pipe, without a name for the manifest"
mkdir "$WORK/here"
release_all "$WORK/other"
wait_states "$WORK/other" 0xd
code=0
(cd "$WORK/here" && tr '\0' '\n' < "$WORK/other" | "$TOOL" restore "${options[@]}" --from-list - "$MNT") > "$WORK/out" 2> "$WORK/log" || code=$?
expect_equal "exit code" "$code" 0
wait_states "$WORK/other" 0x9
made=$(cd "$WORK/here" && echo ./*.h5)
expect_line "it is printed" "${made#./}" "$WORK/out"

note "lines that name nothing"
release_all "$WORK/other"
wait_states "$WORK/other" 0xd
{
  tr '\0' '\n' < "$WORK/other"
  printf '%s\n' "$DIR/nowhere" '[0x1:0x2:0x3]' /etc/passwd "$DIR"
} > "$WORK/list"
for ranks in 2 1; do # then once more, as it is done
  job $ranks 3 restore "${options[@]}" -o "$JOB" --from-list "$WORK/list" --scan-failed "$WORK/failed" --scan-keep-locks "$MNT"
done
wait_states "$WORK/other" 0x9
expect_equal "they are listed" "$(sort "$WORK/failed" | tr '\n' ' ')" "$(printf '%s\n' /etc/passwd "$DIR" "$DIR/nowhere" '[0x1:0x2:0x3]' | sort | tr '\n' ' ')"
code=0
run_tool 2 scan -o "$WORK/again.h5" --from-list "$WORK/failed" --failed "$WORK/failed-again" "$MNT" > "$WORK/out" 2> "$WORK/log" || code=$?
expect_equal "scan reads that list" "$code" 3
expect_same_file "and fails with all of it" <(sort "$WORK/failed-again") <(sort "$WORK/failed")
expect_line "its run has a command line" "scan -o .*again.h5 --from-list" <("$TOOL" status "$WORK/again.h5")

note "stopped while it scans, then while it copies"
rm -f "$JOB"*
release_all "$WORK/all"
wait_states "$WORK/all" 0xd
mkfifo "$WORK/endless"
exec 7<> "$WORK/endless"
launch mpirun -n 2 "$TOOL" restore "${options[@]}" -o "$JOB" --from-list "$WORK/endless" "$MNT"
has_begun() { compgen -G "$JOB.tmp*" > /dev/null; }
expect_soon "it has begun" 30 has_begun
stop_copytool USR1
expect_code 75
expect "no manifest is made" test ! -e "$JOB"
expect "nothing was asked for" all_in_state 0xd "$WORK/all"
exec 7>&-
launch mpirun -n 2 "$TOOL" restore "${options[@]}" -o "$JOB" -b 4 "$DIR"
some_are_done() { [ -e "$JOB" ] && "$TOOL" status "$JOB" | grep '^  done ' > /dev/null; }
expect_soon "some are done" 60 some_are_done
stop_copytool USR1
expect_code 75
job 3 0 restore "${options[@]}" -o "$JOB" "$DIR"
expect_line "it goes on" "nothing is scanned" "$WORK/out"
wait_states "$WORK/all" 0x9
expect_unchanged "content and attributes are as they were" "$DIR" "$WORK/picture"

note "what is refused"
rm -f "$JOB"*
for ranks in 0 2; do
  job $ranks 0 restore "${options[@]}" -o "$JOB" "$DIR/tree"
  job $ranks 1 restore "${options[@]}" -o "$JOB" "$DIR/other"
  expect_line "a manifest of other files" "is there, and of other files" "$WORK/log"
  job $ranks 0 restore "${options[@]}" -o "$JOB" --force "$DIR/other"
  expect_equal "unless told otherwise" "$(items)" 60
  job $ranks 0 restore "${options[@]}" "$JOB" "$MNT"
  job $ranks 2 restore "${options[@]}" "$JOB"
  expect_line "a clear line" "mount point is missing" "$WORK/log"
  job $ranks 2 restore "${options[@]}" --size +1 "$JOB" "$MNT"
  job $ranks 2 restore "${options[@]}"
  job $ranks 2 restore "${options[@]}" --from-list "$WORK/list" "$DIR" "$MNT"
  job $ranks 1 restore "${options[@]}" "$DIR/nothing of this name" "$DIR"
  job $ranks 1 restore "${options[@]}" "$WORK" "$DIR"
  rm -f "$JOB"*
done
head -c 5000 /dev/urandom > "$DIR/other/damaged.h5"
job 0 1 restore "${options[@]}" "$DIR/other/damaged.h5" "$MNT"
expect_line "what is no manifest does not become the whole file system" "is no manifest" "$WORK/log"
expect_equal "nothing is left of it" "$(cd "$WORK/here" && echo ./*.h5)" "$made"
finish
