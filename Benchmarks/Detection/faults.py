"""Faults: what goes wrong, in which rows, and how much of it can be seen there."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np

from rows import DAY, HOUR, Rows, World, sigmoid

UNITS = {"x100": 100.0, "x60": 60.0, "x1.609": 1.609, "x0.001": 0.001}


@dataclass
class Fault:
    kind: str
    segment: dict[str, str]
    start: float
    end: float
    features: list[str] = field(default_factory=list)
    description: str = ""
    measured: dict[str, float] = field(default_factory=dict)
    difficulty: str = "medium"

    @property
    def type(self) -> str:
        """In the words of bench_pay_dev's manifest, which decide what a fault without features shows itself in."""
        if self.kind == "volume_drop":
            return "volume_drop"
        if self.kind in ("concept_drift", "calibration_shift"):
            return "concept_drift"
        return "bad_release" if self.kind.startswith("bad_release") else self.kind


@dataclass(frozen=True)
class Kind:
    """`rows`: events a day its segment has at least. `hours`: how long it lasts. `make` changes the masked rows in place."""

    rows: float
    hours: tuple[float, float]
    make: Callable[["Scene"], None]
    # Shares of the segments to choose from: all traffic, one key, two.
    levels: tuple[float, float, float] = (0.15, 0.4, 0.45)


@dataclass
class Scene:
    world: World
    rng: np.random.Generator
    rows: Rows
    mask: np.ndarray
    fault: Fault

    def column(self, names: list[str], why: str) -> str:
        if not names:
            raise Unfit(why)
        name = str(self.rng.choice(names))
        self.fault.features = [name]
        return name

    def continuous(self, positive: bool = False) -> str:
        """A number with many values, so that a factor or a shift changes its distribution and not only its spelling."""
        fit = []
        for name, values in self.rows.numeric.items():
            x = values[self.mask][:4000]
            x = x[~np.isnan(x)]
            few = len(np.unique(x)) < 25 or (x == x[0]).mean() > 0.3 if len(x) else True
            if not few and (not positive or np.quantile(x, 0.05) > 0):
                fit.append(name)
        return self.column(fit, "no such number")

    def category(self, low: float, high: float) -> tuple[str, int]:
        """A category with its share in the segment between the two."""
        fit = []
        for name, codes in self.rows.categorical.items():
            shares = np.bincount(codes[self.mask & (codes >= 0)], minlength=2) / max(1, self.mask.sum())
            fit += [(name, int(k)) for k in np.flatnonzero((shares >= low) & (shares <= high))]
        if not fit:
            raise Unfit("no such category")
        name, code = fit[self.rng.integers(len(fit))]
        self.fault.features = [name]
        return name, code

    def spread(self, hit: np.ndarray) -> None:
        """A category that lives in one narrower segment would make that segment the true one."""
        for dim, codes in self.rows.segments.items():
            of_hit, of_all = (np.bincount(codes[m], minlength=len(self.world.dims[dim])) / max(1, m.sum()) for m in (hit, self.mask))
            if (of_hit.max() > 0.75 and of_all[of_hit.argmax()] < 0.7) or hit.sum() < 20:
                raise Unfit("confined to a narrower segment")

    def progress(self) -> np.ndarray:
        return (self.rows.time[self.mask] - self.fault.start) / (self.fault.end - self.fault.start)


class Unfit(Exception):
    """This fault does not suit this segment: another one is tried."""


def unit(factor: str) -> Callable[[Scene], None]:
    def make(s: Scene) -> None:
        name = s.continuous(positive=True)
        s.rows.numeric[name][s.mask] *= UNITS[factor]
        s.fault.description = f"{name} is sent in another unit: {factor}"

    return make


def scale(s: Scene) -> None:
    name, factor = s.continuous(positive=True), round(float(s.rng.uniform(1.25, 2.0)), 2)
    s.rows.numeric[name][s.mask] *= factor
    s.fault.description = f"{name} is {factor} times as large"


def small_scale(s: Scene) -> None:
    name = s.continuous(positive=True)
    s.rows.numeric[name][s.mask] *= 1.2
    s.fault.description = f"{name} is 1.2 times as large"


def shift(s: Scene) -> None:
    name, by = s.continuous(), float(s.rng.choice([-1, 1]) * s.rng.uniform(0.4, 1.2))
    x = s.rows.numeric[name]
    x[s.mask] += round(by * float(np.nanstd(x[s.mask])), s.world.decimals[name])
    s.fault.description = f"{name} moves by {by:.2f} standard deviations"


