#!/usr/bin/env python3
"""The fuzzer's corpus as one file, an input a line in base64, shortest first: `corpus.py unpack FILE FOLDER` and
`corpus.py pack FILE FOLDER...`, which keeps all of the first folder and of the others as much as the file's limit allows."""
import base64
import hashlib
import pathlib
import sys

LIMIT = 280_000


def name(data):
    return hashlib.sha1(data).hexdigest()


if len(sys.argv) < 4 or sys.argv[1] not in ("pack", "unpack"):
    sys.exit(__doc__)
action, file, *folders = sys.argv[1], *map(pathlib.Path, sys.argv[2:])
if action == "unpack":
    folders[0].mkdir(parents=True, exist_ok=True)
    for line in file.read_bytes().split():
        data = base64.b64decode(line)
        (folders[0] / name(data)).write_bytes(data)
else:
    kept = set()
    for folder in folders:
        inputs = {path.read_bytes() for path in folder.iterdir()} - kept - {b""}
        # By their hashes: as good as random, and the same tomorrow.
        for data in sorted(inputs, key=name):
            if folder == folders[0] or sum((len(d) + 2) // 3 * 4 + 1 for d in (*kept, data)) <= LIMIT:
                kept.add(data)
    lines = [base64.b64encode(data) + b"\n" for data in sorted(kept, key=lambda data: (len(data), data))]
    file.write_bytes(b"".join(lines))
    print(f"{len(lines)} inputs, {file.stat().st_size} bytes in {file}")
