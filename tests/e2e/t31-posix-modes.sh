#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The modes of lhsmtool_posix besides its daemon: import, rebind, max-sequence, archive-upgrade.
# shellcheck disable=SC2016,SC2119,SC2317 # eval; stop_copytool without a signal; functions are called by name
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "import, rebind, max-sequence, archive-upgrade"
POSIX=$E2E_BUILD/bin/lhsmtool_posix
tool() { "$POSIX" --hsm-root="$ARCHIVE" --archive "$ARCHIVE_ID" "$@" < /dev/null; }
code_of() {
  local code=0
  "$@" > "$WORK/said" 2>&1 || code=$?
  echo "$code"
}
# expect_restored FILE DIGEST
expect_restored() {
  restore "$1"
  wait_state "$1" 0x9
  expect_equal "content of $(basename "$1")" "$(digest_of "$1")" "$2"
}

note "import of a file"
make_file "$ARCHIVE/outside" 123457
printf 'layout' > "$ARCHIVE/outside.lov"
touch -d '2011-02-03 04:05:06' "$ARCHIVE/outside"
chmod 640 "$ARCHIVE/outside"
outside=$(digest_of "$ARCHIVE/outside")
expect "dry run" tool --dry-run --import outside "$DIR/imported" "$MNT"
expect "  it makes nothing" test ! -e "$DIR/imported"
expect "import" tool -F v2 --import outside "$DIR/imported" "$MNT"
expect_state "$DIR/imported" 0xd
expect_equal "size, mode and time" "$(stat -c '%s %a %Y' "$DIR/imported")" "$(stat -c '%s %a %Y' "$ARCHIVE/outside")"
object=$(object_of "$(fid_of "$DIR/imported")" v2)
expect "its object is a hard link" test "$object" -ef "$ARCHIVE/outside"
expect "so is its layout" test "$object.lov" -ef "$ARCHIVE/outside.lov"
expect_equal "an import over it: EEXIST" "$(code_of tool -F v2 --import outside "$DIR/imported" "$MNT")" 17
expect_state "$DIR/imported" 0xd
expect_equal "of nothing: ENOENT" "$(code_of tool --import nothing "$DIR/nothing" "$MNT")" 2
expect "  nothing is made" test ! -e "$DIR/nothing"
expect_equal "out of the archive: EXDEV" "$(code_of tool --import ../../etc/passwd "$DIR/nothing" "$MNT")" 18
ln -s /etc/passwd "$ARCHIVE/escape"
expect_equal "through a link out of the archive: EXDEV" "$(code_of tool --import escape "$DIR/nothing" "$MNT")" 18
rm "$ARCHIVE/escape"
expect_equal "on no Lustre: ENODEV" "$(code_of tool --import outside "$WORK/nothing" "$WORK")" 19
expect_refused "to a place outside of the file system" nothing tool --import outside "$WORK/nothing" "$MNT"
expect "  nothing is left there" test ! -e "$WORK/nothing"
rm "$ARCHIVE/outside.lov" "$object.lov"

note "import of a directory"
mkdir -p "$ARCHIVE/from/deep/er"
for name in one 'two  blanks' deep/three deep/er/four; do make_file "$ARCHIVE/from/$name" 4321; done
expect "import" tool -F v2 --import from "$DIR/tree" "$MNT"
expect_equal "all files are there" "$(cd "$DIR/tree" && find . -type f | LC_ALL=C sort)" \
  "$(cd "$ARCHIVE" && find ./from -type f | LC_ALL=C sort)"
list_files "$DIR/tree" > "$WORK/list"
wait_states "$WORK/list" 0xd
mkfifo "$ARCHIVE/from/a-fifo"
rm -r "$DIR/tree"
expect_equal "a file that is none fails, and is told: EINVAL" "$(code_of tool -F v2 --import from "$DIR/tree" "$MNT")" 22
expect_equal "  the others are imported" "$(find "$DIR/tree" -type f | wc -l)" 4
rm "$ARCHIVE/from/a-fifo"

note "what was imported restores; what was archived is imported by FID and by path"
start_copytool 2 -F v2
expect_restored "$DIR/imported" "$outside"
expect_equal "its time" "$(stat -c %Y "$DIR/imported")" "$(stat -c %Y "$ARCHIVE/outside")"
expect_restored "$DIR/tree/from/deep/er/four" "$(digest_of "$ARCHIVE/from/deep/er/four")"
lfs setstripe -c 2 -S 2M "$DIR/lost"
make_file "$DIR/lost" 54321
make_file "$DIR/lost2" 4444
lost=$(digest_of "$DIR/lost")
lost2=$(digest_of "$DIR/lost2")
archive "$DIR/lost" "$DIR/lost2"
wait_state "$DIR/lost" 0x9
wait_state "$DIR/lost2" 0x9
lost_fid=$(fid_of "$DIR/lost")
stop_copytool
expect_equal "a FID that exists: EEXIST" "$(code_of tool -F v2 --import "$lost_fid" "$DIR/again" "$MNT")" 17
rm "$DIR/lost" "$DIR/lost2"
expect "import of a FID" tool -F v2 --import "$lost_fid" "$DIR/found" "$MNT"
expect "import through the shadow tree" tool -F v2 --import "shadow/${DIR##*/}/lost2" "$DIR/found2" "$MNT"
start_copytool 0 -F v2
expect_restored "$DIR/found" "$lost"
expect_restored "$DIR/found2" "$lost2"
expect_equal "the striping with which it was archived" "$(lfs getstripe -c "$DIR/found") $(lfs getstripe -S "$DIR/found")" \
  "2 2097152"
stop_copytool
expect "their digests went along" eval '! grep -q Unverified "$COPYTOOL_OUT"'

