# SPDX-License-Identifier: LGPL-2.1-or-later
# Debian packages: `cpack --config build/CPackConfig.cmake -B DIRECTORY` after a build makes lhsmtool-mpi, the program with its pages, job
# files, unit and documents, and lhsmtool-mpi-emulator, a Lustre to try it on. Neither depends on Lustre: its library is loaded when
# there is a Lustre.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME lhsmtool-mpi)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "lhsmtool_mpi maintainers <maintainers@lhsmtool-mpi.invalid>" CACHE STRING "Maintainer of the packages")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own
set(CPACK_STRIP_FILES ON)
# Into /usr, whatever the build's own prefix is; the unit's settings into /etc.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL tool)
if(LHSM_BUILD_EMULATOR)
  list(APPEND CPACK_COMPONENTS_ALL emulator)
endif()
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/lib/lhsm_emulator)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_TOOL_PACKAGE_NAME lhsmtool-mpi)
set(CPACK_COMPONENT_TOOL_DESCRIPTION "MPI-parallel copytool and bulk jobs for Lustre HSM
Archives and restores files of a Lustre file system on many nodes at once,
large ones striped over all of them, as a copytool or as jobs with an end.
The archive is the directory tree of lhsmtool_posix.")
# mpirun; where srun starts the ranks it does no harm.
set(CPACK_DEBIAN_TOOL_PACKAGE_DEPENDS openmpi-bin)
set(CPACK_DEBIAN_TOOL_PACKAGE_SUGGESTS lhsmtool-mpi-emulator)
set(CPACK_DEBIAN_EMULATOR_PACKAGE_NAME lhsmtool-mpi-emulator)
set(CPACK_COMPONENT_EMULATOR_DESCRIPTION "Lustre HSM on an ordinary directory
The coordinator, liblustreapi, lfs and lctl of a Lustre HSM, to try
lhsmtool_mpi on, and to write and test copytools of one's own.")

# Whoever edits the settings keeps them.
file(WRITE ${PROJECT_BINARY_DIR}/debian/conffiles "/etc/sysconfig/lhsmtool_mpi\n")
set(CPACK_DEBIAN_TOOL_PACKAGE_CONTROL_EXTRA ${PROJECT_BINARY_DIR}/debian/conffiles)
foreach(component tool emulator)
  string(TOUPPER ${component} name)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE RENAME copyright COMPONENT ${component}
          DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${CPACK_DEBIAN_${name}_PACKAGE_NAME})
endforeach()
include(CPack)
