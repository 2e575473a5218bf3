# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The file system under test: starting it, its coordinator, requests, states and records.

MNT=     # mount point
DIR=     # fresh directory in it, all files of the test are below
ARCHIVE= # root of the archive
ARCHIVE_ID=${LHSM_TEST_ARCHIVE_ID:-1}
LFS_BATCH=50 # files in one call of lfs

set_up_lustre() {
  # The emulator takes its owner for what root is to the kernel.
  [ "$(id -u)" -eq 0 ] || ! is_real_lustre || skip_all "only root may be a copytool"
  if is_real_lustre; then use_mounted_lustre; else start_emulator "$@"; fi
  DIR=$(mktemp -d "$MNT/lhsm-e2e.XXXXXX")
  at_end rm -rf -- "$DIR"
  chmod 755 "$DIR"
  if [ -n "${LHSM_TEST_ARCHIVE:-}" ]; then
    ARCHIVE=$(mktemp -d "$LHSM_TEST_ARCHIVE/lhsm-e2e.XXXXXX")
    at_end rm -rf -- "$ARCHIVE"
  else
    ARCHIVE=$WORK/archive
    mkdir "$ARCHIVE"
  fi
}

# Seconds of the emulated coordinator pass so many times faster; its defaults are Lustre's.
E2E_TIME_SCALE=20

start_emulator() {
  local emulator=$E2E_BUILD/bin/lhsm_emulator environment
  [ -x "$emulator" ] || skip_all "no emulator in $E2E_BUILD and no LHSM_TEST_MOUNT"
  mkdir "$WORK/lustre"
  at_end "$emulator" stop "$WORK/lustre"
  "$emulator" start "$WORK/lustre" --time-scale $E2E_TIME_SCALE --max-requests 1000 "$@" > "$WORK/emulator.out"
  environment=$("$emulator" env "$WORK/lustre")
  eval "$environment"
  MNT=$WORK/lustre
}

use_mounted_lustre() {
  MNT=${LHSM_TEST_MOUNT%/}
  command -v lfs > /dev/null || skip_all "no lfs in PATH"
  [ "$(stat -f -c %T "$MNT" 2> /dev/null)" = lustre ] || skip_all "$MNT is no mounted Lustre"
  if ! knows_records; then
    note "no MDT on this node: lctl shows no hsm parameters, so records are not looked at"
    return
  fi
  if lctl get_param -n 'mdt.*.hsm.agents' | grep -E "archive_id=(ANY|([0-9]+,)*$ARCHIVE_ID(,|[[:space:]]))" > /dev/null; then
    # Two copytools would share our requests.
    skip_all "archive id $ARCHIVE_ID has a copytool already; set LHSM_TEST_ARCHIVE_ID"
  fi
  set_tunable mdt.*.hsm_control enabled
  set_tunable mdt.*.hsm.max_requests 100
  set_tunable mdt.*.hsm.loop_period 1
}

# knows_records: lctl can look into the coordinators from here.
knows_records() { lctl get_param -n 'mdt.*.hsm.actions' > /dev/null 2>&1; }

# set_tunable PATTERN VALUE: set it on each MDT, and put every old value back at the end.
set_tunable() {
  local line name value
  while IFS= read -r line; do
    name=${line%%=*}
    value=${line#*=}
    [ "$value" != "$2" ] || continue
    case $value in
      stopped) value=shutdown ;; # what hsm_control shows is not what it takes
    esac
    at_end put_tunable "$name=$value"
  done < <(lctl get_param "$1")
  lctl set_param "$1=$2" > /dev/null
}

put_tunable() { lctl set_param "$1" > /dev/null; }

coordinator() { lctl set_param "mdt.*.hsm_control=$1" > /dev/null; }

# coordinator_is STATE: on every MDT.
coordinator_is() { ! lctl get_param -n 'mdt.*.hsm_control' | grep -Fxv "$1" > /dev/null; }

# no_request_has LIST TEXT...: none in the coordinators' list (actions, active_requests) has one of the texts.
no_request_has() {
  local list
  list=$(lctl get_param -n "mdt.*.hsm.$1") && ! grep -Fq "$(printf '%s\n' "${@:2}")" <<< "$list"
}

# Requests: for the files given, or with _all for those of a NUL-separated list. A call of lfs takes a
# request's worth of them.

in_batches() { xargs -0 -r -n $LFS_BATCH lfs "$@"; }

