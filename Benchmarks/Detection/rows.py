"""Rows of a stream, column by column, and the worlds they are drawn from."""

from dataclasses import dataclass, field
from datetime import datetime, timezone

import numpy as np

HOUR, DAY, WEEK = 3600.0, 86400.0, 7 * 86400.0


@dataclass
class Rows:
    """Columns of equal length. Numbers are NaN where null, codes of categories -1. `logit` is the score's."""

    time: np.ndarray
    segments: dict[str, np.ndarray]
    numeric: dict[str, np.ndarray]
    categorical: dict[str, np.ndarray]
    logit: np.ndarray
    label: np.ndarray
    version: np.ndarray

    def __len__(self) -> int:
        return len(self.time)

    def take(self, index: np.ndarray) -> "Rows":
        def pick(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            return {name: values[index] for name, values in columns.items()}

        return Rows(
            self.time[index], pick(self.segments), pick(self.numeric), pick(self.categorical),
            self.logit[index], self.label[index], self.version[index],
        )  # fmt: skip

    @staticmethod
    def joined(parts: list["Rows"]) -> "Rows":
        def join(of: str) -> dict[str, np.ndarray]:
            return {name: np.concatenate([getattr(p, of)[name] for p in parts]) for name in getattr(parts[0], of)}

        def column(of: str) -> np.ndarray:
            return np.concatenate([getattr(p, of) for p in parts])

        made = Rows(
            column("time"), join("segments"), join("numeric"), join("categorical"),
            column("logit"), column("label"), column("version"),
        )  # fmt: skip
        return made.take(np.argsort(made.time, kind="stable"))

    @property
    def score(self) -> np.ndarray:
        return np.round(sigmoid(self.logit), 6)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))


@dataclass
class World:
    """What draws rows at given times, and scores them again after a fault has changed them."""

    model: str
    dims: dict[str, list[str]]
    vocabulary: dict[str, list[str]]
    decimals: dict[str, int]
    rows_per_day: float
    threshold: float
    versions: list[str]
    season: np.ndarray = field(default_factory=lambda: np.full(168, 1 / 168))
    """Share of a week's traffic in each hour, Monday 00:00 first."""
    delays: tuple[float, float, float] = (2.5, 4.0, 0.5)
    """Days until a label is known: median of positives, least of negatives, mean of what negatives take on top."""

    def sample(self, time: np.ndarray, rng: np.random.Generator) -> Rows:
        raise NotImplementedError

    def rescored(self, before: Rows, after: Rows) -> np.ndarray:
        """The logits of rows whose features a fault has changed."""
        raise NotImplementedError

    def times(self, start: float, end: float, rng: np.random.Generator, factor: float = 1.0) -> np.ndarray:
        """When events happen: a weekly season, and volume that varies by 5% from hour to hour beyond Poisson's."""
        hours = np.arange(start, end, HOUR)
        mean = self.rows_per_day * 7 * self.season[hour_of_week(hours)] * factor
        counts = rng.poisson(mean * rng.gamma(400, 1 / 400, len(hours)))
        return np.sort(np.repeat(hours, counts) + rng.random(counts.sum()) * HOUR)


def hour_of_week(time: np.ndarray) -> np.ndarray:
    """0 is Monday 00:00 UTC; the epoch was a Thursday."""
    return ((time // HOUR).astype(np.int64) + 72) % 168


def weekly(rng: np.random.Generator) -> np.ndarray:
    """A day with a trough at night and a week with a weekend of its own, as shares of the week."""
    hour, day = np.arange(168) % 24, np.arange(168) // 24
    daily = 1 + rng.uniform(0.3, 0.7) * np.sin(2 * np.pi * (hour - rng.uniform(6, 12)) / 24)
    shape = daily * np.where(day >= 5, rng.uniform(0.7, 1.2), 1.0)
    return shape / shape.sum()


def seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def stamp(time: float) -> str:
    return datetime.fromtimestamp(time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def precise(time: float) -> str:
    return datetime.fromtimestamp(round(time, 3), timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
