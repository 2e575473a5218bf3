#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# scan: what it writes is what find and lfs say, on any number of ranks, of trees and of lists.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "scan" --mdt-count 2

show=$E2E_BUILD/bin/show_manifest
[ -x "$show" ] || skip_all "no show_manifest in $E2E_BUILD/bin"

# scan CODE RANKS ARGUMENT...: into job.h5, anew.
scan() {
  local wanted=$1 ranks=$2 code=0
  shift 2
  rm -f "$WORK/job.h5"
  if [ "$ranks" -eq 0 ]; then
    timeout 300 "$TOOL" scan -o "$WORK/job.h5" "$@" > "$WORK/out" 2> "$WORK/log" || code=$?
  else
    timeout 300 mpirun -n "$ranks" "$TOOL" scan -o "$WORK/job.h5" "$@" > "$WORK/out" 2> "$WORK/log" || code=$?
  fi
  expect_equal "scan $* on $ranks ranks: exit code" "$code" "$wanted"
  [ "$code" -eq "$wanted" ] || sed 's/^/#   log: /' "$WORK/log"
}
# fields FIRST-LAST...: these columns and the path of each item, sorted.
fields() { "$show" "$WORK/job.h5" | tr '\n\0' '\1\n' | cut -f "$1,14-" | LC_ALL=C sort; }
paths() { "$show" "$WORK/job.h5" | tr '\n\0' '\1\n' | cut -f 14- | LC_ALL=C sort; }
# below CONDITION...: the files of the tree that find takes, as paths() prints them.
below() { find "$DIR/tree" -type f "$@" -printf "$prefix/tree/%P\0" | tr '\n\0' '\1\n' | LC_ALL=C sort; }

