#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Write a manifest and read it with HDF5's own tools, h5py and pandas. Exit 77 (skipped) where the latter are not installed.
# Usage: python_reads_manifest.sh WRITE_SAMPLE_MANIFEST
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python=''
for candidate in python3 /usr/bin/python3; do  # Debian's has them also where another one is first in the PATH
  if "$candidate" -c 'import h5py, pandas' 2> /dev/null; then
    python=$candidate
    break
  fi
done
[ -n "$python" ] || {
  echo "skipped: python3-h5py or python3-pandas is not installed"
  exit 77
}
"$1" "$dir/job.h5"
"$python" "$here/python_reads_manifest.py" "$dir/job.h5"
if command -v h5ls > /dev/null; then
  h5ls -r "$dir/job.h5" | grep '^/items/path_bytes  *Dataset' > /dev/null
  h5dump -d /items/result -c 2 "$dir/job.h5" | grep 'failed, done' > /dev/null
fi