note "rebind"
start_copytool 0 -F v2
for name in p q r; do
  make_file "$DIR/$name" 3333
  make_file "$DIR/new-$name" 3333
done
archive "$DIR/p" "$DIR/q" "$DIR/r"
for name in p q r; do wait_state "$DIR/$name" 0x9; done
stop_copytool
moved_ok() { test -e "$(object_of "$2" v2)" -a -e "$(object_of "$2" v2).lov" -a ! -e "$(object_of "$1" v2)"; }
expect "one" tool -F v2 --rebind "$(fid_of "$DIR/p")" "[$(fid_of "$DIR/new-p" | tr -d '[]')]" "$MNT"
expect "  object and layout have the new name" moved_ok "$(fid_of "$DIR/p")" "$(fid_of "$DIR/new-p")"
expect_equal "again: ENOENT" "$(code_of tool -F v2 --rebind "$(fid_of "$DIR/p")" "$(fid_of "$DIR/new-p")" "$MNT")" 2
expect "  the object is still there" test -e "$(object_of "$(fid_of "$DIR/new-p")" v2)"
expect_equal "no FID: EINVAL" "$(code_of tool -F v2 --rebind 0x1 "$(fid_of "$DIR/new-p")" "$MNT")" 22
expect_equal "no FID of a file: EINVAL" "$(code_of tool -F v2 --rebind 0x1:0x2:0x0 "$(fid_of "$DIR/new-p")" "$MNT")" 22
{
  printf '# old new\n\n'
  for name in q r; do echo " $(fid_of "$DIR/$name")  $(fid_of "$DIR/new-$name")"; done
  echo 'nonsense'
} > "$WORK/rebinds"
expect_equal "a list with a bad line" "$(code_of tool -F v2 --rebind "$WORK/rebinds" "$MNT")" 1
for name in q r; do
  expect "  the others are done: $name" moved_ok "$(fid_of "$DIR/$name")" "$(fid_of "$DIR/new-$name")"
done

note "an empty released file gets all of the object that is rebound to it"
make_file "$DIR/marked" 1234567
start_copytool 0 -F v2
archive "$DIR/marked"
wait_state "$DIR/marked" 0x9
stop_copytool
former=$(fid_of "$DIR/marked")
content=$(digest_of "$DIR/marked")
rm "$DIR/marked"
: > "$ARCHIVE/empty"
expect "import of an empty file" tool -F v2 --import empty "$DIR/marked" "$MNT"
rm "$ARCHIVE/empty" "$(object_of "$(fid_of "$DIR/marked")" v2)"
expect "rebind" tool -F v2 --rebind "$former" "$(fid_of "$DIR/marked")" "$MNT"
start_copytool 2 -F v2 --stripe-threshold 1M
expect_restored "$DIR/marked" "$content"
stop_copytool
expect "its digest went along" eval '! grep -q Unverified "$COPYTOOL_OUT"'

note "max-sequence"
most=$(find "$ARCHIVE" -path "$ARCHIVE/shadow" -prune -o -type f -name '0x*:0x*:0x?' -printf '%f\n' | cut -d: -f1 | LC_ALL=C sort | tail -n 1)
expect_equal "of a v2 tree" "$(tool --max-sequence "$MNT")" "max_sequence: $most"

note "archive-upgrade"
objects() { find "$ARCHIVE" -path "$ARCHIVE/shadow" -prune -o -path "$ARCHIVE/from" -prune -o -type f -printf '%f %i\n' | LC_ALL=C sort; }
objects > "$WORK/before"
expect "v2 to v1" "$POSIX" --hsm-root "$ARCHIVE" --archive-upgrade=v1
objects > "$WORK/after"
expect_same_file "no object is lost, none is new" "$WORK/after" "$WORK/before"
expect_equal "each lies where v1 has it" "$(find "$ARCHIVE" -mindepth 2 -maxdepth 6 -name '0x*' -not -path "$ARCHIVE/shadow/*")" ""
expect "an object of v1" test -e "$(object_of "$(fid_of "$DIR/new-p")" v1)"
expect_equal "of a v1 tree, the highest sequence" "$(tool --max-sequence "$MNT")" "max_sequence: $most"
expect_equal "no shadow link of an object leads nowhere" \
  "$(find "$ARCHIVE/shadow" -xtype l | grep -v -e '/lost' -e '/marked' -e '/[pqr]$')" ""
expect "once more changes nothing" "$POSIX" -p "$ARCHIVE" --archive-upgrade=v1
start_copytool 0 -F v1
release "$DIR/found"
expect_restored "$DIR/found" "$lost"
stop_copytool
expect "v1 to v2" "$POSIX" -p "$ARCHIVE" -U v2
objects > "$WORK/after"
expect_same_file "no object is lost, none is new" "$WORK/after" "$WORK/before"
expect_equal "empty directories are gone" "$(find "$ARCHIVE" -type d -empty -not -path "$ARCHIVE/shadow/*" \
  -not -name .lhsmtool_mpi)" ""
start_copytool 0 -F v2
release "$DIR/found"
expect_restored "$DIR/found" "$lost"
stop_copytool
name=$(basename "$(object_of "$(fid_of "$DIR/found")" v2)")
mkdir -p "$(dirname "$(object_of "$(fid_of "$DIR/found")" v1)")"
echo other > "$(object_of "$(fid_of "$DIR/found")" v1)"
expect_equal "an object that is there twice: EEXIST" "$(code_of "$POSIX" -p "$ARCHIVE" -U v1)" 17
expect_equal "  neither is lost" "$(find "$ARCHIVE" -name "$name" -type f | wc -l)" 2
finish
