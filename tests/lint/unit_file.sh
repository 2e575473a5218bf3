#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Install into a directory, and let systemd judge the unit file as it came to lie there, with its settings. Exit 77 without systemd.
# Usage: unit_file.sh CMAKE BUILD-DIRECTORY
set -euo pipefail
cmake=${1:?cmake} build=${2:?the build directory}
command -v systemd-analyze > /dev/null || {
  echo "systemd-analyze is not installed"
  exit 77
}
work=$(mktemp -d /tmp/lhsm-unit.XXXXXX)
trap 'rm -rf "$work"' EXIT
DESTDIR=$work "$cmake" --install "$build" --prefix /usr --component tool > "$work/log" || { cat "$work/log"; exit 1; }
unit=$(find "$work" -name 'lhsmtool_mpi@.service')
[ -n "$unit" ] || { echo "no unit file was installed"; exit 1; }
settings=$(find "$work" -path '*/sysconfig/lhsmtool_mpi')
[ -n "$settings" ] || { echo "no settings were installed"; exit 1; }

# The program lies below the directory here, and an instance needs its settings.
mkdir "$work/units"
program=$(find "$work" -path '*/bin/lhsmtool_mpi')
sed -e "s|^ExecStart=[^ ]*|ExecStart=$program|" "$unit" > "$work/units/lhsmtool_mpi@.service"
ln -s "lhsmtool_mpi@.service" "$work/units/lhsmtool_mpi@lustre.service"
code=0
said=$(systemd-analyze verify --man=no "$work/units/lhsmtool_mpi@lustre.service" 2>&1) || code=$?
# What other units of the machine are like is not our matter.
if ours=$(grep -F lhsmtool_mpi <<< "$said"); then
  echo "$ours"
  exit 1
fi
[ "$code" -eq 0 ] || [ -n "$said" ] || { echo "systemd-analyze failed: $code"; exit 1; }

# Each variable that the unit names is set, and each that is set is named.
named=$(grep '^ExecStart' "$unit" | grep -oE '\$\{?[A-Z]+' | tr -dc 'A-Z\n' | sort -u)
set_there=$(sed -n 's/^\([A-Z]*\)=.*/\1/p' "$settings" | sort -u)
[ "$named" = "$set_there" ] || {
  printf 'the unit names: %s\nthe settings are: %s\n' "$named" "$set_there"
  exit 1
}
# And the options that stand there are options of the program.
help=$("$program" serve --help)
for option in $(sed -n 's/^OPTIONS=//p' "$settings" | tr ' ' '\n' | grep '^-'); do
  grep -q -e "$option\b" <<< "$help" || { echo "$option is no option of serve"; exit 1; }
done