def gradual(s: Scene) -> None:
    name, to = s.continuous(positive=True), round(float(s.rng.uniform(1.7, 2.2)), 2)
    s.rows.numeric[name][s.mask] *= 1 + (to - 1) * np.minimum(1, s.progress() / 0.6)
    s.fault.description = f"{name} grows to {to} times over the first 60% of the time and stays"


def nulls(s: Scene) -> None:
    name, rate = str(s.rng.choice(list(s.rows.numeric) + list(s.rows.categorical))), round(float(s.rng.uniform(0.12, 0.8)), 2)
    s.fault.features = [name]
    hit = s.mask & (s.rng.random(len(s.rows)) < rate)
    if name in s.rows.numeric:
        s.rows.numeric[name][hit] = np.nan
    else:
        s.rows.categorical[name][hit] = -1
    s.fault.description = f"{name} goes missing in {rate:.0%} of rows"


def stuck(s: Scene) -> None:
    name = s.continuous()
    x = s.rows.numeric[name]
    last = x[s.mask][~np.isnan(x[s.mask])][0]
    x[s.mask] = last
    s.fault.description = f"{name} is stuck at {last:g}"


def respelled(s: Scene) -> None:
    name, code = s.category(0.1, 0.5)
    codes, words = s.rows.categorical[name], s.world.vocabulary[name]
    spelled = words[code].upper() if words[code].upper() != words[code] else words[code].lower() + " "
    hit = s.mask & (codes == code)
    s.spread(hit)
    if spelled not in words:
        words.append(spelled)
    codes[hit] = words.index(spelled)
    s.fault.description = f"{words[code]} of {name} is re-spelled {spelled!r}"


def new_category(s: Scene) -> None:
    name = s.column(list(s.rows.categorical), "no categories")
    share, words = round(float(s.rng.uniform(0.12, 0.3)), 2), s.world.vocabulary[name]
    words.append(f"{name}_new_{len(words)}")
    hit = s.mask & (s.rng.random(len(s.rows)) < share)
    s.rows.categorical[name][hit] = len(words) - 1
    s.fault.description = f"{words[-1]} takes {share:.0%} of {name}"


def category_mix(s: Scene) -> None:
    name, code = s.category(0.04, 0.35)
    share = round(float(s.rng.uniform(0.15, 0.45)), 2)
    hit = s.mask & (s.rng.random(len(s.rows)) < share)
    s.rows.categorical[name][hit] = code
    s.fault.description = f"{share:.0%} of {name} turn into {s.world.vocabulary[name][code]}"


def bad_release(how: str) -> Callable[[Scene], None]:
    def make(s: Scene) -> None:
        # A canary of 40% where the release is for all traffic, else the whole segment.
        if not s.fault.segment:
            s.mask &= s.rng.random(len(s.rows)) < 0.4
        s.rows.version[s.mask] = 1
        z = s.rows.logit[s.mask]
        match how:
            case "noise":
                s.rows.logit[s.mask] = s.rng.permutation(z)
            case "high":
                s.rows.logit[s.mask] = z + 1.3
            case _:
                s.rows.logit[s.mask] = np.median(z) + s.rng.normal(0, 0.05, len(z))
        s.fault.description = f"version {s.world.versions[1]} scores wrongly: {how}"

    return make


def calibration(s: Scene) -> None:
    by = float(s.rng.uniform(0.9, 1.4))
    p = sigmoid(s.rows.logit)
    q = sigmoid(s.rows.logit + by)
    turned = s.mask & ~s.rows.label & (s.rng.random(len(s.rows)) < (q - p) / (1 - p))
    s.rows.label[turned] = True
    s.fault.description = f"positives are {np.exp(by):.1f} times as likely as the score says; features and scores untouched"


def concept(s: Scene) -> None:
    z = s.rows.logit[s.mask]
    positives = int(s.rows.label[s.mask].sum())
    # The order of risk turns round, at an unchanged base rate (Gumbel top-k: a weighted draw without replacement).
    keys = -0.7 * z + s.rng.gumbel(size=len(z))
    label = np.zeros(len(z), bool)
    label[np.argsort(-keys)[:positives]] = True
    s.rows.label[s.mask] = label
    s.fault.description = "the label rule turns round at an unchanged base rate; features and scores untouched"


