#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# In what order a job asks for its files, and how many of them: --order, --fair, --max-volumes, --limit-action,
# --max-files-per-second, and what the control file changes while it runs.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "the order of a job"
knows_records || skip_all "needs the coordinator's records"

show=$E2E_BUILD/bin/show_manifest
[ -x "$show" ] || skip_all "no show_manifest in $E2E_BUILD/bin"
FILES=40 # one request's worth: a job may send several of those at once
JOB=$WORK/job.h5
options=(-p "$ARCHIVE" -A "$ARCHIVE_ID" --progress 0)
for ((i = 0; i < FILES; ++i)); do
  make_file "$DIR/$((i * 7 % FILES))" $(((i * 11 % FILES) * 500 + 1))
  [ "$(id -u)" -ne 0 ] || chown $((i < FILES / 4 ? 1001 : 1002)) "$DIR/$((i * 7 % FILES))"
done
list_files "$DIR" > "$WORK/list"

job() {
  local expected=$1 code=0
  shift
  run_tool 2 "$@" > "$WORK/out" 2> "$WORK/log" || code=$?
  expect_equal "$1: exit code" "$code" "$expected"
  [ "$code" -eq "$expected" ] || sed 's/^/#   /' "$WORK/out" "$WORK/log"
}
waiting() { lctl get_param -n 'mdt.*.hsm.actions' | grep -c 'action=RESTORE.*status=WAITING' || true; }
are_waiting() { [ "$(waiting)" -eq "$1" ]; }
# asked: FIDs of the requests that wait, in the order in which the coordinator got them.
asked() {
  lctl get_param -n 'mdt.*.hsm.actions' | grep 'action=RESTORE.*status=WAITING' |
    sed 's/.*[ ]fid=\(\[[^]]*\]\).*cookie=[^/]*\/\?0x\([0-9a-f]*\).*/\2 \1/' | sort -k 1,1 | cut -d ' ' -f 2
}
# facts COLUMN...: columns of the manifest, FID first.
facts() { "$show" "$JOB" | tr '\n\0' ' \n' | cut -f "$1"; }

# Ask, with nobody there who carries it out, so that requests are seen as they came; then do it all.
# ask FILES OPTION...: begin.
ask() {
  local count=$1
  shift
  release_all "$WORK/list"
  wait_states "$WORK/list" 0xd
  rm -f "$JOB"*
  job 0 scan -o "$JOB" "$DIR"
  launch "$TOOL" restore --submit-only --hsm-root "$ARCHIVE" -A "$ARCHIVE_ID" --progress 0 "$@" "$JOB" "$MNT"
  expect_soon "$count files are asked for" 60 are_waiting "$count"
}
finish_asked() {
  stop_copytool USR1
  expect_code 75
  job 0 restore "${options[@]}" "$JOB" "$MNT"
  wait_states "$WORK/list" 0x9
}

job 0 archive "${options[@]}" -o "$JOB" "$DIR"
wait_states "$WORK/list" 0x9

note "sizes"
for order in size size-desc; do
  ask $FILES --order $order
  asked > "$WORK/got"
  facts 1,4 | sort -k 2,2n | cut -f 1 > "$WORK/wanted"
  [ $order = size ] || tac "$WORK/wanted" > "$WORK/turned"
  [ $order = size ] || mv "$WORK/turned" "$WORK/wanted"
  expect_same_file "--order $order" "$WORK/got" "$WORK/wanted"
  finish_asked
done

note "paths"
ask $FILES --order path
asked > "$WORK/got"
facts 1,14 | LC_ALL=C sort -t "$(printf '\t')" -k 2,2 | cut -f 1 > "$WORK/wanted"
expect_same_file "--order path" "$WORK/got" "$WORK/wanted"
finish_asked

note "volumes"
cat > "$WORK/locate" << 'EOF'
#!/bin/sh
tee -a "$1" | awk '{ if (NR % 10 == 0) print "?"; else printf "V%d\t%d\n", NR % 3, 1000 - NR }'
EOF
chmod +x "$WORK/locate"
ask $FILES --order archive-location --location-command "'$WORK/locate' '$WORK/question'"
asked > "$WORK/got"
facts 1 | awk '{ volume = NR % 10 == 0 ? 9 : (NR + 2) % 3; print volume, NR % 10 == 0 ? NR : 1000 - NR, $1 }' |
  sort -k 1,1n -k 2,2n | cut -d ' ' -f 3 > "$WORK/wanted"
expect_same_file "--order archive-location: volume by volume, what is unknown at the end" "$WORK/got" "$WORK/wanted"
expect_line "that is counted" '4 objects have no known location' "$COPYTOOL_LOG"
facts 1 | tr -d '[]' | while read -r fid; do object_of "$fid"; done > "$WORK/wanted"
expect_same_file "the command gets the paths of objects" "$WORK/question" "$WORK/wanted"
finish_asked
ask 24 --order archive-location --location-command "'$WORK/locate' /dev/null" --max-volumes 2
note "two volumes of twelve each; the third one waits for them"
finish_asked
ask $FILES --order archive-location --location-command "exit 1"
facts 1 > "$WORK/wanted"
asked > "$WORK/got"
expect_same_file "a command that fails costs only the order" "$WORK/got" "$WORK/wanted"
finish_asked
job 2 restore "${options[@]}" --order archive-location "$JOB" "$MNT"
expect_line "nobody knows where they lie" "--order archive-location needs --location-command" "$WORK/log"
job 2 retry "${options[@]}" --order archive-location "$JOB" "$MNT"
job 2 restore "${options[@]}" --order archive-location -o "$WORK/new.h5" "$DIR"
expect "nothing is scanned for it" test ! -e "$WORK/new.h5"

note "owners"
if [ "$(id -u)" -eq 0 ]; then
  ask $FILES --fair uid
  asked > "$WORK/got"
  facts 1,6 | tr -d '\r' > "$WORK/owners"
  few=$(head -n 10 "$WORK/got" | while read -r fid; do grep -F "$fid" "$WORK/owners" | cut -f 2; done | grep -c 1001 || true)
  expect_equal "of the first ten five are of the owner with few files" "$few" 5
  finish_asked
fi

note "limits"
echo "# nothing yet" > "$WORK/control"
ask 3 --limit-action restore=3 --control "$WORK/control"
expect_equal "no more than three requests" "$(waiting)" 3
echo "limit-action=restore=8" > "$WORK/control.new"
mv "$WORK/control.new" "$WORK/control"
expect_soon "eight when the control file says so" 60 are_waiting 8
finish_asked
release_all "$WORK/list"
wait_states "$WORK/list" 0xd
rm -f "$JOB"*
job 0 scan -o "$JOB" "$DIR"
begun=$(date +%s%N)
job 0 restore "${options[@]}" --max-files-per-second 20 "$JOB" "$MNT"
expect_at_least "$FILES files at 20 a second: milliseconds" $((($(date +%s%N) - begun) / 1000000)) $(((FILES - 2) * 1000 / 20))
wait_states "$WORK/list" 0x9

note "wrong use"
job 2 restore "${options[@]}" --order colour "$JOB" "$MNT"
job 2 restore "${options[@]}" --limit-action restore "$JOB" "$MNT"
job 2 restore "${options[@]}" --fair uid --order archive-location --location-command cat "$JOB" "$MNT"
job 2 restore "${options[@]}" --max-volumes 2 "$JOB" "$MNT"
job 2 restore "${options[@]}" --fair uid --fair-weight 5 "$JOB" "$MNT"
finish
