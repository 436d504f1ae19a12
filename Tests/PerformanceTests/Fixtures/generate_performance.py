"""What scikit-learn says of performance, for PerformanceGoldenTests. Run: python3 generate_performance.py (needs numpy, scikit-learn).

Every score and label of the small cases is in performance.json. The large ones are made by SplitMix64 on both sides, as
`large` says, so that only their figures are stored.
"""
import json
import math
import pathlib
import warnings

import numpy as np
from sklearn import metrics as m

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20260301)


def finite(x):
    return float(x) if x is not None and math.isfinite(x) else None


def ece(y, s):
    bins = np.minimum((s * 10).astype(int), 9)
    return float(sum(abs(y[bins == b].sum() - s[bins == b].sum()) for b in range(10)) / len(y))


def lift(y, s):
    # Ties at the border count in part.
    want = 0.1 * len(y)
    taken = hits = 0.0
    for value in sorted(set(s), reverse=True):
        mask = s == value
        part = min(1, (want - taken) / mask.sum())
        hits += y[mask].sum() * part
        taken += mask.sum() * part
        if taken >= want - 1e-12:
            break
    return hits / want / (y.sum() / len(y))


def binary(y, s, threshold=0.5):
    y, s = np.asarray(y), np.asarray(s, dtype=float)
    p = (s >= threshold).astype(int)
    both = 0 < y.sum() < len(y)
    tp, fp = int((p & y).sum()), int((p & (1 - y)).sum())
    return {
        "auroc": finite(m.roc_auc_score(y, s)) if both else None,
        "aupr": finite(m.average_precision_score(y, s)) if both else None,
        "accuracy": finite(m.accuracy_score(y, p)),
        "precision": finite(m.precision_score(y, p)) if p.sum() else None,
        "recall": finite(m.recall_score(y, p)) if y.sum() else None,
        "f1": finite(m.f1_score(y, p)) if y.sum() or p.sum() else None,
        "log_loss": finite(m.log_loss(y, s, labels=[0, 1])),
        "brier": finite(np.mean((s - y) ** 2)),
        "ece": ece(y, s),
        "lift": finite(lift(y, s)) if y.sum() else None,
        "base_rate": finite(y.mean()),
        "mean_score": finite(s.mean()),
        "confusion": [tp, fp, int(((1 - p) & (1 - y)).sum()), int(((1 - p) & y).sum())],
    }


def binary_cases():
    for n in (1, 2, 3, 10, 200, 1000):
        s = rng.random(n)
        y = (rng.random(n) < s).astype(int)
        yield f"random {n}", y, s
    n = 400
    yield "rounded scores, many ties", rng.integers(0, 2, n), np.round(rng.random(n), 1)
    yield "constant score", rng.integers(0, 2, n), np.full(n, 0.3)
    yield "only positives", np.ones(n, int), rng.random(n)
    yield "only negatives", np.zeros(n, int), rng.random(n)
    yield "one positive among many", np.array([1] + [0] * (n - 1)), rng.random(n)
    yield "perfect", np.array([0] * 200 + [1] * 200), np.sort(rng.random(n))
    yield "reversed", np.array([1] * 200 + [0] * 200), np.sort(rng.random(n))
    yield "scores of 0 and 1", rng.integers(0, 2, n), rng.integers(0, 2, n).astype(float)
    yield "scores close to 1", rng.integers(0, 2, n), 1 - rng.random(n) * 1e-12
    yield "scores close to 0", rng.integers(0, 2, n), rng.random(n) * 1e-300
    yield "scores at the bins' edges", rng.integers(0, 2, n), rng.integers(0, 11, n) / 10
    yield "rare positives", (rng.random(n) < 0.02).astype(int), rng.beta(1, 40, n)


def regression(y, v):
    y, v = np.asarray(y, float), np.asarray(v, float)
    return {
        "mae": finite(m.mean_absolute_error(y, v)),
        "rmse": finite(math.sqrt(m.mean_squared_error(y, v))),
        "r2": finite(m.r2_score(y, v)) if len(y) > 1 and y.var() > 0 else None,
        "mape": finite(m.mean_absolute_percentage_error(y, v)),
        "bias": finite(np.mean(v - y)),
    }