archive() { printf '%s\0' "$@" | in_batches hsm_archive --archive "$ARCHIVE_ID"; }
release() { printf '%s\0' "$@" | in_batches hsm_release; }
restore() { printf '%s\0' "$@" | in_batches hsm_restore; }
remove() { printf '%s\0' "$@" | in_batches hsm_remove; }
cancel() { printf '%s\0' "$@" | in_batches hsm_cancel; }

archive_all() { in_batches hsm_archive --archive "$ARCHIVE_ID" < "$1"; }
release_all() { in_batches hsm_release < "$1"; }
restore_all() { in_batches hsm_restore < "$1"; }

# States.

fid_of() { lfs path2fid "$1"; }

# state_of FILE: its flags, as 0x9.
state_of() {
  local line
  line=$(lfs hsm_state "$1") || return
  line=${line##*: (}
  printf '0x%x\n' "${line%%)*}"
}

has_state() { [ "$(state_of "$1")" = "$2" ]; }

# count_in_state MASK: how many of the files on stdin (NUL-separated) have these flags.
count_in_state() {
  local wanted
  printf -v wanted '0x%08x' "$1"
  # A name may hold line ends; only its last line is followed by the flags.
  xargs -0 -r -n 200 lfs hsm_state | grep -Ec -e ": \\($wanted\\)( [a-z_ ]+(, archive_id:[0-9]+)?|, archive_id:[0-9]+)?\$" ||
    true
}

# all_in_state MASK LIST: all files of the NUL-separated list have these flags.
all_in_state() { [ "$(count_in_state "$1" < "$2")" -eq "$(tr -cd '\0' < "$2" | wc -c)" ]; }

# wait_state FILE MASK [SECONDS]
wait_state() {
  local text
  text="state of $(basename -- "$1") becomes $2"
  if comes_true "${3:-30}" has_state "$1" "$2"; then
    pass "$text"
  else
    fail "$text" "it is $(state_of "$1") after $(seconds "${3:-30}") s" "$(lfs hsm_action "$1" 2>&1)"
    copytool_diagnostics
  fi
}

# wait_states LIST MASK [SECONDS]
wait_states() {
  local count
  count=$(tr -cd '\0' < "$1" | wc -c)
  if comes_true "${3:-60}" all_in_state "$2" "$1"; then
    pass "state of all $count files becomes $2"
  else
    fail "state of all $count files becomes $2" "only $(count_in_state "$2" < "$1") after $(seconds "${3:-60}") s"
    copytool_diagnostics
  fi
}

expect_state() { expect_equal "state of $(basename -- "$1") is $2" "$(state_of "$1")" "$2"; }

# expect_archive_failed_state FILE: of a file whose first archive failed. Newer Lustre sets DIRTY, too.
expect_archive_failed_state() {
  local state
  state=$(state_of "$1")
  if [ "$state" = 0x1 ] || [ "$state" = 0x3 ]; then
    pass "state of $(basename -- "$1") is $state"
  else
    fail "state of $(basename -- "$1") is 0x1 or 0x3" "got: $state"
  fi
}

# Records of the coordinator.

# last_record FID ACTION: status of the newest record, as SUCCEED, or nothing.
last_record() {
  lctl get_param -n 'mdt.*.hsm.actions' | awk -v fid="fid=$1" -v action="action=$2" '
    { found = 0; wanted = 0; status = "" }
    { for (i = 1; i <= NF; i++) {
        if ($i == fid) found = 1
        if ($i == action) wanted = 1
        if (index($i, "status=") == 1) status = substr($i, 8) } }
    found && wanted { last = status }
    END { print last }'
}

has_record() { [ "$(last_record "$1" "$2")" = "$3" ]; }

# wait_record FID ACTION STATUS [SECONDS]
wait_record() {
  local text="record of $2 $1 becomes $3"
  if ! knows_records; then
    unable "$text" "lctl shows no records here"
  elif comes_true "${4:-30}" has_record "$1" "$2" "$3"; then
    pass "$text"
  else
    fail "$text" "it is '$(last_record "$1" "$2")' after $(seconds "${4:-30}") s"
    copytool_diagnostics
  fi
}

# no_record_open: no request is waiting or running.
no_record_open() { [ "$(lctl get_param -n 'mdt.*.hsm.actions' | grep -Ec 'status=(WAITING|STARTED)')" -eq 0 ]; }

# moved_bytes FILE: what `lfs hsm_action` says was moved so far, or nothing.
moved_bytes() { lfs hsm_action "$1" | sed -n 's/.*(\([0-9]*\) bytes moved).*/\1/p' | tail -n 1; }

mdt_count() { lctl get_param -N 'mdt.*.hsm_control' 2> /dev/null | wc -l; }
