#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The completion script in a real bash: words of commands and options, files and directories where those are due.
# Usage: bash.sh SCRIPT PROGRAM
set -uo pipefail
script=$(realpath "${1:?the script}") program=$(realpath "${2:?the program}") failures=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir dir 'a dir'
touch job.h5 'a file' dir/inner.h5

# completions of WORD...: what is offered for the last word, a line each.
completions() {
  # The words as readline breaks them: at '=', too.
  bash --norc --noprofile -c '
    . "$1"
    shift
    COMP_WORDS=()
    for word in "$@"; do
      if [[ $word == --*=* ]]; then
        COMP_WORDS+=("${word%%=*}" =)
        [[ -z ${word#*=} ]] || COMP_WORDS+=("${word#*=}")
      else
        COMP_WORDS+=("$word")
      fi
    done
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    how=$(complete -p lhsmtool_mpi) || exit 1
    [[ $how =~ -F\ ([a-z_]+) ]] || exit 1
    "${BASH_REMATCH[1]}" lhsmtool_mpi
    ((${#COMPREPLY[@]} == 0)) || printf "%s\n" "${COMPREPLY[@]}"' completions "$script" lhsmtool_mpi "$@" | LC_ALL=C sort
}
# offers EXPECTED WORD...: these, separated by commas, and nothing else.
offers() {
  local expected=$1 found
  shift
  found=$(completions "$@" | paste -sd ,)
  [ "$found" = "$expected" ] || {
    echo "FAILED: '$*' offers '$found', not '$expected'"
    failures=$((failures + 1))
  }
}

"$program" --help > help
commands=$(sed -n '/^Subcommands:/,$s/^  \([a-z-]*\) .*/\1/p' help)
[ "$(wc -l <<< "$commands")" -ge 12 ] || { echo "FAILED: few commands in --help" && exit 1; }
offers "$(LC_ALL=C sort <<< "$commands" | grep '^re' | paste -sd ,)" re
for command in $commands; do
  offers "$command" "$command"
  [ "$command" != posix ] || continue
  # All options that --help has, but for the spellings with '_'.
  options=$({ "$program" "$command" --help; echo ' --config, --print-config'; } | grep -oE '(^|[ ,])--[a-z][a-z-]*\b' | tr -d ' ,' | LC_ALL=C sort -u | paste -sd ,)
  [[ $options == *--help* ]] || { echo "FAILED: no options in $command --help" && exit 1; }
  offers "$options" "$command" --
done
offers '--config' --c
offers '--hsm-root' serve --hs
offers '--slots,--status,--stripe-threshold' serve -v --s
offers 'a dir,dir' serve ''
offers 'a dir,dir' serve --hsm-root ''
offers 'dir' serve --hsm-root d
offers 'dir' serve --hsm-root=d
offers 'a dir,dir' serve --hsm-root=
offers 'a dir,a file' serve --control a
offers 'job.h5' restore -p dir --failed j
offers 'dir/inner.h5' report dir/
offers 'v1,v2' serve --archive-format ''
offers 'v2' serve -F v2
offers 'archive,import,release,remove,restore' plan --action ''
offers 'size,size-desc' restore --order s
offers '' serve --slots ''
offers '' serve --slots=
offers 'job.h5' verify --config dir/inner.h5 -p dir j
offers '--hsm-root' --config dir/inner.h5 serve --hsm
offers 'a dir,a file' --config a
offers '--json' status job.h5 --j
offers 'job.h5' posix job
[ $failures -eq 0 ] && echo "completion: all as expected"
