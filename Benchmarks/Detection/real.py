"""Worlds of real rows: drawn again from quiet parts of the streams in the shared folder, at times of the same hour or weekday."""

import gzip
import json
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

from rows import Rows, World, hour_of_week, seconds

# Which parts are quiet, which dimensions are watched, and what of the time a row keeps: the rows of a class are drawn for it.
POOLS = {
    "bench_pay_dev": (("country", "device", "tier"), "hour and weekend", 0.25, lambda t: True),
    "hotel": (("hotel", "market_segment", "customer_type"), "nothing", 0.5, lambda t: True),
    "flights": (("origin", "airline"), "hour", 0.35, lambda t: True),
    # Until May 1997 three columns are constant; afterwards prices settle in the middle of 1998.
    "elec2": (("daytype", "tod"), "hour and weekend", 0.5, lambda t: t >= datetime(1998, 6, 1, tzinfo=timezone.utc).timestamp()),
}


def _pool(folder: Path, name: str) -> list[dict]:
    keep = POOLS[name][3]
    files = ["reference.jsonl.gz"] if name == "bench_pay_dev" else ["predictions.jsonl.gz"]
    labels = {}
    if files == ["predictions.jsonl.gz"]:
        with gzip.open(folder / "labels.jsonl.gz", "rt") as lines:
            labels = {o["id"]: o["label"] for o in map(json.loads, lines)}
    rows = []
    for file in files:
        with gzip.open(folder / file, "rt") as lines:
            for o in map(json.loads, lines):
                o["time"] = seconds(o["ts"])
                o["label"] = o.get("label", labels.get(o["id"]))
                if o["label"] is not None and keep(o["time"]):
                    rows.append(o)
    return rows


class Real(World):
    """The bootstrap of a pool: without faults its stream and its reference have one distribution, whatever the pool's own history."""

    def __init__(self, shared: Path, name: str, seed: int, rows_per_day: float) -> None:
        dims, kept, threshold, _ = POOLS[name]
        pool = _pool(shared / name, name)
        schema = json.loads((shared / name / "schema.json").read_text())
        super().__init__(
            model=f"{name}-again", dims={}, vocabulary={}, decimals={}, rows_per_day=rows_per_day, threshold=threshold,
            versions=["3", "4", "5"], delays=(1.5, 3.0, 0.5),
        )  # fmt: skip
        time = np.array([o["time"] for o in pool])
        segments, categorical, numeric = {}, {}, {}
        for d in dims:
            self.dims[d] = sorted({str(o["segments"][d]) for o in pool})
            code = {v: i for i, v in enumerate(self.dims[d])}
            segments[d] = np.array([code[str(o["segments"][d])] for o in pool])
        for f, kind in schema["features"].items():
            values = [o["features"].get(f) for o in pool]
            if kind == "numeric":
                numeric[f] = np.array([np.nan if v is None else float(v) for v in values])
                self.decimals[f] = 6
            else:
                self.vocabulary[f] = sorted({str(v) for v in values if v is not None})
                code = {v: i for i, v in enumerate(self.vocabulary[f])}
                categorical[f] = np.array([-1 if v is None else code[str(v)] for v in values])
        p = np.clip(np.array([o["prediction"]["score"] for o in pool]), 1e-4, 1 - 1e-4)
        label = np.array([int(o["label"]) == 1 for o in pool])
        self.pool = Rows(time, segments, numeric, categorical, np.log(p / (1 - p)), label, np.zeros(len(pool), int))
        self.classes = self._class(time, kept)
        self.kept = kept
        self.members = [np.flatnonzero(self.classes == c) for c in range(self.classes.max() + 1)]
        weekly = np.bincount(hour_of_week(time), minlength=168) + 5.0
        self.season = weekly / weekly.sum() if kept != "nothing" else np.full(168, 1 / 168)
        self._fit()

    def _class(self, time: np.ndarray, kept: str) -> np.ndarray:
        hour = hour_of_week(time)
        match kept:
            case "hour":
                return hour % 24
            case "hour and weekend":
                # bench_pay_dev's weekend is Saturday and Sunday, in UTC; elec2's days are its own, so each day keeps its rows.
                return hour % 24 + 24 * (hour >= 120)
            case _:
                return np.zeros(len(time), int)

    def sample(self, time: np.ndarray, rng: np.random.Generator) -> Rows:
        wanted = self._class(time, self.kept)
        index = np.zeros(len(time), int)
        for c, members in enumerate(self.members):
            at = np.flatnonzero(wanted == c)
            index[at] = rng.choice(members if len(members) else np.arange(len(self.pool)), len(at))
        rows = self.pool.take(index)
        rows.time = time
        return rows

    def _design(self, rows: Rows) -> np.ndarray:
        parts = [np.ones(len(rows))]
        for name, (middle, spread) in self.scale.items():
            z = (rows.numeric[name] - middle) / spread
            parts += [np.clip(np.nan_to_num(z), -4, 4), np.isnan(z).astype(float)]
        for name in self.vocabulary:
            parts += [(rows.categorical[name] == k).astype(float) for k in self.common[name]]
        return np.stack(parts, axis=1)

    def _fit(self) -> None:
        """A linear stand-in for the model nobody has: what it says changes is what the score changes by."""
        self.scale = {n: (np.nanmedian(v), np.nanstd(v) or 1.0) for n, v in self.pool.numeric.items()}
        self.common = {
            n: np.argsort(-np.bincount(v[v >= 0], minlength=len(self.vocabulary[n])))[:12] for n, v in self.pool.categorical.items()
        }
        design = self._design(self.pool)
        ridge = design.T @ design + 1e-3 * len(design) * np.eye(design.shape[1])
        self.weights = np.linalg.solve(ridge, design.T @ self.pool.logit)

    def rescored(self, before: Rows, after: Rows) -> np.ndarray:
        return before.logit + np.clip((self._design(after) - self._design(before)) @ self.weights, -6, 6)
