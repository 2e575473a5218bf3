#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A whole file system moves: what is archived of one is made in another one, by a job that is killed on the way; users have all of it
# at once, and restores bring the data.
#   LHSM_TEST_KILLS  how often it is killed (default 3), LHSM_TEST_SEED  of the random moments (default 1)
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "import into another file system" --fsname former
is_real_lustre && skip_all "needs a second file system"

RANDOM=${LHSM_TEST_SEED:-1}
emulator=$E2E_BUILD/bin/lhsm_emulator
JOB=$WORK/job.h5
OLD=$MNT
NEW=$WORK/new
OLD_ROOT=$WORK/archive
NEW_ROOT=$WORK/archive-of-new
TREE=${DIR#"$OLD"/}/tree # below both mount points
mkdir "$NEW" "$NEW_ROOT"
at_end "$emulator" stop "$NEW"
"$emulator" start "$NEW" --fsname later --time-scale $E2E_TIME_SCALE --max-requests 1000 > "$WORK/emulator-2.out"

archiving=(-p "$OLD_ROOT" -A "$ARCHIVE_ID" --stripe-threshold 2M --extent-size 1M)
importing=(-p "$NEW_ROOT" --from-root "$OLD_ROOT" -A "$ARCHIVE_ID" --progress 0)

# job RANKS CODE COMMAND ARGUMENT...: carry it out; its output is in $WORK/out.
job() {
  local ranks=$1 expected=$2 code=0
  shift 2
  run_tool "$ranks" "$@" > "$WORK/out" 2> "$WORK/log" || code=$?
  expect_equal "$1 on $ranks ranks: exit code" "$code" "$expected"
  [ "$code" -eq "$expected" ] || sed 's/^/#   /' "$WORK/out" "$WORK/log"
}
status_of() { "$TOOL" status --json "$JOB" | awk -v key="\"$1\":" '$1 == key { found = 1 } found && $1 == "\"items\":" { gsub(/[^0-9]/, "", $2); print $2; exit }'; }

# orphans: released files of the new file system that have no object.
orphans() {
  local file
  find "$NEW/$TREE" -type f -print0 | while IFS= read -r -d '' file; do
    [ -e "$(ARCHIVE=$NEW_ROOT object_of "$(fid_of "$file")")" ] || printf '%q\n' "$file"
  done
}
# remove_half_made: what the emulator's import is killed between the making of a file and its becoming a released one. Lustre's has a
# released layout from the beginning, by which the next run knows it; this one is like an empty file of a user, which stays.
remove_half_made() {
  local file
  find "$NEW/$TREE" -type f -empty -print0 2> /dev/null | while IFS= read -r -d '' file; do
    [ "$(state_of "$file")" != 0x0 ] || rm -- "$file"
  done
}
# groups_of_names DIRECTORY: which names are of one file.
groups_of_names() {
  (cd "$1" && find . -type f -links +1 -printf '%i %P\0') | LC_ALL=C sort -z | tr '\n\0' '\1\n' |
    awk '{ n = $1; sub(/^[^ ]* /, ""); names[n] = names[n] "|" $0 } END { for (n in names) print names[n] }' | LC_ALL=C sort
}

make_odd_tree "$OLD/$TREE"
lfs setstripe -c 2 -S 1M "$OLD/$TREE/striped"
make_file "$OLD/$TREE/striped" 5000001
mkdir "$OLD/$TREE/links" "$OLD/$TREE/many"
for i in {1..400}; do make_file "$OLD/$TREE/many/$i" $((RANDOM % 300)); done
for i in {1..40}; do
  ln "$OLD/$TREE/many/$i" "$OLD/$TREE/links/$i"
  ln "$OLD/$TREE/many/$i" "$OLD/$TREE/many/$i-too"
done
list_files "$OLD/$TREE" > "$WORK/list"
files=$(tr -dc '\0' < "$WORK/list" | wc -c)
snapshot "$OLD/$TREE" > "$WORK/picture"
groups_of_names "$OLD/$TREE" > "$WORK/groups"

note "everything is archived"
job 2 0 scan -o "$JOB" "$OLD/$TREE"
job 2 0 archive "${archiving[@]}" "$JOB" "$OLD"
wait_states "$WORK/list" 0x9

note "wrong use"
job 0 2 import --from-root "$OLD_ROOT" -A 1 "$JOB" "$NEW"
expect_line "a clear line" "hsm-root" "$WORK/log"
job 0 2 import -p "$NEW_ROOT" --from-root "$OLD_ROOT" "$JOB" "$NEW"
expect_line "a clear line" "-A" "$WORK/log"
job 2 1 import -p "$NEW_ROOT" --from-root "$WORK/nowhere" -A 1 "$JOB" "$NEW"
expect_line "a clear line" "nowhere" "$WORK/log"
job 0 1 import "${importing[@]}" "$JOB" "$WORK"
expect_line "a clear line" "$WORK" "$WORK/log"
other=$(mktemp -d /dev/shm/lhsm-e2e.XXXXXX)
at_end rm -rf -- "$other"
if [ "$(stat -c %d "$other")" != "$(stat -c %d "$OLD_ROOT")" ]; then
  job 2 1 import -p "$other" --from-root "$OLD_ROOT" -A 1 "$JOB" "$NEW"
  expect_line "roots on two file systems: one line" "another file system" "$WORK/log"
fi
expect_equal "nothing is made" "$(find "$NEW" -mindepth 1 -path "$NEW/${TREE%%/*}*")" ""
expect_equal "and nothing in the archive" "$(find "$NEW_ROOT" "$other" -mindepth 1 -not -path '*/.lhsmtool_mpi*')" ""

note "the import is killed on the way"
MNT=$NEW
for ((kill = 1; kill <= ${LHSM_TEST_KILLS:-3}; ++kill)); do
  # The number of files is what tells how far it is; at most so many are done in a second.
  launch mpirun -n 2 "$TOOL" import "${importing[@]}" --max-files-per-second 200 "$JOB" "$NEW"
  reached=$((RANDOM % 100 + 20))
  before=$(find "$NEW_ROOT" -type f | wc -l)
  has_reached() { [ "$(find "$NEW_ROOT" -type f 2> /dev/null | wc -l)" -ge $((before + reached)) ] || copytool_is_gone; }
  expect_soon "some files are made" 60 has_reached
  mapfile -t ranks < <(rank_pids)
  kill -s KILL "$COPYTOOL_PID" "${ranks[@]}" 2> /dev/null || true
  wait_copytool 60
  expect_soon "no process is left" 60 no_tool_running
  remove_half_made
  note "kill $kill: $(status_of pending) items are left"
done
expect "there is work left" test "$(status_of pending)" -gt 0
job 2 0 import "${importing[@]}" "$JOB" "$NEW"
expect_equal "all items are there" "$(($(status_of 'done') + $(status_of already || true)))" "$files"
expect_equal "no released file is without an object" "$(orphans)" ""
expect_equal "there are as many objects as files" \
  "$(find "$NEW_ROOT" -name '0x*:0x*:0x0' -type f | wc -l)" "$(find "$NEW/$TREE" -type f -printf '%i\n' | sort -u | wc -l)"
groups_of_names "$NEW/$TREE" > "$WORK/groups.now"
expect_same_file "names of one file are of one file" "$WORK/groups.now" "$WORK/groups"
(cd "$NEW" && find "$TREE" -type f -print0 | LC_ALL=C sort -z) | sed -z "s|^|$NEW/|" > "$WORK/new-list"
wait_states "$WORK/new-list" 0xd
job 2 0 import "${importing[@]}" "$JOB" "$NEW"
expect_line "a finished job does nothing" " 0 in this run" "$WORK/out"

note "the former file system is as it was"
expect_unchanged "content and attributes" "$OLD/$TREE" "$WORK/picture"

note "restores bring the data"
job 2 0 restore -p "$NEW_ROOT" -A "$ARCHIVE_ID" --stripe-threshold 2M --extent-size 1M -o "$WORK/r.h5" --state released "$NEW/${TREE%%/*}"
wait_states "$WORK/new-list" 0x9
expect_unchanged "content and attributes are as in the former" "$NEW/$TREE" "$WORK/picture"
expect_equal "the striped file is striped again" "$(lfs getstripe -c "$NEW/$TREE/striped")" 2

note "what is in the way, and what is stale, fails"
rm -rf "${NEW:?}/$TREE"
rm -f "$JOB"*
printf 'of a user\n' > "$WORK/users"
mkdir -p "$NEW/$TREE/many"
cp "$WORK/users" "$NEW/$TREE/many/100"
echo changed > "$OLD/$TREE/many/101"
touch -d '2035-01-01' "$OLD/$TREE/many/101"
rm "$(ARCHIVE=$OLD_ROOT object_of "$(fid_of "$OLD/$TREE/many/102")")"
rm -rf "$NEW_ROOT"
mkdir "$NEW_ROOT"
job 2 0 scan -o "$JOB" "$OLD/$TREE"
job 2 3 import "${importing[@]}" --failed "$WORK/failed.csv" "$JOB" "$NEW"
expect_line "the others are there" "done: +$((files - 3)), " "$WORK/out"
expect_line "the one in the way" "many/100,failed,EEXIST" "$WORK/failed.csv"
expect_line "the stale one" "many/101,failed,ESTALE" "$WORK/failed.csv"
expect_line "the one without an object" "many/102,failed,ENOENT" "$WORK/failed.csv"
expect_same_file "what was in the way stays" "$NEW/$TREE/many/100" "$WORK/users"
expect "nothing is made of the stale one" test ! -e "$NEW/$TREE/many/101"
rm "$NEW/$TREE/many/100"
job 2 3 retry "${importing[@]}" "$JOB" "$NEW"
expect_line "one more with a retry" "done: +$((files - 2)), 1 in this run" "$WORK/out"
"$TOOL" report "$JOB" -o "$WORK/report.html" > "$WORK/out" 2>&1 || fail "report" "$(cat "$WORK/out")"
expect_line "the report is of an import" "Import" "$WORK/report.html"
expect_line "and tells what to do" "archive it anew in the old" "$WORK/report.html"
finish
