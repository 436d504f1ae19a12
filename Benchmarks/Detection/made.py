"""Made-up worlds: segments of uneven weight, correlated features with seasons and nulls, a logistic model, labels drawn from it."""

from dataclasses import dataclass, field

import numpy as np

from rows import Rows, World, hour_of_week, sigmoid, weekly

DIMS = {
    "region": ["north", "south", "east", "west", "coast", "islands"], "channel": ["app", "web", "store", "phone"],
    "plan": ["free", "basic", "plus", "team"], "partner": ["p1", "p2", "p3", "p4", "p5"],
}  # fmt: skip
NUMBERS = [
    "price", "balance", "latency_ms", "distance", "age_days", "items", "visits", "speed", "weight_kg", "ratio", "depth",
    "clicks", "tenure", "load", "temp", "income", "delay_s", "rating",
]  # fmt: skip
CATEGORIES = ["kind", "source", "bank", "colour", "route"]
SHAPES = ["lognormal", "lognormal", "normal", "gamma", "beta", "count", "sparse"]


@dataclass
class Number:
    """How one numeric feature is made of its latent normal, and what the model makes of it."""

    shape: str
    middle: float
    spread: float
    nulls: float = 0.0
    by: tuple[str, np.ndarray] | None = None
    """A dimension that moves it, in standard deviations per value."""
    hour: float = 0.0
    weekend: float = 0.0
    loading: np.ndarray = field(default_factory=lambda: np.zeros(2))
    weight: float = 0.0

    def of(self, z: np.ndarray) -> np.ndarray:
        match self.shape:
            case "lognormal" | "gamma":
                return self.middle * np.exp(self.spread * (0.6 if self.shape == "gamma" else 1.0) * z)
            case "normal":
                return self.middle + self.middle * 0.25 * z
            case "beta":
                return sigmoid(-0.8 + 0.9 * z)
            case "count":
                return np.floor(np.exp(0.9 + 0.6 * z))
            case _:
                return np.where(z < 0.3, 0.0, np.floor(4 * np.exp(z - 0.3)))

    @property
    def positive(self) -> bool:
        return self.shape in ("lognormal", "gamma")

    @property
    def decimals(self) -> int:
        return {"count": 0, "sparse": 0, "beta": 4}.get(self.shape, 2)

    def seen(self, x: np.ndarray) -> np.ndarray:
        """The input as the model standardises it; a null is the mean."""
        if self.positive:
            z = np.log(np.maximum(x, 1e-9) / self.middle) / (self.spread * (0.6 if self.shape == "gamma" else 1.0))
        elif self.shape == "normal":
            z = (x - self.middle) / (0.25 * self.middle)
        elif self.shape == "beta":
            z = (x - 0.33) / 0.18
        else:
            z = np.log1p(np.maximum(x, 0)) - 0.9
        return np.clip(np.nan_to_num(z), -3.5, 3.5)


@dataclass
class Category:
    logits: np.ndarray
    by: tuple[str, np.ndarray] | None
    hour: float
    weights: np.ndarray


