#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Hold a program's manual page against its --help: each command, and each option of it, is in both. With COMMANDs
# (one word: they are separated by blanks) the page is about those only.
# Usage: manual.sh PROGRAM PAGE.scd [COMMANDS]
set -euo pipefail
program=${1:?the program} page=${2:?the page} only=${3:-} breaches=0

breach() {
  echo "$page: $*"
  breaches=$((breaches + 1))
}

commands=$("$program" --help | sed -n '/^Subcommands:/,$s/^  \([a-z-]*\) .*/\1/p')
[ -n "$commands" ] || breach "no commands in --help"
if [ -n "$only" ]; then
  for command in $only; do grep -qx -e "$command" <<< "$commands" || breach "no command $command in --help"; done
  commands=$only
fi
helped=$(for command in ${only:-'' $commands}; do
  # shellcheck disable=SC2086 # none, or one
  "$program" $command --help
done | grep -oE '(^|[ ,])--[a-z][a-z-]*' | tr -d ' ,' | sort -u | grep -vx -e --help -e --help-all -e --version || true)
for command in $commands; do
  grep -q -e " $command\*" "$page" || breach "no command $command"
done
for option in $helped; do
  grep -q -e "$option" "$page" || breach "$option is not in the page"
done
while read -r option; do
  grep -qx -e "$option" <<< "$helped" || breach "$option is not in --help"
done < <(grep -oE -e '--[a-z][a-z-]*' "$page" | sort -u)
[ $breaches -eq 0 ]
