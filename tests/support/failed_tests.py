#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""failed_tests.py JUNIT-REPORT: name each test that failed, with the end of what it printed."""
import sys
import xml.etree.ElementTree

LINES = 60
COLUMNS = 300

for case in xml.etree.ElementTree.parse(sys.argv[1]).getroot().iter("testcase"):
    if case.get("status") != "fail":
        continue
    print(f"\n== FAILED: {case.get('name')}")
    for line in (case.findtext("system-out") or "").splitlines()[-LINES:]:
        print("  " + line[:COLUMNS])
