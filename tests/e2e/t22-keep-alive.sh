#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Requests that wait in the copytool's queue for longer than the coordinator's active_request_timeout are not
# cancelled by it; those that a user cancels are ended while they wait.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

! is_real_lustre || skip_all "sets active_request_timeout to seconds"
# Three seconds of ours; what is copied first takes longer.
begin "keep-alive" --active-request-timeout $((3 * 20))

make_big_file "$DIR/big" $((1600 * 1048576))
for ((i = 0; i < 20; ++i)); do make_big_file "$DIR/small$i" 100000; done

start_copytool 0 --slots 1 --stripe-threshold 100G --chunk-size 4K --update-interval 0.5 --keep-alive 1
archive "$DIR/big"
is_underway() { lfs hsm_action "$DIR/big" | grep "ARCHIVE running" > /dev/null; }
expect_soon "the first one runs" 30 is_underway
begun=$SECONDS
archive "$DIR"/small*
cancelled=$(fid_of "$DIR/small19")
is_started() { lfs hsm_action "$DIR/small19" | grep "ARCHIVE running" > /dev/null; }
expect_soon "the others are in the copytool's queue" 30 is_started
cancel "$DIR/small19"
is_over() { no_request_has active_requests "$cancelled"; }
wait_record "$cancelled" ARCHIVE CANCELED 5
expect_soon "the cancelled one is over while the slot is busy" 2 is_over
expect "the first one still runs" is_underway
wait_state "$DIR/big" 0x9 180
note "the others waited for $((SECONDS - begun)) s"
for ((i = 0; i < 19; ++i)); do wait_state "$DIR/small$i" 0x9 30; done
expect_state "$DIR/small19" 0x1
stop_copytool USR1
expect_code 0
expect_line "summary counts what was cancelled" '^Cancelled: +1$' "$COPYTOOL_OUT"
finish
