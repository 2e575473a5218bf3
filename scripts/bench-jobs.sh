# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Sourced by scripts/bench after bench-lib.sh: jobs with an end.
: "${emulator:?}" "${tool:?}" "${mnt:?}" "${archive:?}" "${work:?}" "${files:?}" "${repeat:?}"

# archived_tree: small files, archived, their list in $work/list.
archived_tree() {
  mkdir "$mnt/tree"
  small_files "$mnt/tree"
  start_copytool 2
  timed_requests hsm_archive "$work/list" > /dev/null
  stop_copytool
}

# job_seconds: seconds of the run of a restore job, by its own summary, and its whole time.
job_seconds() {
  local begin
  begin=$(now)
  mpirun -n 2 "$tool" restore -q -p "$archive" --progress 0 "$work/job.h5" "$mnt" < /dev/null > "$work/job.out" 2> "$work/job.log" \
    || { cat "$work/job.out" "$work/job.log" >&2 && return 1; }
  sed -n 's/^Seconds: *//p' "$work/job.out"
  awk -v ns=$(($(now) - begin)) 'BEGIN { print ns / 1e9 }'
}

bench_job() {
  local i live job times=()
  start_lustre
  archived_tree
  for ((i = 0; i < repeat; ++i)); do
    xargs -0 -n 50 lfs hsm_release < "$work/list"
    start_copytool 2
    live=$(awk -v ns="$(timed_requests hsm_restore "$work/list")" 'BEGIN { print ns / 1e9 }')
    stop_copytool
    xargs -0 -n 50 lfs hsm_release < "$work/list"
    rm -f "$work"/job.h5*
    mpirun -n 2 "$tool" scan -q --progress 0 "$mnt/tree" -o "$work/job.h5" > /dev/null
    settle
    job=$(job_seconds)
    mapfile -t times <<< "$job"
    printf '%d files: live copytool %.2f s, restore job %.2f s (its whole process %.2f s): %s of the live rate\n' "$files" \
      "$live" "${times[0]}" "${times[1]}" "$(ratio "$live" "${times[0]}")"
  done
  stop_lustre
}

# waits N: restores N files by reading each in turn, prints median and 99th percentile of the milliseconds that took.
waits() {
  local i begin
  for ((i = 0; i < $1; ++i)); do
    begin=$(now)
    cat "$mnt/users/$i" > /dev/null
    echo $((($(now) - begin) / 1000))
  done | sort -n | awk '{ v[NR] = $1 } END { printf "%.1f %.1f", v[int((NR + 1) / 2)] / 1e3, v[int(NR * 0.99 + 0.5)] / 1e3 }'
}

# bench_latency: what a user waits who reads a released file, with and without a job; with a window of a
# hundred requests and of ten thousand, so that a wait that grew with the queue would be seen.
bench_latency() {
  local i window users=200 wait=()
  start_lustre
  archived_tree
  mkdir "$mnt/users"
  for ((i = 0; i < users; ++i)); do head -c 4096 /dev/zero > "$mnt/users/$i"; done
  find "$mnt/users" -type f -print0 > "$work/users"
  start_copytool 2
  timed_requests hsm_archive "$work/users" > /dev/null
  xargs -0 -n 50 lfs hsm_release < "$work/users"
  read -ra wait <<< "$(waits $users)"
  printf '%-32s median %8s ms, 99th percentile %8s ms\n' "no job" "${wait[@]}"
  stop_copytool
  for window in 100 10000; do
    xargs -0 -n 50 lfs hsm_release < "$work/users"
    xargs -0 -n 50 lfs hsm_release < "$work/list"
    rm -f "$work"/job.h5*
    mpirun -n 2 "$tool" scan -q --progress 0 "$mnt/tree" -o "$work/job.h5" > /dev/null
    mpirun -n 2 "$tool" restore -q -p "$archive" --progress 0 --max-inflight $window "$work/job.h5" "$mnt" < /dev/null \
      > "$work/job.out" 2> "$work/job.log" &
    copytool=$!
    wait_until job_has_begun
    read -ra wait <<< "$(waits $users)"
    if kill -0 $copytool 2> /dev/null; then
      printf '%-32s median %8s ms, 99th percentile %8s ms\n' "job, window of $window requests" "${wait[@]}"
    else
      echo "the job was over before the users were: more --files are needed"
    fi
    wait $copytool
    copytool=''
  done
  stop_lustre
}
job_has_begun() { [ "$("$emulator" status --json "$mnt" | grep -oE '"started":[0-9]+' | awk -F: '{ n += $2 } END { print n }')" -gt 0 ]; }
