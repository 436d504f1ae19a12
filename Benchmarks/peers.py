"""The peers, each measured on the messages Holdfast is measured on. Runs in Benchmarks/.venv (`make setup-bench`); prints a line of JSON.

usage: peers.py versions
       peers.py kll CLEAN.jsonl EVENTS | whylogs CLEAN.jsonl EVENTS | consumer CLEAN.jsonl REFERENCE.jsonl EVENTS
       peers.py check-avro AVRO.bin CLEAN.jsonl SCHEMA.avsc
"""

import gc
import io
import itertools
import json
import struct
import sys
import time
import warnings
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import Any

from corpus import DIMENSIONS, MODEL


def lines(path: str, count: int | None = None) -> list[bytes]:
    with open(path, "rb") as file:
        return [line.rstrip(b"\n") for line in itertools.islice(file, count)]


def names(event: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Numeric and categorical features."""
    features = event["features"]
    return ([k for k, v in features.items() if not isinstance(v, str)], [k for k, v in features.items() if isinstance(v, str)])


def versions() -> dict[str, Any]:
    from importlib import metadata

    packages = ("datasketches", "fastavro", "numpy", "orjson", "pandas", "whylogs")
    return {"python": sys.version.split()[0]} | {p: metadata.version(p) for p in packages}


def kll(path: str, events: str) -> dict[str, Any]:
    """DataSketches' C++ KLL(200), a sketch per numeric column and state (all traffic, each segment value), fed whole arrays.

    Sorting events by segment is not timed: the sketch is given what a caller could at best give it, one long array each.
    """
    import numpy as np
    import orjson
    from datasketches import kll_doubles_sketch

    rows = [orjson.loads(line) for line in lines(path, int(events))]
    numeric, _ = names(rows[0])
    columns = [np.array([row["features"][name] for row in rows], dtype=np.float64) for name in numeric]
    columns.append(np.array([row["prediction"]["score"] for row in rows], dtype=np.float64))
    groups = [np.arange(len(rows))]
    for dimension in DIMENSIONS if "segments" in rows[0] else ():
        keys = np.array([row["segments"][dimension] for row in rows])
        groups += [np.flatnonzero(keys == key) for key in np.unique(keys)]
    jobs = [(kll_doubles_sketch(200), np.ascontiguousarray(column[group])) for group in groups for column in columns]
    values = sum(len(array) for _, array in jobs)
    spent: list[float] = []
    # The first round fills empty sketches, the others go on with full ones.
    for _ in range(3):
        start = time.process_time_ns()
        for sketch, array in jobs:
            sketch.update(array)
        spent.append((time.process_time_ns() - start) / values)
    return {"values_per_event": values / len(rows), "cpu_ns_per_value": spent, "states": len(groups)}


def whylogs(path: str, events: str) -> dict[str, Any]:
    """`why.log` of one data frame that holds all events, then again segmented by each dimension. No windows."""
    import orjson
    import pandas as pd

    warnings.simplefilter("ignore")
    import whylogs as why
    from whylogs.core.schema import DatasetSchema
    from whylogs.core.segmentation_partition import segment_on_column

    raw = lines(path, int(events))
    start = time.process_time_ns()
    rows = [orjson.loads(line) for line in raw]
    frame = pd.DataFrame([row["features"] | row["segments"] | row["prediction"] for row in rows])
    parsed = time.process_time_ns()
    # Not timed: the rows are in the frame now, and the collector would walk them again and again at whylogs' expense.
    del rows
    gc.collect()
    began = time.process_time_ns()
    segments = {name: made for d in DIMENSIONS for name, made in segment_on_column(d).items()}
    why.log(frame)
    why.log(frame, schema=DatasetSchema(segments=segments))
    spent = time.process_time_ns() - began
    return {"events": len(raw), "cpu_ns": spent / len(raw), "cpu_ns_with_parsing": (spent + parsed - start) / len(raw)}


def consumer(path: str, reference: str, events: str) -> dict[str, Any]:
    """What a careful Python programmer writes: orjson and numpy, batches of 4,096, bins, counts, Σx and Σx² for all and each segment."""
    import numpy as np
    import orjson

    learned = [orjson.loads(line) for line in lines(reference)]
    numeric, categorical = names(learned[0])
    score = [row["prediction"]["score"] for row in learned]
    known = [np.array([row["features"][n] for row in learned]) for n in numeric] + [np.array(score)]
    edges = [np.unique(np.quantile(column, np.arange(1, 240) / 240)) for column in known]
    codes = [{v: i for i, v in enumerate(sorted({row["features"][n] for row in learned}))} for n in categorical]
    places = [{v: i for i, v in enumerate(sorted({row["segments"][d] for row in learned}))} for d in DIMENSIONS]
    width, wide = 256, len(known)
    numbers, words = itemgetter(*numeric), itemgetter(*categorical)
    panes: dict[str, tuple[list[Any], list[Any], list[Any]]] = {}
    raw = lines(path, int(events))
    # Nothing here makes cycles, and the collector walks every parsed row: without it the consumer is a third faster.
    gc.disable()

    def count(rows: list[dict[str, Any]], counts: list[Any], sums: list[Any], squares: list[Any]) -> None:
        features = [row["features"] for row in rows]
        cells = itertools.chain.from_iterable(map(numbers, features))
        values = np.empty((wide, len(rows)))
        values[:-1] = np.fromiter(cells, np.float64, len(rows) * (wide - 1)).reshape(len(rows), wide - 1).T
        values[-1] = np.fromiter((row["prediction"]["score"] for row in rows), np.float64, len(rows))
        bins = [np.searchsorted(edge, column) for edge, column in zip(edges, values)]
        for table, column in zip(codes, zip(*map(words, features))):
            bins.append(np.fromiter((table.get(v, width - 1) for v in column), np.int64, len(rows)))
        squared = values * values
        for d, (dimension, table) in enumerate(zip(DIMENSIONS, places)):
            place = np.fromiter((table.get(row["segments"][dimension], len(table)) for row in rows), np.int64, len(rows))
            base, states = place * width, len(table) + 1
            for c, code in enumerate(bins):
                counts[d][c] += np.bincount(base + code, minlength=states * width)
            for c in range(wide):
                sums[d][c] += np.bincount(place, values[c], states)
                squares[d][c] += np.bincount(place, squared[c], states)

    def zeros(depth: int, width: int, kind: type) -> list[Any]:
        return [np.zeros((depth, (len(table) + 1) * width), kind) for table in places]

    start = time.process_time_ns()
    for at in range(0, len(raw), 4096):
        rows = orjson.loads(b"[" + b",".join(raw[at : at + 4096]) + b"]")
        # Ten characters of a minute and the half of ten: a pane of five minutes. All traffic is the sum over one dimension's states.
        for pane, group in itertools.groupby(rows, lambda row: row["ts"][:15] + "05"[row["ts"][15] > "4"]):
            if pane not in panes:
                panes[pane] = (zeros(wide + len(codes), width, np.int64), zeros(wide, 1, float), zeros(wide, 1, float))
            count(list(group), *panes[pane])
    totals = {pane: made[0][0].sum() for pane, made in panes.items()}
    spent = time.process_time_ns() - start
    assert sum(totals.values()) == len(raw) * (wide + len(codes)), "counts are lost"
    return {"events": len(raw), "cpu_ns": spent / len(raw), "panes": len(panes)}


def check_avro(path: str, clean: str, schema: str) -> dict[str, Any]:
    """fastavro reads the Avro corpus back, and finds the events of the JSON corpus in it."""
    import datetime

    import fastavro

    parsed = fastavro.parse_schema(json.loads(Path(schema).read_text()))
    checked = 0
    with open(path, "rb") as file:
        for line in lines(clean, 2000):
            message = file.read(struct.unpack("<I", file.read(4))[0])
            body = io.BytesIO(message[5:])
            event: Any = fastavro.schemaless_reader(body, parsed, None)
            expected = json.loads(line)
            expected["ts"] = datetime.datetime.fromisoformat(expected["ts"].replace("Z", "+00:00"))
            assert event == expected and event["model"] == MODEL and not body.read(), f"event {checked} differs"
            checked += 1
    return {"events": checked}


if __name__ == "__main__":
    modes: dict[str, Callable[..., dict[str, Any]]] = {
        "versions": versions,
        "kll": kll,
        "whylogs": whylogs,
        "consumer": consumer,
        "check-avro": check_avro,
    }
    print(json.dumps(modes[sys.argv[1]](*sys.argv[2:])))
