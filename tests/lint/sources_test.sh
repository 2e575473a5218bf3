#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Does sources.sh find what it is there for, and nothing else?
# Usage: sources_test.sh
set -euo pipefail
lint=$(cd "$(dirname "$0")" && pwd)/sources.sh
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
spdx='// SPDX-License-Identifier: LGPL-2.1-or-later'
failed=0

put() { # file line…
  mkdir -p "$(dirname "$top/$1")"
  printf '%s\n' "${@:2}" >"$top/$1"
}
expect() { # breach or nothing, then what to put
  local wanted=$1 output code=0
  shift
  rm -rf "${top:?}"/*
  put "$@"
  output=$("$lint" "$top") || code=$?
  if [[ -z $wanted ]]; then
    ((code == 0)) || { echo "a breach where there is none: $* -> $output"; failed=1; }
  elif ((code != 1)) || [[ $output != *"$wanted"* ]]; then
    echo "no breach '$wanted': $* -> $code $output"
    failed=1
  fi
}

expect '' src/run/a.cpp "$spdx" '#include "lhsmtool_mpi/plan/scheduler.hpp"' '#include <vector>'
expect '' src/plan/a.cpp "$spdx" '#include "lhsmtool_mpi/base/error.hpp"'
expect 'part plan may not include comm' src/plan/a.cpp "$spdx" '#include "lhsmtool_mpi/comm/message.hpp"'
expect 'part base may not include copy' include/lhsmtool_mpi/base/a.hpp "$spdx" '# include "lhsmtool_mpi/copy/engine.hpp"'
expect 'part lustre may not include archive' src/lustre/a.cpp "$spdx" '#include "lhsmtool_mpi/archive/backend.hpp"'
expect 'part run may not include report' src/run/a.cpp "$spdx" '#include "lhsmtool_mpi/report/progress.hpp"'
expect 'part emulator may not include lustre' src/emulator/core/a.cpp "$spdx" '#include "lhsmtool_mpi/lustre/client.hpp"'
expect '' src/emulator/core/a.cpp "$spdx" '#include "lhsmtool_mpi/lustre/abi.hpp"'
expect 'part novel is unknown' src/novel/a.cpp "$spdx" '#include <vector>'
expect 'leaves its directory' src/run/a.cpp "$spdx" '#include "../plan/private.hpp"'
expect '<mpi.h> is confined' src/run/a.cpp "$spdx" '#include <mpi.h>'
expect '' src/comm/mpi_channel.cpp "$spdx" '#include <mpi.h>'
expect '<CLI/CLI.hpp> is confined' src/cli/serve.cpp "$spdx" '#include <CLI/CLI.hpp>'
expect 'is confined' src/run/a.cpp "$spdx" '#include <boost/archive/binary_iarchive.hpp>'
expect '' src/cli/a.cpp "$spdx" '#include <boost/version.hpp>'
expect '<xxhash.h> is confined' src/base/a.cpp "$spdx" '#include <xxhash.h>'
expect '<hdf5.h> is confined' src/store/replay.cpp "$spdx" '#include <hdf5.h>'
expect '' src/store/hdf5_columns.cpp "$spdx" '#include <hdf5.h>'
expect 'part store may not include copy' src/store/a.cpp "$spdx" '#include "lhsmtool_mpi/copy/digest.hpp"'
expect 'no SPDX line' src/run/a.cpp '#include <vector>'
expect 'no SPDX line' scripts/tool '#!/bin/sh' 'echo'
expect '' scripts/tool '#!/bin/sh' '# SPDX-License-Identifier: LGPL-2.1-or-later'
expect '' README.md 'text'
mapfile -t many < <(seq 351)
expect 'longer than' src/run/a.cpp "$spdx" "${many[@]}"
expect 'a path of one machine' README.md 'see /hom''e/me/x'
expect 'a path of one machine' src/run/a.cpp "$spdx" '// "/wor''k/main"'
expect 'grep -q at the end' tests/e2e/a.sh '# SPDX-License-Identifier: LGPL-2.1-or-later' 'lctl | grep -E''q x'
expect '' tests/e2e/a.sh '# SPDX-License-Identifier: LGPL-2.1-or-later' 'grep -q x file || lctl | grep x > /dev/null'
expect '' README.md 'see <prefix>/hom''e-made and framework/worker'
((failed == 0))