def volume(s: Scene) -> None:
    s.fault.description = "most of the traffic stops coming"


KINDS = {
    "unit_x100": Kind(30, (30, 72), unit("x100")), "unit_x60": Kind(30, (30, 72), unit("x60")),
    "unit_x1.609": Kind(80, (72, 120), unit("x1.609")), "unit_x0.001": Kind(30, (30, 72), unit("x0.001")),
    "scale": Kind(80, (96, 144), scale), "small_scale": Kind(200, (120, 168), small_scale), "shift": Kind(70, (72, 120), shift),
    "gradual": Kind(100, (168, 216), gradual), "null_jump": Kind(40, (36, 96), nulls), "stuck": Kind(80, (10, 30), stuck),
    "respelled": Kind(40, (36, 72), respelled), "new_category": Kind(50, (48, 96), new_category),
    "category_mix": Kind(70, (72, 120), category_mix),
    "bad_release_noise": Kind(500, (48, 96), bad_release("noise"), (0.7, 0.3, 0)),
    "bad_release_high": Kind(250, (30, 72), bad_release("high"), (0.5, 0.5, 0)),
    "bad_release_flat": Kind(250, (20, 60), bad_release("flat"), (0.5, 0.5, 0)),
    "calibration_shift": Kind(250, (144, 216), calibration, (0.3, 0.7, 0)),
    "concept_drift": Kind(250, (144, 216), concept, (0.3, 0.7, 0)), "volume_drop": Kind(60, (30, 60), volume, (0.3, 0.5, 0.2)),
}  # fmt: skip


def inside(rows: Rows, world: World, segment: dict[str, str], start: float, end: float) -> np.ndarray:
    mask = (rows.time >= start) & (rows.time < end)
    for dim, value in segment.items():
        mask &= rows.segments[dim] == world.dims[dim].index(value)
    return mask


def segments(world: World) -> list[list[dict[str, str]]]:
    """All traffic, every value, every pair of values."""
    single = [{d: v} for d, values in world.dims.items() for v in values]
    pairs = [
        dict(zip(names, values))
        for names in combinations(world.dims, 2)
        for values in product(*(world.dims[d] for d in names))
    ]
    return [[{}], single, pairs]


def psi(reference: Rows, rows: Rows, name: str) -> float:
    """In-segment PSI with nulls as a bin, ten bins, Jeffreys, less what chance alone gives."""
    if name in rows.numeric:
        r, x = reference.numeric[name], rows.numeric[name]
        edges = np.unique(np.nanquantile(r, np.arange(1, 10) / 10))
        p, q = (np.append(np.bincount(np.searchsorted(edges, v[~np.isnan(v)]), minlength=len(edges) + 1), np.isnan(v).sum()) for v in (r, x))
    else:
        r, x = reference.categorical[name] + 1, rows.categorical[name] + 1
        p, q = (np.bincount(v, minlength=int(max(r.max(), x.max())) + 1) for v in (r, x))
        # The commonest ten and the rest, as a window would merge them.
        top = np.argsort(-(p + q * p.sum() / max(1, q.sum())))[:10]
        p, q = (np.append(v[top], v.sum() - v[top].sum()) for v in (p, q))
    n, m, bins = q.sum(), p.sum(), len(p)
    p, q = (p + 0.5) / (m + bins / 2), (q + 0.5) / (n + bins / 2)
    return float(((q - p) * np.log(q / p)).sum() - (bins - 1) * (1 / n + 1 / m))


def judge_effect(fault: Fault, reference: Rows, after: Rows, window: float) -> None:
    """How much there is to see, and from that how hard it is: evidence is about rows times PSI."""
    hours = (fault.end - fault.start) / HOUR
    n = len(after)
    fault.measured |= {"events_in_fault": n, "events_per_day_in_segment": round(n * 24 / hours, 1)}
    if not fault.features:
        return
    effect = psi(reference, after, fault.features[0])
    fault.measured["psi_nullbin"] = round(effect, 3)
    one_window = effect * n * min(1.0, window / (fault.end - fault.start))
    if effect < 0.12 or effect * n < 25:
        fault.difficulty = "optional"
    else:
        fault.difficulty = "easy" if one_window > 80 else "medium" if one_window > 25 else "hard"


def rows_per_day(rows: Rows) -> float:
    return len(rows) / max(1.0, (rows.time[-1] - rows.time[0]) / DAY)
