# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Files of known content, and pictures of a tree to compare by.

# make_file PATH BYTES: content that repeats nowhere. Blocks cannot change places unnoticed.
make_file() { head -c "$2" /dev/urandom > "$1"; }

# make_big_file PATH BYTES: the same, quickly: a random block that begins elsewhere each time.
make_big_file() {
  local block=1048576 size=$2 seed i turn
  [ "$size" -lt 536870912 ] || block=16777216
  seed=$WORK/seed-$block
  [ -e "$seed" ] || head -c $block /dev/urandom > "$seed"
  for ((i = 0; i * block < size; ++i)); do
    turn=$((i * 4099 % block))
    tail -c +$((turn + 1)) "$seed"
    head -c $turn "$seed"
  done > "$1"
  truncate -s "$size" "$1"
}

# make_sparse_file PATH BYTES: holes at begin, middle and end, and data of a few bytes and of a MiB.
make_sparse_file() {
  truncate -s "$2" "$1"
  head -c 1048576 /dev/urandom | dd of="$1" bs=1048576 seek=$(($2 / 4194304)) conv=notrunc status=none
  printf 'alone' | dd of="$1" bs=1 seek=$(($2 / 2 + 17)) conv=notrunc status=none
  head -c 65537 /dev/urandom | dd of="$1" bs=65536 seek=$(($2 * 3 / 4 / 65536)) conv=notrunc status=none
  sync -- "$1" # blocks are counted once they are allocated
}

# make_odd_tree DIRECTORY: odd sizes, names, modes, times and, where it can be had, attributes.
make_odd_tree() {
  local top=$1 size file long
  mkdir -p "$top/sizes" "$top/names/a directory" "$top/modes"
  for size in 0 1 4095 4096 4097 65535 65537 1048575 1048576 1048577; do
    make_file "$top/sizes/$size" "$size"
  done
  printf -v long '%0251d' 0
  # shellcheck disable=SC2016 # names, not expansions
  for file in ' ' 'two  blanks' "it's" '"double"' $'line\nend' $'tab\there' 'grün.δοκιμή.試験' '-rf' '--' '*' '?[a]' \
    'back\slash' '$HOME' '`id`' '%s%n' '.hidden' '...' $'\xff\xfe' "long$long" 'a directory/inside'; do
    make_file "$top/names/$file" $((RANDOM % 5000 + 1))
  done
  for file in 0400 0644 0777 4755 0000; do
    # An ordinary user can neither read the one nor set attributes of the other.
    [ "$(id -u)" -eq 0 ] || [ $((0$file & 0600)) -eq $((0600)) ] || continue
    make_file "$top/modes/$file" 100
    chmod "$file" "$top/modes/$file"
  done
  make_sparse_file "$top/sparse" 33554432
  if [ "$(id -u)" -eq 0 ]; then chown 12345:54321 "$top/modes/0644"; fi
  touch -d '2001-02-03 04:05:06' "$top/sizes/4097"
  touch -d '2033-12-31 23:59:00 UTC' "$top/sizes/4096"
  if command -v setfattr > /dev/null; then
    setfattr -n user.colour -v green "$top/sizes/65537"
  else
    echo "# no setfattr here: extended attributes are not looked at"
  fi
}

# list_files DIRECTORY: its regular files, NUL-separated, in a fixed order.
list_files() { find "$1" -type f -print0 | LC_ALL=C sort -z; }

# digest_tool: the fastest that is there. Several GiB are read, against accidents, not against forgery.
digest_tool() { if command -v xxhsum > /dev/null; then echo "xxhsum -q -H2"; else echo b2sum; fi; }

# snapshot DIRECTORY: a picture of all files below: name, mode, owner, size, mtime, xattrs, content.
# Reads every byte: no file may be released.
snapshot() (
  cd "$1" || exit
  find . -type f -printf '%P\t%m\t%U:%G\t%s\t%Ts\0' | LC_ALL=C sort -z | tr '\n\0' '\1\n'
  # Two at once; what so few files say arrives in one piece.
  # shellcheck disable=SC2046
  find . -type f -print0 | xargs -0 -r -n 8 -P 2 $(digest_tool) | LC_ALL=C sort
  if command -v getfattr > /dev/null; then
    # Where it may not use trusted names the emulator keeps its own among the user's.
    find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r getfattr -h -d -m '^user\.' -- 2> /dev/null |
      awk 'BEGIN { RS = "" } { gsub(/(^|\n)user\.(hsm|lhsm|lov)=[^\n]*/, "") } /\n/ { print $0 "\n" }'
  else
    echo "xattrs not looked at: no getfattr"
  fi
)

# expect_unchanged TEXT DIRECTORY PICTURE: the tree looks as in the file PICTURE.
expect_unchanged() {
  snapshot "$2" > "$WORK/picture.now"
  expect_same_file "$1" "$WORK/picture.now" "$3"
}

# blocks_of FILE: allocated blocks of 512 bytes.
blocks_of() { stat -c %b -- "$1"; }

# digest_of FILE
digest_of() { b2sum < "$1"; }
