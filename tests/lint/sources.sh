#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Hold the sources against the rules of the house: who may include whom, SPDX lines, length, no paths of
# one machine. Print each breach as file:line: rule; exit 1 when there is any.
# Usage: sources.sh TOP
set -uo pipefail
cd "${1:?the top directory}" || exit 2

# Parts, and the parts that each may include besides itself (the picture in docs/architecture.md).
declare -A below=(
  [base]=''
  [copy]='base'
  [archive]='base copy'
  [store]='base'
  [lustre]='base'
  [comm]='base'
  [plan]='base'
  [scan]='base store lustre comm'
  [run]='base copy archive store lustre comm plan'
  [manage]='base copy archive lustre'
  [bulk]='base archive store lustre comm run'
  [pages]='base store bulk'
  [verify]='base copy archive comm'
  [check]='base lustre comm'
  [report]='base copy archive store lustre comm plan run'
  [cli]='base copy archive store lustre comm plan run bulk pages verify check report manage scan'
  [emulator]='base'
)
# Headers that are kept in few files: a pattern of the header, a pattern of the files that may.
confined=(
  '^mpi\.h$'                       '^src/comm/mpi_[a-z_]*\.[ch]pp$|^tests/mpi/'
  '^CLI/'                          '^src/cli/(commands|build_id)\.cpp$|^src/cli/[a-z_]*_(command|options)\.[ch]pp$|^src/emulator/tools/emulator_main\.cpp$'
  '^boost/(archive|serialization)' '^src/comm/'
  '^hdf5\.h$'                      '^src/store/hdf5_[a-z_]*\.[ch]pp$'
  '^xxhash\.h$'                    '^src/comm/codec\.cpp$|^src/copy/digest\.cpp$|^src/store/checksum\.cpp$|^tests/unit/comm/|^tests/fuzz/'
  '^spdlog/'                       '^src/base/log\.cpp$'
  '^nlohmann/'                     '^src/emulator/(daemon/status_json|tools/emulator_status)\.cpp$|^src/report/(event_fifo|status_json)\.cpp$|^src/bulk/failed_list\.cpp$|^src/pages/json_report\.cpp$|^src/cli/(status_command|plan_text|check_output|verify_summary)\.cpp$|^tests/unit/(report|pages|cli)/'
  '^yaml\.h$'                      '^src/cli/posix_config\.cpp$'
  '^dlfcn\.h$'                     '^src/lustre/llapi_table\.cpp$|^src/emulator/|^tests/'
  '^(lustre|linux/lustre)/'        '^tests/'
  '^gtest/|^gmock/'                '^tests/'
)
most_lines=350
long_files=''  # exceptions, separated by blanks

breaches=0
breach() {
  echo "$1: $2"
  breaches=$((breaches + 1))
}

# Set `part` to the part that a file belongs to. (No subshell: there are thousands of calls.)
find_part() {
  case $1 in
    include/lhsmtool_mpi/*/*) part=${1#include/lhsmtool_mpi/} ;;
    src/*/*) part=${1#src/} ;;
    *) part='' ;;
  esac
  part=${part%%/*}
}

check_include() { # file line header
  local file=$1 line=$2 header=$3 part other i
  for ((i = 0; i < ${#confined[@]}; i += 2)); do
    if [[ $header =~ ${confined[i]} && ! $file =~ ${confined[i + 1]} ]]; then
      breach "$file:$line" "<$header> is confined to ${confined[i + 1]}"
    fi
  done
  find_part "$file"
  [[ -n $part ]] || return
  if [[ -z ${below[$part]+known} ]]; then
    breach "$file:$line" "part $part is unknown to tests/lint/sources.sh"
  elif [[ $header == *../* ]]; then
    breach "$file:$line" "\"$header\" leaves its directory"
  elif [[ $header == lhsmtool_mpi/*/* ]]; then
    other=${header#lhsmtool_mpi/}
    other=${other%%/*}
    if [[ $part == emulator && $header == lhsmtool_mpi/lustre/abi.hpp ]]; then return; fi
    if [[ $other != "$part" && " ${below[$part]} " != *" $other "* ]]; then
      breach "$file:$line" "part $part may not include $other"
    fi
  fi
}

files() {
  find . \( -name .git -o -name 'build*' -o -name .cache \) -prune -o -type f -print | sed 's|^\./||' | sort
}

while IFS=: read -r file line text; do
  header=${text#*[<\"]}
  check_include "$file" "$line" "${header%%[>\"]*}"
done < <(files | grep -E '\.(cpp|hpp|c|h)$' | xargs -r grep -HnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]')

while read -r lines file; do
  mapfile -t -n 2 top <"$file"
  case $file in
    *.cpp | *.hpp | *.c | *.h | *.cmake | */CMakeLists.txt | CMakeLists.txt | *.sh) ;;
    *) [[ ${top[0]:-} == '#!'* ]] || continue ;;
  esac
  [[ "${top[*]}" == *'SPDX-License-Identifier: LGPL-2.1-or-later'* ]] || breach "$file:1" 'no SPDX line'
  if ((lines > most_lines)) && [[ " $long_files " != *" $file "* ]]; then
    breach "$file:$lines" "longer than $most_lines lines"
  fi
done < <(files | grep -E '\.(cpp|hpp|c|h|cmake|sh)$|(^|/)[^.]*$|CMakeLists\.txt$' | tr '\n' '\0' | wc -l --files0-from=- | grep -v ' total$')

# "/wor""k/" is spelt so that this file passes its own test.
while IFS=: read -r file line _; do
  breach "$file:$line" 'a path of one machine'
done < <(files | xargs -r -d '\n' grep -IHnE '(^|[^[:alnum:]_.}$/-])/(wor[k]|hom[e])/')

# grep -q leaves at the first line that matches; what writes into it then dies of SIGPIPE, and pipefail reports that.
while IFS=: read -r file line _; do
  breach "$file:$line" 'grep -q at the end of a pipe: its success may read as a failure'
done < <(files | grep -E '^(scripts|tests|jobs)/' | xargs -r -d '\n' grep -IHnE '[|] *grep +-[a-zA-Z]*[q] ')

((breaches == 0)) || { echo "$breaches breaches" && exit 1; }
