# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Sourced by scripts/bench, which sets these: what is measured, and how.
: "${build:?}" "${parent:?}" "${size:?}" "${rate:?}" "${files:?}" "${items:?}" "${repeat:?}"

emulator=$build/bin/lhsm_emulator
tool=$build/bin/lhsmtool_mpi
work=$(mktemp -d "$parent/lhsm-bench.XXXXXX")
mnt=$work/lustre
archive=$work/archive
filler=$(mktemp -d "${TMPDIR:-/var/tmp}/lhsm-bench-filler.XXXXXX") # of no tmpfs, whose holes take no memory
copytool=''

clean_up() {
  local code=$?
  trap - EXIT
  stop_copytool
  [ ! -d "$mnt" ] || "$emulator" stop "$mnt" 2> /dev/null || true
  rm -rf "$work" "$filler"
  exit $code
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# The coordinator's clock is so fast that its seconds are not what is measured.
start_lustre() {
  local environment
  rm -rf "$mnt" "$archive"
  mkdir "$archive"
  "$emulator" start "$mnt" --max-requests 1000000 --loop-period 1 --time-scale 1000 \
    --active-request-timeout 100000000 --ost-count 16
  environment=$("$emulator" env "$mnt")
  eval "$environment"
}

stop_lustre() {
  "$emulator" stop "$mnt"
  rm -rf "$mnt" "$archive"
}

now() { date +%s%N; }

# median VALUE...: of integers.
median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

# mean VALUE...: of integers.
mean() { printf '%s\n' "$@" | awk '{ sum += $1 } END { printf "%.0f", sum / NR }'; }

# ratio A B: A/B with two decimals.
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

seconds() { awk -v ns="$1" 'BEGIN { printf "%.2f s", ns / 1e9 }'; }

# The file system must be at rest before a measurement begins.
# settle [FILE...]: nothing is left to be written, free memory is full of clean pages of a sparse file, and FILEs are
# in memory too. What is measured next so takes memory that the machine has already; a virtual one may otherwise
# first ask its host for each new page, which makes cp itself take 3 s or 12 s for the same bytes.
settle() {
  sync -f "$work"
  [ -e "$filler/pages" ] || truncate -s "$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)K" "$filler/pages"
  cat "$filler/pages" "$@" > /dev/null
}

# start_copytool RANKS OPTION...: returns when it is registered.
start_copytool() {
  local ranks=$1
  shift
  "${launch[@]}" mpirun -n "$ranks" "$tool" serve -q -p "$archive" --progress 0 "$@" "$mnt" < /dev/null \
    > "$work/copytool.out" 2> "$work/copytool.log" &
  copytool=$!
  wait_until registered
}
launch=()
registered() { lctl get_param -n 'mdt.*.hsm.agents' | grep uuid > /dev/null; }

# It has a thread and some descriptors for each action that it was sent: with more at once it runs out of
# descriptors, fails most of them and leaves some open for ever.
start_posix() {
  lctl set_param 'mdt.*.hsm.max_requests=100' > /dev/null
  "$posix" --archive-format=v1 --hsm-root="$archive" --daemon --pid-file="$work/pid" --no-shadow --quiet "$mnt" \
    < /dev/null > "$work/copytool.log" 2>&1
  copytool=$(cat "$work/pid")
  wait_until registered
}

stop_copytool() {
  [ -n "$copytool" ] || return 0
  kill -s "${1:-USR1}" "$copytool" 2> /dev/null || true
  wait_until gone
  wait "$copytool" 2> /dev/null || true
  copytool=''
}
gone() { ! kill -0 "$copytool" 2> /dev/null; }

# Nothing tells a script what a coordinator did, so it is asked again and again. Not too often: to ask costs
# CPU that is measured.
wait_until() {
  until "$@"; do sleep 0.05; done
}

# open_requests: how many are waiting or running.
open_requests() {
  "$emulator" status --json "$mnt" | grep -oE '"(waiting|started)":[0-9]+' | awk -F: '{ n += $2 } END { print n }'
}
all_ended() { [ "$(open_requests)" -eq 0 ]; }

# timed_requests LFS-COMMAND LIST [FILE...]: nanoseconds from the moment at which all requests of a NUL-separated list
# may be sent to the end of the last one; FILEs are in memory then.
timed_requests() {
  local begin
  lctl set_param 'mdt.*.hsm_control=disabled' > /dev/null
  xargs -0 -n 50 lfs "$1" < "$2"
  settle "${@:3}"
  begin=$(now)
  lctl set_param 'mdt.*.hsm_control=enabled' > /dev/null
  wait_until all_ended
  echo $(($(now) - begin))
}

# cpu_ticks PID...: user and system time of processes and what they waited for.
cpu_ticks() {
  local pid ticks=0
  for pid; do ticks=$((ticks + $(sed 's/.*) //' "/proc/$pid/stat" | awk '{ print $12 + $13 + $14 + $15 }'))); done
  echo $ticks
}

# The processes that do the work, and the one that stands for the servers.
ranks_of() { pgrep -f "^$tool serve.* $mnt\$" || pgrep -f "^$posix .* $mnt\$" || true; }
daemon_of() { pgrep -f "^$emulator start $mnt( |\$)"; }

# microseconds_each TICKS COUNT
microseconds_each() { awk -v d="$1" -v n="$2" -v hz="$(getconf CLK_TCK)" 'BEGIN { print d / hz / n * 1e6 }'; }

big_file() {
  local i
  head -c 16777216 /dev/urandom > "$work/block"
  for ((i = 0; i < size / 16; ++i)); do cat "$work/block"; done > "$1"
}

# in_parts N: nanoseconds that N processes take to copy a part each of the large file, which is how far the file
# system itself scales.
in_parts() {
  local n=$1 part begin bytes=$((size << 20)) pids=()
  settle "$mnt/big"
  begin=$(now)
  for ((part = 0; part < n; ++part)); do
    dd if="$mnt/big" of="$work/copy" bs=4M iflag=skip_bytes,count_bytes oflag=seek_bytes conv=notrunc status=none \
      skip=$((bytes * part / n)) seek=$((bytes * part / n)) count=$((bytes / n)) &
    pids+=($!)
  done
  wait "${pids[@]}"
  sync "$work/copy"
  echo $(($(now) - begin))
  rm "$work/copy"
}

copy_line() { printf '%-22s %10s %10s %10s\n' "$1" "$(seconds "$2")" "$(seconds "$3")" "$(ratio "$2" "$3")"; }

bench_copy() {
  local ranks i begin cp=() parts=() to=() from=()
  start_lustre
  big_file "$mnt/big"
  printf '%s\0' "$mnt/big" > "$work/list"
  printf '%-22s %10s %10s %10s\n' "$size MiB, $repeat times" "time" "cp" "ratio"
  for ranks in 1 2 4; do
    cp=() parts=() to=() from=()
    for ((i = 0; i < repeat; ++i)); do
      settle "$mnt/big"
      begin=$(now)
      cp "$mnt/big" "$work/copy" && sync "$work/copy"
      cp+=($(($(now) - begin)))
      rm "$work/copy"
      parts+=("$(in_parts $ranks)")
      if [ ${#to[@]} -gt 0 ] || [ $ranks -gt 1 ]; then lfs hsm_set --dirty "$mnt/big"; fi
      start_copytool $ranks --stripe-threshold 64M
      to+=("$(timed_requests hsm_archive "$work/list" "$mnt/big")")
      lfs hsm_release "$mnt/big"
      from+=("$(timed_requests hsm_restore "$work/list" "$(find "$archive" -type f -size "${size}M")")")
      stop_copytool
    done
    copy_line "dd by $ranks" "$(median "${parts[@]}")" "$(median "${cp[@]}")"
    copy_line "archive, $ranks ranks" "$(median "${to[@]}")" "$(median "${cp[@]}")"
    copy_line "restore, $ranks ranks" "$(median "${from[@]}")" "$(median "${cp[@]}")"
  done
  stop_lustre
}

small_files() {
  local i
  for ((i = 0; i < files; ++i)); do
    ((i % 1000)) || mkdir "$1/$((i / 1000))"
    printf '%4096d' "$i" > "$1/$((i / 1000))/$i"
  done
  find "$1" -type f -print0 > "$work/list"
}

# small_line NAME NANOSECONDS TICKS [TICKS-OF-THE-EMULATOR]
small_line() {
  printf '%-24s %8.0f files/s %6.0f us CPU a file' "$1" "$(awk -v n="$files" -v t="$2" 'BEGIN { print n / t * 1e9 }')" \
    "$(microseconds_each "$3" "$files")"
  [ $# -lt 4 ] || printf ', %.0f us of the emulator' "$(microseconds_each "$4" "$files")"
  echo
}

# failures: actions that the copytool of now ended with an error.
failures() { "$emulator" status --json "$mnt" | grep -oE '"errors":[0-9]+' | awk -F: '{ n += $2 } END { print n + 0 }'; }

# small_restore NAME: restores all small files and prints a line.
small_restore() {
  local before served took
  xargs -0 -n 50 lfs hsm_release < "$work/list"
  # shellcheck disable=SC2046 # one word for each process
  before=$(cpu_ticks $(ranks_of))
  served=$(cpu_ticks "$(daemon_of)")
  took=$(timed_requests hsm_restore "$work/list")
  [ "$(failures)" -eq 0 ] || echo "failed, so that the next line says nothing: $(failures)"
  # shellcheck disable=SC2046
  small_line "$1" "$took" $(($(cpu_ticks $(ranks_of)) - before)) $(($(cpu_ticks "$(daemon_of)") - served))
}

# copied_tree: nanoseconds and CPU ticks of cp -r of the archive, and of the sync after it.
copied_tree() {
  local begin ticks
  begin=$(now)
  ticks=$(
    cp -r "$archive" "$work/copy"
    sync -f "$work/copy"
    me=$BASHPID  # not that of a part of the pipe
    sed 's/.*) //' "/proc/$me/stat" | awk '{ print $14 + $15 }'  # of children that were waited for
  )
  echo $(($(now) - begin)) "$ticks"
}

bench_small() {
  local i slots
  start_lustre
  mkdir "$mnt/tree"
  small_files "$mnt/tree"
  start_copytool 2
  timed_requests hsm_archive "$work/list" > /dev/null
  stop_copytool
  for ((i = 0; i < repeat; ++i)); do
    settle
    # shellcheck disable=SC2046 # two words
    small_line "cp -r" $(copied_tree)
    rm -rf "$work/copy"
    for slots in 4 16; do
      start_copytool 2 --slots $slots
      small_restore "2 ranks, $slots slots each"
      stop_copytool
    done
    [ -n "$posix" ] || continue
    start_posix
    small_restore "lhsmtool_posix"
    stop_copytool TERM
    lctl set_param 'mdt.*.hsm.max_requests=1000000' > /dev/null
  done
  [ -n "$posix" ] || echo "lhsmtool_posix: skipped, not given"
  stop_lustre
}

bench_striping() {
  local ranks took one=0
  start_lustre
  lfs setstripe -c 16 -S 1M "$mnt/big"
  big_file "$mnt/big"
  printf '%s\0' "$mnt/big" > "$work/list"
  start_copytool 4 --stripe-threshold 64M
  timed_requests hsm_archive "$work/list" > /dev/null
  stop_copytool
  launch=("$emulator" exec "$mnt" --)
  "$emulator" model "$mnt" client-bandwidth="${rate}M"
  for ranks in 1 2 4 8 16; do
    lfs hsm_release "$mnt/big"
    start_copytool $ranks --stripe-threshold 64M --slots 2
    took=$(timed_requests hsm_restore "$work/list")
    stop_copytool
    [ "$ranks" -gt 1 ] || one=$took
    printf '%-22s %10s, %4.0f %% of linear\n' "restore, $ranks ranks" "$(seconds "$took")" \
      "$(awk -v one="$one" -v took="$took" -v ranks="$ranks" 'BEGIN { print one / took / ranks * 100 }')"
  done
  launch=()
  stop_lustre
}

# What ranks idle is told by the sum of the work: the small files by themselves, which keep the machine's cores
# busy, and the large ones at the rate that the model gives each rank.
bench_mixed() {
  local i took small pid files=20000 size=$((size / 4)) bytes written=()
  start_lustre
  mkdir "$mnt/tree"
  small_files "$mnt/tree"
  mv "$work/list" "$work/small"
  for i in 0 1 2 3 4 5 6 7 8 9; do big_file "$mnt/tree/big$i"; done
  find "$mnt/tree" -type f -print0 | LC_ALL=C sort -z > "$work/list"
  bytes=$((10 * size * 1048576))
  start_copytool 4 --stripe-threshold 256M
  took=$(timed_requests hsm_archive "$work/list")
  stop_copytool
  printf '%-22s %10s\n' "archive, 4 ranks" "$(seconds "$took")"
  xargs -0 -n 50 lfs hsm_release < "$work/list"
  launch=("$emulator" exec "$mnt" --)
  "$emulator" model "$mnt" client-bandwidth="${rate}M"
  start_copytool 4 --stripe-threshold 256M
  small=$(timed_requests hsm_restore "$work/small")
  stop_copytool
  xargs -0 -n 50 lfs hsm_release < "$work/small"
  start_copytool 4 --stripe-threshold 256M
  took=$(timed_requests hsm_restore "$work/list")
  for pid in $(ranks_of); do written+=("$(awk '/^wchar/ { print $2 }' "/proc/$pid/io")"); done
  stop_copytool
  launch=()
  grep '^Idle:' "$work/copytool.out" || true
  printf '%-22s %10s, %.2f of the work (%s small files, %.2f s large ones at %d MiB/s a rank)\n' "restore, 4 ranks" \
    "$(seconds "$took")" "$(awk -v t="$took" -v s="$small" -v b="$bytes" -v r="$rate" \
      'BEGIN { print t / (s + b / 4 / r / 1048576 * 1e9) }')" \
    "$(seconds "$small")" "$(awk -v b="$bytes" -v r="$rate" 'BEGIN { print b / 4 / r / 1048576 }')" "$rate"
  printf 'bytes written by each rank, against their mean:'
  for i in "${written[@]}"; do printf ' %s' "$(ratio "$i" "$(mean "${written[@]}")")"; done
  echo
  stop_lustre
}
