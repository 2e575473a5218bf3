#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Hold the guides against the program: each command line in them has a command and options that the program knows, each message that
# troubleshooting.md has as a heading is in the sources, and links lead to files that are there.
# Usage: documents.sh PROGRAM TOP [DOCUMENT...]    (default: the guides)
set -euo pipefail
program=${1:?the program} top=${2:?the top directory}
shift 2
[ $# -gt 0 ] || set -- "$top"/README.md "$top"/docs/{guide,tuning,troubleshooting,batch-jobs}.md
breaches=0
breach() {
  echo "$*"
  breaches=$((breaches + 1))
}

declare -A helps # by command
help_of() {
  [ -n "${helps[$1]:-}" ] || helps[$1]=$("$program" "$1" --help 2> /dev/null || true)
  [ -n "${helps[$1]}" ]
}

check_line() { # document, command line from the program's name on, without it
  local document=$1 word words command
  read -ra words <<< "${2%%#*}"
  command=${words[0]:-}
  [[ $command =~ ^[a-z]+$ && $command != posix ]] || return 0
  if ! help_of "$command"; then
    breach "$document: no command $command: $2"
    return
  fi
  for word in "${words[@]:1}"; do
    [[ $word != '|' && $word != '>' && $word != '&&' ]] || break
    [[ $word =~ ^-{1,2}[A-Za-z] ]] || continue
    word=${word%%=*}
    grep -qE -e "(^|[ ,])${word}([ ,]|\$)" <<< "${helps[$command]}" || breach "$document: $command has no option $word: $2"
  done
}

sources=$(cat "$top"/src/*/*.[ch]pp "$top"/include/*/*/*.hpp | tr -s '\n ' ' ' | sed -e 's/" "//g' -e 's/\\"/"/g')
has_message() { # the fixed words of a message, with … between them
  local piece
  while IFS= read -r piece; do
    # Blanks at the ends are those around what varies; short pieces are in everything.
    piece=${piece#"${piece%%[![:space:]]*}"}
    piece=${piece%"${piece##*[![:space:]]}"}
    [ ${#piece} -ge 4 ] || continue
    grep -qF -e "$piece" <<< "$sources" || return 1
  done <<< "${1//…/$'\n'}"
}

# shellcheck disable=SC2016 # the backquotes are Markdown's
command_lines() { sed -n '/^```/,/^```/p' "$1" | sed -n 's/.*\(^\|[ /]\)lhsmtool_mpi \([a-z].*\)$/\2/p'; }
# shellcheck disable=SC2016
messages_of() { if [[ $1 == *troubleshooting* ]]; then sed -n 's/^### `\(.*\)`$/\1/p' "$1"; fi; }

commands=0 messages=0
for document in "$@"; do
  while IFS= read -r line; do
    commands=$((commands + 1))
    check_line "${document##*/}" "$line"
  done < <(command_lines "$document")
  while IFS= read -r message; do
    messages=$((messages + 1))
    has_message "$message" || breach "${document##*/}: no such message: $message"
  done < <(messages_of "$document")
  while IFS= read -r link; do
    [ -e "$(dirname "$document")/${link%%#*}" ] || breach "${document##*/}: a link to nothing: $link"
  done < <(grep -oE '\]\([^)#:]+[^):]*\)' "$document" | sed -e 's/^](//' -e 's/)$//')
done
echo "$commands command lines and $messages messages in $# documents, $breaches breaches"
[ $breaches -eq 0 ]
