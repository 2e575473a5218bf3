#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# All of it as an ordinary user: emulator, copytool, requests. On a real Lustre that is for root alone.
if [ "$(id -u)" -eq 0 ] && [ -z "${LHSM_TEST_MOUNT:-}" ]; then
  # Nobody may be kept from the build tree by a directory above it.
  user=(setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/tmp)
  top=$(cd "$(dirname "$0")/../.." && pwd)
  if ! "${user[@]}" test -x "${LHSM_BUILD_DIR:-$top/build}/bin/lhsmtool_mpi" -a -r "$0"; then
    echo "1..0 # SKIP the build tree is not readable for an ordinary user"
    exit 77
  fi
  exec "${user[@]}" "$0" "$@"
fi
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
begin "an ordinary user"

make_odd_tree "$DIR/tree"
make_file "$DIR/tree/large" 5000001
list_files "$DIR/tree" > "$WORK/list"
snapshot "$DIR/tree" > "$WORK/picture"
start_copytool 2
archive_all "$WORK/list"
wait_states "$WORK/list" 0x9
release_all "$WORK/list"
wait_states "$WORK/list" 0xd
expect_equal "released files own no blocks" "$(blocks_of "$DIR/tree/large")" 0
restore_all "$WORK/list"
wait_states "$WORK/list" 0x9
expect_unchanged "the tree is what it was" "$DIR/tree" "$WORK/picture"
stop_copytool USR1
expect_code 0
expect_clean_archive
finish
