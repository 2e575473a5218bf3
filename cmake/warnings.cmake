# SPDX-License-Identifier: LGPL-2.1-or-later
# What every target of ours is compiled with: lhsm_warnings for its own sources only.
add_library(lhsm_warnings INTERFACE)
target_compile_options(lhsm_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Wnull-dereference -Wimplicit-fallthrough -Werror -Wno-error=null-dereference
  # g++ 12 warns of overlapping copies inside std::string where there are none (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)

if(LHSM_SANITIZE)
  # With what they add g++ 12 loses sight of what was checked before, in std::optional for one (GCC bug 80635).
  target_compile_options(lhsm_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-error=maybe-uninitialized>)
  add_compile_options(-fsanitize=${LHSM_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${LHSM_SANITIZE})
endif()
