# SPDX-License-Identifier: LGPL-2.1-or-later
# Run at the installation, after dist/CMakeLists.txt has set the directories: the unit file and its settings.
set(prefix "${CMAKE_INSTALL_PREFIX}")
# As GNUInstallDirs has it: what belongs to /usr is configured in /etc.
string(REGEX REPLACE "^/usr/?$" "" etc_prefix "${prefix}")
get_filename_component(BINDIR "${bindir}" ABSOLUTE BASE_DIR "${prefix}")
get_filename_component(SYSCONFDIR "${sysconfdir}" ABSOLUTE BASE_DIR "${etc_prefix}/")
get_filename_component(systemd_dir "${systemd_dir}" ABSOLUTE BASE_DIR "${prefix}")
configure_file("${template}" "${work}/lhsmtool_mpi@.service" @ONLY)
file(INSTALL "${work}/lhsmtool_mpi@.service" DESTINATION "${systemd_dir}")
file(INSTALL "${settings}" DESTINATION "${SYSCONFDIR}/sysconfig" RENAME lhsmtool_mpi)
