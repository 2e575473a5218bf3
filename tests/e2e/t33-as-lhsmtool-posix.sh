#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# All that the real lhsmtool_posix is asked to do on the emulator, asked of the link that has its name.
here=$(dirname "$0")
build=${LHSM_BUILD_DIR:-$here/../../build}
LHSM_TEST_PROGRAM=$build/bin/lhsmtool_posix exec "$here/../conformance/lhsmtool-posix.sh"
