# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Sourced by scripts/bench after bench-lib.sh: what is measured without a copy.
: "${build:?}" "${tool:?}" "${mnt:?}" "${work:?}" "${files:?}" "${items:?}" "${repeat:?}"

bench_dispatch() {
  cmake --build "$build" --target bench_dispatch > /dev/null
  mpirun -n 3 "$build/bin/bench_dispatch" 1000000
  mpirun -n 3 "$build/bin/bench_dispatch" 1000000 queue
}

bench_manifest() {
  cmake --build "$build" --target bench_manifest > /dev/null
  mkdir "$work/manifest"
  "$build/bin/bench_manifest" "$work/manifest" "$items"
  rm -rf "$work/manifest"
}

bench_parts() {
  if ! cmake --build "$build" --target bench_parts > /dev/null 2>&1; then
    echo "skipped: Google Benchmark is not there (scripts/install-packages --bench, then configure anew)"
    return
  fi
  "$build/bin/bench_parts"
}

# scan_tree DIRECTORY: two thirds of the files in small directories, one third in a single one.
scan_tree() {
  local i directory=''
  mkdir "$1" "$1/large"
  for ((i = 0; i < files * 4; ++i)); do
    if ((i % 100 == 0)); then
      directory=$1/$((i / 5000))/$((i / 100))
      mkdir -p "$directory"
    fi
    : > "$directory/file.$i"
  done
  for ((i = 0; i < files * 2; ++i)); do : > "$1/large/file.$i"; done
}

# scan_seconds RANKS OPTION...: prints the seconds that the scan itself says it took, without what the launcher takes.
scan_seconds() {
  local ranks=$1
  shift
  rm -f "$work/job.h5"
  mpirun -n "$ranks" "$tool" scan -q --progress 0 "$@" "$mnt/tree" -o "$work/job.h5" | sed -n 's/^Seconds: *//p'
}

bench_scan() {
  local i begin find states one two
  start_lustre
  scan_tree "$mnt/tree"
  scan_seconds 2 > /dev/null # all files have their FIDs now, and are in the caches
  for ((i = 0; i < repeat; ++i)); do
    settle
    begin=$(now)
    find "$mnt/tree" -type f -printf '%p\t%s\t%b\t%U\t%G\t%T@\t%n\n' > "$work/found"
    find=$(awk -v ns=$(($(now) - begin)) 'BEGIN { print ns / 1e9 }')
    # What find cannot tell, as it is asked today.
    begin=$(now)
    find "$mnt/tree/large" -type f -print0 | xargs -0 -n 500 lfs hsm_state > "$work/found"
    states=$(awk -v ns=$(($(now) - begin)) 'BEGIN { print ns / 1e9 * 3 }')
    one=$(scan_seconds 1 --threads 1)
    two=$(scan_seconds 2 --threads 2)
    printf '%d files: find -printf %.2f s, lfs hsm_state %.2f s, scan by one thread %.2f s, by two ranks %.2f s\n' \
      $((files * 6)) "$find" "$states" "$one" "$two"
    printf '  two ranks: %s times find -printf (no FID, state, stripes), %s times lfs hsm_state, %s times one thread\n' \
      "$(ratio "$find" "$two")" "$(ratio "$states" "$two")" "$(ratio "$one" "$two")"
  done
  stop_lustre
}
