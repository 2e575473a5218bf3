// SPDX-License-Identifier: LGPL-2.1-or-later
// Linked into sanitised programs: see sanitizers.cmake.
extern "C" int dlclose(void* /*handle*/) { return 0; }
