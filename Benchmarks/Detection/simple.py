"""The detectors everybody starts with, on the same windows: read from the snapshots of the replay."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rows import seconds
from replay import target
from score import Alert

NAMES = ("PSI > 0.2", "PSI > 0.2 and its p < 0.001", "PSI over its χ² limit, 5%", "PSI over its χ² limit, shared by all looks")
FEWEST = 15


def detectors(snapshots: Path) -> dict[str, list[Alert]]:
    """Alerts of each simple detector. Severity is raw PSI for the first, as in most tools, else evidence against its limit."""
    made: dict[str, list[Alert]] = {name: [] for name in NAMES}
    lines = list(_lines(snapshots))
    looks: dict[str, int] = {}
    for o in lines:
        looks[o["window"]["start"]] = looks.get(o["window"]["start"], 0) + 1
    for o in lines:
        metrics, window = o["metrics"], o["window"]
        shift = max(metrics.get("psi", 0.0), metrics.get("psi_with_nulls", 0.0))
        # Nulls are a bin of their own for the first only: the null law of the others is that of the values.
        p = metrics.get("psi_p", 1.0)

        def alert(severity: float) -> Alert:
            end = seconds(window["end"])
            return Alert(end, seconds(window["start"]), end, target(o["column"]), o["segment"], severity)

        if shift > 0.2:
            made[NAMES[0]].append(alert(shift))
        levels = ((NAMES[1], 0.001, 0.2), (NAMES[2], 0.05, 0.1), (NAMES[3], 0.05 / looks[window["start"]], 0.1))
        for name, level, least in levels:
            if p < level and shift > least:
                made[name].append(alert(level / max(p, 1e-300)))
    return made


def _lines(snapshots: Path) -> Iterator[dict[str, Any]]:
    """Lines of all versions together, of columns that have a distribution; a revision replaces what it revises."""
    kept: dict[tuple[str, ...], dict[str, Any]] = {}
    with snapshots.open() as file:
        for line in file:
            # Half of the lines are those of one version: not worth parsing.
            if '"version":"*"' not in line[:200]:
                continue
            o = json.loads(line)
            if o["n"] < FEWEST or "psi" not in o["metrics"]:
                continue
            key = (o["window"]["start"], o["column"], *(f"{k}={v}" for k, v in sorted(o["segment"].items())))
            kept[key] = {k: o[k] for k in ("window", "column", "segment", "metrics")}
    yield from kept.values()