class Made(World):
    def __init__(self, name: str, seed: int) -> None:
        rng = np.random.default_rng([seed, 11])
        dims = {str(d): DIMS[d] for d in rng.permutation(list(DIMS))[: rng.integers(2, 5)]}
        if len(dims) == 4:
            # All pairs of four dimensions are many segments; three values of each are enough.
            dims = {d: values[:3] for d, values in dims.items()}
        super().__init__(
            model=name, dims=dims, vocabulary={}, decimals={}, rows_per_day=float(rng.uniform(1300, 2200)), threshold=0.5,
            versions=["7", "8", "9"], season=weekly(rng),
            delays=(float(rng.uniform(0.8, 2.5)), float(rng.uniform(2.0, 4.5)), float(rng.uniform(0.3, 0.8))),
        )  # fmt: skip
        self.shares = {d: np.maximum(rng.dirichlet(np.full(len(v), 3.0)), 0.05) for d, v in dims.items()}
        self.shares = {d: s / s.sum() for d, s in self.shares.items()}
        count = int(rng.integers(6, 21))
        categories = min(len(CATEGORIES), max(2, count // 4))
        self.numbers = {n: self._number(rng) for n in rng.permutation(NUMBERS)[: count - categories]}
        self.categories = {c: self._category(rng, i) for i, c in enumerate(CATEGORIES[:categories])}
        self.decimals = {n: f.decimals for n, f in self.numbers.items()}
        self.bias = float(rng.uniform(-2.2, -0.8))

    def _by(self, rng: np.random.Generator, width: int) -> tuple[str, np.ndarray] | None:
        if rng.random() > 0.35:
            return None
        dim = str(rng.choice(list(self.dims)))
        return dim, rng.normal(0, 0.5, (len(self.dims[dim]), width))

    def _number(self, rng: np.random.Generator) -> Number:
        return Number(
            shape=str(rng.choice(SHAPES)), middle=float(np.exp(rng.uniform(1, 6))), spread=float(rng.uniform(0.5, 1.1)),
            nulls=float(rng.choice([0, 0, 0, 0.02, 0.1])), by=self._by(rng, 1),
            hour=float(rng.choice([0, 0, 0.4])), weekend=float(rng.choice([0, 0, 0, 0.6])),
            loading=rng.normal(0, 0.45, 2), weight=float(rng.normal(0, 0.5)),
        )  # fmt: skip

    def _category(self, rng: np.random.Generator, i: int) -> Category:
        # The second is an open vocabulary: many rare values, new ones all the time.
        size = 80 if i == 1 else int(rng.integers(3, 11))
        name = CATEGORIES[i]
        self.vocabulary[name] = [f"{name}_{k}" for k in range(size)]
        logits = -rng.uniform(0.7, 1.3) * np.log(np.arange(1, size + 1))
        return Category(logits, self._by(rng, size), float(rng.choice([0, 0.5])), rng.normal(0, 0.4, size))

    def sample(self, time: np.ndarray, rng: np.random.Generator) -> Rows:
        n, hour = len(time), hour_of_week(time)
        wave, weekend = np.sin(2 * np.pi * (hour % 24 - 9) / 24), hour >= 120
        segments = {d: rng.choice(len(s), n, p=s) for d, s in self.shares.items()}
        common = rng.normal(size=(n, 2))
        numeric, categorical = {}, {}
        for name, f in self.numbers.items():
            z = common @ f.loading + np.sqrt(max(0.2, 1 - f.loading @ f.loading)) * rng.normal(size=n)
            z = z + f.hour * wave + f.weekend * weekend
            if f.by:
                z = z + f.by[1][segments[f.by[0]], 0]
            x = np.round(f.of(z), f.decimals)
            numeric[name] = np.where(rng.random(n) < f.nulls, np.nan, x)
        for name, c in self.categories.items():
            logits = np.tile(c.logits, (n, 1))
            logits[:, 0] += c.hour * wave
            if c.by:
                logits += c.by[1][segments[c.by[0]]]
            # Gumbel's way of drawing from a softmax, all rows at once.
            categorical[name] = np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)
        rows = Rows(time, segments, numeric, categorical, np.zeros(n), np.zeros(n, bool), np.zeros(n, int))
        rows.logit = self._logit(rows)
        rows.label = rng.random(n) < sigmoid(rows.logit)
        return rows

    def _logit(self, rows: Rows) -> np.ndarray:
        total = np.full(len(rows), self.bias)
        for name, f in self.numbers.items():
            total += f.weight * f.seen(rows.numeric[name])
        for name, c in self.categories.items():
            # What the model never saw, and what is missing, weighs nothing.
            known = np.append(c.weights, 0.0)
            codes = rows.categorical[name]
            total += known[np.where((codes >= 0) & (codes < len(c.weights)), codes, len(c.weights))]
        return total

    def rescored(self, before: Rows, after: Rows) -> np.ndarray:
        return before.logit + self._logit(after) - self._logit(before)