def regression_cases():
    for n in (1, 2, 10, 500):
        y = rng.normal(50, 20, n)
        yield f"random {n}", y, y + rng.normal(1, 5, n)
    yield "constant labels", np.full(50, 3.0), rng.normal(3, 1, 50)
    yield "exact", np.arange(1, 50.0), np.arange(1, 50.0)
    yield "large offset", rng.normal(1e6, 1, 200), rng.normal(1e6, 1, 200)
    yield "whole numbers and a zero", np.arange(0, 40.0), np.arange(0, 40.0)[::-1]


def classes(y, p):
    return {
        "accuracy": finite(m.accuracy_score(y, p)),
        "precision": finite(m.precision_score(y, p, average="macro", zero_division=0)),
        "recall": finite(m.recall_score(y, p, average="macro", zero_division=0)),
        "f1": finite(m.f1_score(y, p, average="macro", zero_division=0)),
        "f1_micro": finite(m.f1_score(y, p, average="micro", zero_division=0)),
    }


def class_cases():
    names = np.array(["cat", "dog", "owl", "bee"])
    for n in (1, 2, 30, 400):
        y = rng.integers(0, 4, n)
        p = np.where(rng.random(n) < 0.6, y, rng.integers(0, 4, n))
        yield f"random {n}", names[y], names[p]
    yield "never predicted, never true", np.array(["a"] * 5 + ["b"] * 5), np.array(["a"] * 5 + ["c"] * 5)


def ndcg_cases():
    for n, k in ((1, None), (2, None), (5, 3), (20, 5), (20, None), (50, 10)):
        if n == 1:  # scikit-learn refuses a single item
            yield {"scores": [0.4], "relevance": [2.0], "k": None, "ndcg": 1.0}
            continue
        s = np.round(rng.random(n), 1 if n == 50 else 6)
        r = rng.integers(0, 4, n).astype(float)
        yield {"scores": s.tolist(), "relevance": r.tolist(), "k": k, "ndcg": finite(m.ndcg_score([r], [s], k=k))}
    yield {"scores": [0.1, 0.2], "relevance": [0.0, 0.0], "k": None, "ndcg": 0.0}
    yield {"scores": [0.5] * 4, "relevance": [3.0, 0.0, 1.0, 2.0], "k": 2,
           "ndcg": finite(m.ndcg_score([[3, 0, 1, 2]], [[0.5] * 4], k=2))}


def splitmix(seed, n):
    mask, state, out = (1 << 64) - 1, seed, []
    for _ in range(n):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        out.append((z ^ (z >> 31)) >> 11)
    return np.array(out, dtype=np.uint64).astype(float) / 2.0**53


def large(seed, n, power, low, high):
    """Score low + (high − low)·u^power, positive where another u is below the score."""
    u = splitmix(seed, 2 * n)
    s = low + (high - low) * u[:n] ** power
    return (u[n:] < s).astype(int), s


LARGE = [(1, 100000, 1.0, 0.0, 1.0), (2, 100000, 4.0, 0.0, 1.0), (3, 100000, 1.0, 0.4, 0.6), (4, 50000, 12.0, 0.0, 1.0),
         (5, 50000, 1.0, 0.999, 1.0)]

out = {
    "binary": [
        {"name": n, "labels": [int(x) for x in y], "scores": [float(x) for x in s], "metrics": binary(y, s)}
        for n, y, s in binary_cases()
    ],
    "regression": [
        {"name": n, "labels": y.tolist(), "values": v.tolist(), "metrics": regression(y, v)}
        for n, y, v in regression_cases()
    ],
    "classes": [
        {"name": n, "labels": y.tolist(), "predicted": p.tolist(), "metrics": classes(y, p)}
        for n, y, p in class_cases()
    ],
    "ndcg": list(ndcg_cases()),
    "large": [],
}
for seed, n, power, low, high in LARGE:
    y, s = large(seed, n, power, low, high)
    out["large"].append(
        {"seed": seed, "rows": n, "power": power, "low": low, "high": high,
         "metrics": {k: v for k, v in binary(y, s).items() if k not in ("lift", "confusion")}})

path = pathlib.Path(__file__).with_name("performance.json")
path.write_text(json.dumps(out) + "\n")
print(path.stat().st_size)