prefix=${DIR#"$MNT"/}
mkdir "$DIR/tree"
make_odd_tree "$DIR/tree"
for ((i = 0; i < 30; ++i)); do
  mkdir -p "$DIR/tree/deep/$((i % 5))/$((i % 3))"
  printf '%*d' $((i * 100)) "$i" > "$DIR/tree/deep/$((i % 5))/$((i % 3))/$i"
done
mkdir "$DIR/tree/wide"
for ((i = 0; i < 2000; ++i)); do : > "$DIR/tree/wide/$i"; done
lfs setstripe -c 2 -S 2M "$DIR/tree/striped"
printf 'x' > "$DIR/tree/striped"
ln "$DIR/tree/striped" "$DIR/tree/deep/link"
ln -s ../tree "$DIR/tree/loop"
mkfifo "$DIR/tree/fifo"
sync -f "$DIR" # a client that still has the data of a small file says that it has one block
mkdir "$DIR/hsm"
for name in archived released dirty new; do make_file "$DIR/hsm/$name" 5000; done
# A client that has looked at files must not answer from what it then kept.
scan 0 1 "$DIR/hsm"
expect_equal "nothing has a state yet" "$("$show" "$WORK/job.h5" | tr '\0' '\n' | grep /hsm/ | cut -f 2 | sort -u)" 0x0
start_copytool 2
archive "$DIR/hsm/archived" "$DIR/hsm/released" "$DIR/hsm/dirty"
for name in archived released dirty; do wait_state "$DIR/hsm/$name" 0x9; done
release "$DIR/hsm/released"
wait_state "$DIR/hsm/released" 0xd
stop_copytool
printf 'more' >> "$DIR/hsm/dirty"

for ranks in 0 1 3; do
  note "$ranks ranks"
  scan 0 "$ranks" "$DIR/tree"
  paths > "$WORK/paths"
  below > "$WORK/wanted"
  expect_same_file "every file is there once" "$WORK/paths" "$WORK/wanted"
  fields 4-7 > "$WORK/got"
  find "$DIR/tree" -type f -printf "%s\t%b\t%U\t%G\t$prefix/tree/%P\0" | tr '\n\0' '\1\n' | LC_ALL=C sort > "$WORK/wanted"
  expect_same_file "size, blocks, owner and group are find's" "$WORK/got" "$WORK/wanted"
  fields 9,13 > "$WORK/got"
  find "$DIR/tree" -type f -printf "%T@\t%n\t$prefix/tree/%P\0" | tr '\n\0' '\1\n' |
    awk -F '\t' -v OFS='\t' '{ split($1, t, "."); $1 = t[1] substr(t[2] "000000000", 1, 9); print }' |
    LC_ALL=C sort > "$WORK/wanted"
  expect_same_file "times and links are find's" "$WORK/got" "$WORK/wanted"
  expect_line "the summary counts files" "^Files: +$(wc -l < "$WORK/paths")\$" "$WORK/out"
  expect_line "and what is none" '^Others: +2 ' "$WORK/out"
  expect_equal "nothing but the manifest is left" "$(cd "$WORK" && echo job.h5*)" job.h5

  scan 0 "$ranks" "$DIR/hsm"
  for name in archived released dirty new; do
    line=$("$show" "$WORK/job.h5" | tr '\0' '\n' | grep "/$name\$")
    expect_equal "$name: FID" "$(cut -f 1 <<< "$line")" "$(fid_of "$DIR/hsm/$name")"
    expect_equal "$name: state" "$(cut -f 2 <<< "$line")" "$(state_of "$DIR/hsm/$name" | sed 's/^0$/0x0/')"
    expect_equal "$name: archive id" "$(cut -f 3 <<< "$line")" \
      "$(lfs hsm_state "$DIR/hsm/$name" | sed 's/.*archive_id:\([0-9]*\).*/\1/;t;s/.*/0/')"
    expect_equal "$name: stripes" "$(cut -f 10,11 <<< "$line")" \
      "$(lfs getstripe -S "$DIR/hsm/$name")$(printf '\t')$(lfs getstripe -c "$DIR/hsm/$name")"
  done
done
expect_state "$DIR/hsm/released" 0xd
[ "$(id -u)" -ne 0 ] || expect_equal "by xattrs" "$(grep -c 'takes three requests' "$WORK/log")" 0
"$show" "$WORK/job.h5" > "$WORK/by-xattrs"
scan 0 1 --keep-locks "$DIR/hsm"
"$show" "$WORK/job.h5" | LC_ALL=C sort -z > "$WORK/by-servers"
LC_ALL=C sort -z "$WORK/by-xattrs" > "$WORK/wanted"
expect_same_file "the servers say what xattrs said" "$WORK/by-servers" "$WORK/wanted"

note "stripes, MDTs, projects"
scan 0 1 "$DIR/tree/striped"
expect_equal "stripe size and count" "$("$show" "$WORK/job.h5" | cut -f 10,11)" "$(printf '2097152\t2')"
if [ "$(mdt_count)" -ge 2 ]; then
  lfs mkdir -i 1 "$DIR/mdt1"
  : > "$DIR/mdt1/file"
  scan 0 1 "$DIR/mdt1"
  expect_equal "MDT" "$("$show" "$WORK/job.h5" | cut -f 12)" 1
fi
mkdir "$DIR/project"
: > "$DIR/project/in"
: > "$DIR/project/out"
if lfs project -p 77 "$DIR/project/in" 2> /dev/null; then
  scan 0 2 "$DIR/project"
  expect_equal "projects" "$(fields 8 | cut -f 1 | sort | tr '\n' ' ')" '0 77 '
  scan 0 2 --projid 77 "$DIR/project"
  expect_equal "those of one project" "$(paths)" "$prefix/project/in"
else
  unable "projects" "lfs project does not work here"
fi

note "filters"
scan 0 2 --state archived --state '!released' --state '!dirty' "$DIR/hsm"
expect_equal "by state" "$(paths)" "$prefix/hsm/archived"
for ranks in 1 3; do
  scan 0 "$ranks" --state released "$DIR/hsm"
  expect_equal "what is released" "$(paths)" "$prefix/hsm/released"
  expect_line "the rest is filtered" "^Filtered: +3\$" "$WORK/out"
done
scan 0 2 --state none "$DIR/hsm"
expect_equal "without a state" "$(paths)" "$prefix/hsm/new"
scan 0 2 --archive '!0' --size +1k --mtime -365 --user "$(id -un)" "$DIR/hsm"
expect_equal "by archive, size, time and owner" "$(paths | wc -l)" 3
scan 0 2 --size +1000c "$DIR/tree"
below -size +1000c > "$WORK/wanted"
paths > "$WORK/paths"
expect_same_file "sizes as find has them" "$WORK/paths" "$WORK/wanted"
scan 0 2 --size -2M --name '*7' "$DIR/tree"
below -size -2M -name '*7' > "$WORK/wanted"
paths > "$WORK/paths"
expect_same_file "names as find has them" "$WORK/paths" "$WORK/wanted"

note "lists"
scan 0 0 "$DIR/tree"
paths > "$WORK/wanted"
for ranks in 1 3; do
  list_files "$DIR/tree" > "$WORK/list"
  scan 0 $ranks --from-list "$WORK/list" -0 "$MNT"
  paths > "$WORK/paths"
  expect_same_file "find -print0" "$WORK/paths" "$WORK/wanted"
done
for ranks in 0 2; do
  rm -f "$WORK/job.h5"
  code=0
  (cd "$DIR" && find tree -print0 | timeout 300 "$TOOL" scan --filelist - --null -o "$WORK/job.h5") > "$WORK/out" 2>&1 || code=$?
  expect_equal "what is no regular file fails" "$code" 3
  paths > "$WORK/paths"
  expect_same_file "relative names through a pipe, directories among them" "$WORK/paths" "$WORK/wanted"
done
{
  fid_of "$DIR/hsm/archived"
  fid_of "$DIR/hsm/new" | tr -d '[]'
} > "$WORK/list"
scan 0 2 --from-list "$WORK/list" "$MNT"
expect_equal "FIDs" "$(paths | tr "\n" " ")" "$prefix/hsm/archived $prefix/hsm/new "
expect_equal "their states" "$(fields 2 | cut -f 1 | tr '\n' ' ')" "0x0 0x9 "
if knows_records; then
  # Nobody is there to carry it out.
  restore "$DIR/hsm/released"
  lctl get_param 'mdt.*.hsm.actions' > "$WORK/list"
  cancel "$DIR/hsm/released"
  scan 0 2 --from-list "$WORK/list" "$MNT"
  expect_equal "the coordinators' records" "$(paths | grep "$prefix/" | sort -u)" "$prefix/hsm/released"
else
  unable "the coordinators' records" "lctl shows no records here"
fi
printf '%s\n' "$DIR/hsm/new" "$DIR/hsm/gone" /etc/passwd '[0x1:0x2:0x3]' "$DIR/hsm" > "$WORK/list"
scan 3 2 --from-list "$WORK/list" "$MNT"
expect_equal "a bad line costs that line" "$(paths)" "$prefix/hsm/new"
expect_line "it is in the log" 'hsm/gone: .*ENOENT' "$WORK/log"
expect_line "so is one of another file system" '/etc/passwd: .*EXDEV' "$WORK/log"
expect_line "and one that is a directory" 'not a regular file: .*/hsm: .*EISDIR' "$WORK/log"
expect_line "all are counted" '^Failed: +4 \(4 lines, ' "$WORK/out"
: > "$WORK/list"
scan 0 2 --from-list "$WORK/list" "$MNT"
expect_line "of an empty list the log tells" 'warning the list .* names nothing' "$WORK/log"

note "what ends it"
scan 1 2 "$DIR/nothing of this name"
scan 1 1 "$WORK"
expect "no manifest is made" test ! -e "$WORK/job.h5"
scan 2 0
scan 2 0 "$DIR" --size large
scan 2 0 "$DIR" --state ready
scan 0 0 "$DIR/hsm"
mkdir "$WORK/tiny"
if mount -t tmpfs -o size=16k tmpfs "$WORK/tiny" 2> /dev/null; then
  code=0
  "$TOOL" scan "$DIR/tree" -o "$WORK/tiny/job.h5" > "$WORK/out" 2> "$WORK/log" || code=$?
  expect_equal "a full disk: exit code" "$code" 1
  expect_line "one line says so" '^lhsmtool_mpi: .*ENOSPC' "$WORK/log"
  expect_equal "nothing is left on it" "$(ls -A "$WORK/tiny")" ""
  umount "$WORK/tiny"
fi
cp "$WORK/job.h5" "$WORK/copy"
expect_refused "a manifest that is there is kept" EEXIST "$TOOL" scan "$DIR/tree" -o "$WORK/job.h5"
expect_same_file "unchanged" "$WORK/job.h5" "$WORK/copy"
expect "unless told otherwise" "$TOOL" scan "$DIR/tree" -o "$WORK/job.h5" --force
expect "then it is another" test "$("$show" "$WORK/job.h5" | tr -cd '\0' | wc -c)" -gt 2000

# A list without an end, so that it is certainly not over; the temporary file shows that it has begun.
mkfifo "$WORK/endless"
exec 7<> "$WORK/endless"
mkdir "$WORK/stopped"
for signal in INT TERM; do
  launch "$TOOL" scan --from-list "$WORK/endless" "$MNT" -o "$WORK/stopped/job.h5"
  has_begun() { compgen -G "$WORK/stopped/job.h5.tmp*" > /dev/null; }
  expect_soon "it has begun" 30 has_begun
  stop_copytool $signal
  code=75
  [ $signal != INT ] || code=130
  expect_code $code "after SIG$signal"
  expect_equal "nothing is left" "$(ls -A "$WORK/stopped")" ""
done
launch "$TOOL" scan --from-list "$WORK/endless" --failed "$WORK/stopped/bad" "$MNT" -o "$WORK/stopped/job.h5" 7>&-
expect_soon "it has begun" 30 has_begun
mkdir "$WORK/stopped/bad"
echo "$DIR/hsm/gone" >&7
exec 7>&-
wait_copytool 60
expect_code 1 "where the list of what failed cannot be written"
expect_line "the summary is there" '^Failed: +1 ' "$COPYTOOL_OUT"
expect_equal "and no manifest" "$(ls -A "$WORK/stopped")" bad
rmdir "$WORK/stopped/bad"
echo > "$WORK/list"
for list in "$WORK/no/bad" "$WORK/job.h5"; do
  expect_refused "no list of what failed at $list" "$list" \
    "$TOOL" scan --from-list "$WORK/list" --failed "$list" "$MNT" -o "$WORK/stopped/job.h5"
done
expect_equal "nothing is left" "$(ls -A "$WORK/stopped")" ""
finish
