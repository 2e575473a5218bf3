# SPDX-License-Identifier: LGPL-2.1-or-later
"""Read a manifest as docs/manifest-format.md says users do, and compare it with what bench-like code put there.

Usage: python_reads_manifest.py MANIFEST   (made by write_sample_manifest)
"""
import sys

import h5py
import pandas

ROWS = 70000  # more than a chunk

with h5py.File(sys.argv[1], "r") as job:
    attributes = job.attrs
    assert attributes["format_version"] == 1
    assert attributes["generation"] == 1
    assert attributes["item_count"] == ROWS
    assert attributes["file_system"] == "scratch", attributes["file_system"]
    assert len(attributes["uuid"]) == 32
    items = job["items"]
    columns = [name for name in items if name not in ("path_bytes", "digest")]
    table = pandas.DataFrame({name: items[name][:] for name in columns})
    begin = items["path_offset"][:]
    end = list(begin[1:]) + [items["path_bytes"].shape[0]]
    blob = items["path_bytes"][:].tobytes()
    digest = items["digest"][:]
    results = h5py.check_enum_dtype(items["result"].dtype)
    actions = h5py.check_enum_dtype(items["action"].dtype)
    volumes = [name for name in job["volumes"][:]]
    runs = pandas.DataFrame({name: job["runs"][name][:] for name in job["runs"]})

assert len(table) == ROWS
assert results["failed"] == 4 and results["refused"] == 6 and actions["remove"] == 4
assert (table.fid_seq == 0x200000401).all()
assert (table.fid_oid == range(1, ROWS + 1)).all()
assert (table["size"] == [row * 2**33 for row in range(ROWS)]).all()
assert table.has_digest.dtype == bool
assert table.has_digest.sum() == ROWS // 2
assert bytes(digest[1]) == bytes(range(16)) and not digest[2].any()
failed = table[table.result == results["failed"]]
assert list(failed.index) == list(range(0, ROWS, 1000)), failed.index
assert (failed.errno == 5).all() and (table.errno.sum() == 5 * len(failed))
for row in range(ROWS):
    path = blob[begin[row]:end[row]]
    assert path == b"dir/\xff\n%d" % row, (row, path)
assert volumes == [b"A00001L9", b"A00002L9"], volumes
assert list(table.volume[:3]) == [0, 1, 0]
assert list(runs.begin) == [7] and list(runs.user) == [b"alice"] and list(runs.done) == [2]
print("a manifest of", ROWS, "items is what it should be")
