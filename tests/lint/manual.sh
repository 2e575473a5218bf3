#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Hold a program's manual page against its --help: each command, and each option of it, is in both. With COMMANDs
# (one word: they are separated by blanks) the page is about those only; with "-" about the program, whose own options it has
# and whose commands it names with their pages; with "+" about neither, and only what it names must be there.
# Usage: manual.sh PROGRAM PAGE.scd [COMMANDS|-|+]
set -euo pipefail
program=${1:?the program} page=${2:?the page} only=${3:-} breaches=0

breach() {
  echo "$page: $*"
  breaches=$((breaches + 1))
}

# What a page may name of programs that start this one.
launchers='--map-by --mpi --ntasks-per-node'

# options_of COMMAND...: what the help of these has; '' is the program.
options_of() {
  local command
  for command in "$@"; do
    # shellcheck disable=SC2086 # none, or one
    "$program" $command --help
  done | grep -oE '(^|[ ,])--[a-z][a-z-]*' | tr -d ' ,' | sort -u | grep -vx -e --help -e --help-all -e --version || true
}

commands=$("$program" --help | sed -n '/^Subcommands:/,$s/^  \([a-z-]*\) .*/\1/p')
[ -n "$commands" ] || breach "no commands in --help"
# shellcheck disable=SC2086 # words
known=$(options_of '' $commands)
if [ "$only" = - ] || [ "$only" = + ]; then
  helped=
  [ "$only" = + ] || helped=$(options_of '')
elif [ -n "$only" ]; then
  for command in $only; do grep -qx -e "$command" <<< "$commands" || breach "no command $command in --help"; done
  commands=$only
  # shellcheck disable=SC2086 # words
  helped=$(options_of $only)
  known=$helped
else
  helped=$known
fi
if [ "$only" != + ]; then
  for command in $commands; do
    grep -q -e "[ ]\*\?$command\*" "$page" || breach "no command $command"
  done
fi
if [ "$only" = - ]; then
  while read -r named; do
    [ -e "$(dirname "$page")/$named.scd" ] || breach "no page $named"
  done < <(sed -n 's/^.*: \(lhsm[a-z_-]*\)(\([0-9]\))$/\1.\2/p' "$page")
fi
for option in $helped; do
  grep -q -e "$option" "$page" || breach "$option is not in the page"
done
while read -r option; do
  grep -qx -e "$option" <<< "$known" || [[ " $launchers --help --help-all --version " == *" $option "* ]] || breach "$option is not in --help"
done < <(grep -oE -e '--[a-z][a-z-]*' "$page" | sort -u)
[ $breaches -eq 0 ]
