#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The completion script in a real zsh, which is typed at on a pseudo-terminal. Exits with 77 where there is none.
# Usage: zsh.sh DIRECTORY-OF-SCRIPT
set -uo pipefail
directory=$(realpath "${1:?the directory of the script}")
zsh=$(command -v "${ZSH:-zsh}") || {
  echo "zsh is not installed"
  exit 77
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir dir
touch job.h5
cat > shell.zsh << 'END'
# In the pseudo-terminal: a tab completes, and ^X prints the line as it is then.
PS1= PS2=
fpath=($1 $fpath)
autoload -U compinit
compinit -u -d $2/dump || print FAILED
show() { print -r -- "<<$BUFFER>>"; BUFFER= }
zle -N show
bindkey '^X' show
bindkey '^I' expand-or-complete
unsetopt LIST_BEEP
END
cat > type.zsh << 'END'
zmodload zsh/zpty || exit 77
local directory=$1 work=$2 zsh=$3 failures=0 line expected text
zpty shell $zsh -f -i
zpty -w shell "set -- $directory $work; . $work/shell.zsh; print -r -- '<<ready'\\>\\>"
zpty -r shell text $'*<<ready>>*'
while IFS='|' read -r line expected; do
  zpty -w -n shell "$line"$'\t\x18'
  zpty -r shell text $'*<<*>>*'
  text=${${text##*<<}%%>>*}
  if [[ $text != $expected ]]; then
    print -r -- "FAILED: '$line' becomes '$text', not '$expected'"
    (( ++failures ))
  fi
done
zpty -d shell
(( failures == 0 ))
END
"$zsh" -f type.zsh "$directory" "$work" "$zsh" << 'END' || exit
lhsmtool_mpi veri|lhsmtool_mpi verify 
lhsmtool_mpi serve --hsm|lhsmtool_mpi serve --hsm-root=
lhsmtool_mpi serve --hsm-root d|lhsmtool_mpi serve --hsm-root dir/
lhsmtool_mpi serve -p d|lhsmtool_mpi serve -p dir/
lhsmtool_mpi serve --hsm-root=d|lhsmtool_mpi serve --hsm-root=dir/
lhsmtool_mpi serve d|lhsmtool_mpi serve dir/
lhsmtool_mpi verify j|lhsmtool_mpi verify job.h5 
lhsmtool_mpi verify --failed j|lhsmtool_mpi verify --failed job.h5 
lhsmtool_mpi plan --action rel|lhsmtool_mpi plan --action release 
lhsmtool_mpi restore --order size-|lhsmtool_mpi restore --order size-desc 
lhsmtool_mpi restore -v --only|lhsmtool_mpi restore -v --only-failed 
lhsmtool_mpi restore --config j|lhsmtool_mpi restore --config job.h5 
lhsmtool_mpi --config j|lhsmtool_mpi --config job.h5 
lhsmtool_mpi --config job.h5 veri|lhsmtool_mpi --config job.h5 verify 
lhsmtool_mpi status job.h5 --j|lhsmtool_mpi status job.h5 --json 
lhsmtool_mpi posix j|lhsmtool_mpi posix job.h5 
END
echo "completion: all as expected"
