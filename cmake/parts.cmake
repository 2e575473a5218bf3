# SPDX-License-Identifier: LGPL-2.1-or-later
# lhsm_part(NAME [DEPENDS targets…]): the static library lhsm_NAME of all src/NAME/*.cpp. Which part
# may include which is said by DEPENDS here and held by tests/lint.
function(lhsm_part name)
  cmake_parse_arguments(PART "" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp)
  if(NOT sources)
    message(STATUS "part ${name}: no sources yet")
    return()
  endif()
  add_library(lhsm_${name} STATIC ${sources})
  target_include_directories(lhsm_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(lhsm_${name} PUBLIC ${PART_DEPENDS} PRIVATE lhsm_warnings)
endfunction()

# lhsm_unit_test(NAME [LINK targets…]): one GoogleTest program unit_NAME of tests/unit/NAME/*_test.cpp.
function(lhsm_unit_test name)
  cmake_parse_arguments(TEST "" "" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(unit_${name} ${sources})
  if(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    target_compile_options(unit_${name} PRIVATE -O1)  # tests are many, and run once
  endif()
  target_include_directories(unit_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(unit_${name} PRIVATE ${TEST_LINK} GTest::gmock GTest::gtest_main lhsm_warnings)
  gtest_discover_tests(unit_${name} PROPERTIES TIMEOUT 240 LABELS unit DISCOVERY_TIMEOUT 120)
endfunction()

# lhsm_manual_page(NAME.SECTION): make it from docs/man/NAME.SECTION.scd and install it.
function(lhsm_manual_page page)
  find_program(SCDOC scdoc REQUIRED)
  string(REGEX MATCH "[0-9]$" section ${page})
  set(source ${PROJECT_SOURCE_DIR}/docs/man/${page}.scd)
  set(result ${PROJECT_BINARY_DIR}/man/man${section}/${page})
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/man/man${section})
  add_custom_command(OUTPUT ${result} COMMAND ${SCDOC} < ${source} > ${result} DEPENDS ${source} VERBATIM)
  add_custom_target(manual_${page} ALL DEPENDS ${result})
  install(FILES ${result} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
endfunction()
