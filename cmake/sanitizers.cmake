# SPDX-License-Identifier: LGPL-2.1-or-later
# LeakSanitizer names the frames of a plug-in that was unloaded "<unknown module>", and no suppression
# matches those. So in sanitised programs nothing is unloaded: every program gets a dlclose that does
# nothing. Included after the parts.
if(LHSM_SANITIZE MATCHES "address")
  add_library(lhsm_keep_plugins OBJECT ${CMAKE_CURRENT_LIST_DIR}/keep_plugins.cpp)
  target_link_libraries(lhsm_base INTERFACE $<TARGET_OBJECTS:lhsm_keep_plugins>)
endif()
