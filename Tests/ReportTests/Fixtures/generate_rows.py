"""Writes hotel-reference.csv and hotel-current.csv: a few columns of some rows of the hotel stream.

python3 generate_rows.py SHARED_DATA_FOLDER
"""

import csv
import gzip
import json
import sys

COLUMNS = ["lead_time", "adr", "children", "stays_in_week_nights", "agent", "meal", "reserved_room_type"]


def rows(path, start, count, step):
    with gzip.open(path, "rt") as file:
        for i, line in enumerate(file):
            if i >= start and (i - start) % step == 0 and count > 0:
                count -= 1
                yield json.loads(line)


def write(name, events):
    with open(name, "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(COLUMNS + ["hotel", "prediction"])
        for event in events:
            features = event["features"]
            values = ["" if features[c] is None else features[c] for c in COLUMNS]
            out.writerow(values + [event["segments"]["hotel"], event["prediction"]["score"]])


folder = sys.argv[1]
write("hotel-reference.csv", rows(f"{folder}/hotel/reference.jsonl.gz", 0, 700, 10))
write("hotel-current.csv", rows(f"{folder}/hotel/predictions.jsonl.gz", 20_000, 500, 3))
