"""Writes statistics.json: what numpy and scipy say, for the tests of Statistics to agree with.

Run it in this folder: python3 generate_statistics.py (numpy 2, scipy 1.17). The seed is fixed.
"""

import json
import warnings

import numpy as np
from scipy import special, stats
from scipy.spatial.distance import jensenshannon

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20250106)


def number(x):
    x = float(x)
    return x if np.isfinite(x) else None


def smoothed(counts, kind):
    c = np.asarray(counts, float)
    n, b = c.sum(), len(c)
    if kind == "jeffreys":
        return (c + 0.5) / (n + b / 2)
    if kind == "laplace":
        return (c + 1) / (n + b)
    if kind == "floor(1e-4)":
        return np.maximum(c / n, 1e-4)
    return c / n


def psi(p, q):
    both = (p > 0) | (q > 0)
    p, q = p[both], q[both]
    with np.errstate(divide="ignore"):
        return np.sum((q - p) * np.log(q / p))


def contingency(p, q, merging):
    table = np.array([p, q], float)
    table = table[:, table.sum(0) > 0]
    if merging:
        expected = table.sum(0) * table.sum(1).min() / table.sum()
        rest = table[:, expected < 5].sum(1, keepdims=True)
        filled = table.shape[1]
        table = table[:, expected >= 5]
        if rest.sum() > 0:
            table = np.hstack([table, rest])
        if table.shape[1] == 1 and filled > 1:
            return None
    return table


def tests_of(p, q, merging):
    table = contingency(p, q, merging)
    if table is None:
        return {"chi2": None, "chi2_p": None, "cramers_v": None, "psi_p": None}
    chi2, chi2_p = (0.0, 1.0) if table.shape[1] == 1 else stats.chi2_contingency(table, correction=False)[:2]
    total, k = table.sum(), table.shape[1]
    if k == 1:
        v = 0.0
    else:
        phi2 = max(0, chi2 / total - (k - 1) / (total - 1))
        least = min(k - (k - 1) ** 2 / (total - 1), 2 - 1 / (total - 1)) - 1
        v = min(1, np.sqrt(phi2 / least)) if least > 0 else 0
    n, m = table[1].sum(), table[0].sum()
    statistic = psi(smoothed(table[0], "jeffreys"), smoothed(table[1], "jeffreys")) / (1 / n + 1 / m)
    p = stats.chi2.sf(statistic, k - 1) if k > 1 else 1.0
    return {"chi2": chi2, "chi2_p": chi2_p, "cramers_v": v, "psi_p": p}


def histogram_case(reference, current):
    p, q = smoothed(reference, "none"), smoothed(current, "none")
    case = {"reference": [int(x) for x in reference], "current": [int(x) for x in current], "metrics": {}}
    out = case["metrics"]
    for kind in ("jeffreys", "laplace", "floor(1e-4)", "none"):
        a, b = smoothed(reference, kind), smoothed(current, kind)
        out["psi " + kind] = psi(a, b)
        # scipy renormalises, which is the convention for the floor and changes nothing for the others.
        out["kl " + kind] = stats.entropy(b, a)
        out["kl_reversed " + kind] = stats.entropy(a, b)
    distance = jensenshannon(p, q, base=2)
    out["js"] = distance**2
    out["js_distance"] = distance
    out["js_divergence"] = jensenshannon(p, q) ** 2
    out["hellinger"] = np.sqrt(np.sum((np.sqrt(p) - np.sqrt(q)) ** 2) / 2)
    out["tvd"] = np.abs(p - q).sum() / 2
    out["l_infinity"] = np.abs(p - q).max()
    for name, merging in (("", False), (" merged", True)):
        for key, value in tests_of(reference, current, merging).items():
            out[key + name] = value
    case["metrics"] = {k: None if v is None else number(v) for k, v in out.items()}
    return case


def histograms():
    cases = [
        ([5], [7]),
        ([1, 0], [0, 1]),
        ([10, 0, 0], [0, 0, 10]),
        ([100] * 10, [100] * 10),
        ([100] * 10, [1000] + [0] * 9),
        ([0, 3, 0, 9], [0, 4, 0, 2]),
        ([10**12] * 5, [10**12 + 10**7 * i for i in range(5)]),
        ([10**9, 3, 10**9], [10**9, 0, 10**9 + 12345]),
        ([30] * 10, [1] + [0] * 9),
    ]
    for _ in range(150):
        bins = int(rng.integers(2, 16))
        alpha = rng.choice([0.2, 1, 10])
        p = rng.dirichlet([alpha] * bins)
        q = 0.7 * p + 0.3 * rng.dirichlet([alpha] * bins) if rng.random() < 0.7 else rng.dirichlet([alpha] * bins)
        m, n = (int(10 ** rng.uniform(0.3, 6)) for _ in range(2))
        cases.append((rng.multinomial(m, p), rng.multinomial(n, q)))
    return [histogram_case(a, b) for a, b in cases]


def sample_case(x, y):
    x, y = np.asarray(x, float), np.asarray(y, float)
    tied = len(np.unique(np.concatenate([x, y]))) < len(x) + len(y)
    ks = stats.ks_2samp(x, y, method="asymp" if tied else "auto")
    asymptotic = stats.ks_2samp(x, y, method="asymp").pvalue
    same = len(np.unique(np.concatenate([x, y]))) == 1
    big = len(x) > 1 and len(y) > 1
    return {
        "x": x.tolist(),
        "y": y.tolist(),
        "metrics": {
            "ks": number(ks.statistic),
            "ks_p": number(ks.pvalue),
            "ks_p asymptotic": number(asymptotic),
            "wasserstein": number(stats.wasserstein_distance(x, y)),
            "energy": number(stats.energy_distance(x, y)),
            "cramer_von_mises": number(stats.cramervonmises_2samp(x, y, method="asymptotic").statistic) if big else None,
            "anderson_darling": None
            if same or len(x) + len(y) < 4
            else number(stats.anderson_ksamp([x, y]).statistic),
        },
    }


def samples():
    cases = [
        ([1.0], [1.0, 2.0]),
        ([3.5] * 8, [3.5] * 5),
        ([0, 0, 0, 1], [1, 1, 0]),
        (np.arange(5.0), np.arange(5.0) + 100),
        ([-1e300, 0, 1e300], [-1e299, 5, 7, 1e299]),
        (np.arange(50.0), np.arange(50.0)),
    ]
    for i in range(70):
        m, n = (int(rng.integers(2, 70)) for _ in range(2))
        shift = rng.choice([0, 0.3, 2])
        x, y = rng.normal(size=m), rng.normal(shift, rng.choice([1, 2]), size=n)
        if i % 3 == 1:
            x, y = np.round(x * 2), np.round(y * 2)
        elif i % 3 == 2:
            x, y = np.round(np.exp(x), 3), np.round(np.exp(y), 3)
        cases.append((x, y))
    cases.append((rng.normal(size=400), rng.normal(0.1, size=300)))
    return [sample_case(x, y) for x, y in cases]


def quantiles():
    cases = []
    for n in (1, 2, 3, 7, 10, 11, 64, 101):
        for scale in (1, 1e-5, 1e9):
            x = np.sort(rng.normal(size=n) * scale)
            if n % 2:
                x = np.round(x, 1)
            at = [0, 0.01, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.99, 1]
            cases.append({"x": x.tolist(), "at": at, "values": np.quantile(x, at).tolist()})
    return cases


def functions():
    out = {"chi2_sf": [], "chi2_isf": [], "normal_cdf": [], "normal_quantile": [], "kolmogorov": [], "kstwo": []}
    for df in (1, 2, 3, 9, 10, 49, 240, 1000, 4000):
        for ratio in (0.01, 0.3, 0.8, 0.99, 1, 1.01, 1.2, 2, 5):
            out["chi2_sf"].append([df * ratio, df, float(stats.chi2.sf(df * ratio, df))])
        for p in (1e-12, 1e-5, 0.01, 0.05, 0.5, 0.9, 0.999):
            out["chi2_isf"].append([p, df, float(stats.chi2.isf(p, df))])
    out["chi2_sf"] = [row for row in out["chi2_sf"] if row[2] > 1e-290]
    for z in (-30, -8, -3, -1.5, -0.1, 0, 0.2, 1, 2.5, 6):
        out["normal_cdf"].append([z, float(stats.norm.cdf(z))])
    for p in (1e-200, 1e-20, 1e-6, 0.01, 0.024, 0.025, 0.3, 0.5, 0.8, 0.975, 0.999999):
        out["normal_quantile"].append([p, float(stats.norm.ppf(p))])
    for z in (0.1, 0.2, 0.4, 0.7, 0.99, 1, 1.01, 1.36, 2, 4, 10):
        out["kolmogorov"].append([z, float(special.kolmogorov(z))])
    for n in (1, 2, 5, 12, 50, 140, 141, 500, 1999, 2001, 5001, 20000, 123456):
        for z in (0.05, 0.2, 0.4, 0.6, 0.8, 0.9, 1.1, 1.36, 1.48, 1.5, 2, 3, 5, 9, 15):
            d = z / np.sqrt(n)
            value = float(stats.kstwo.sf(d, n)) if d < 1 else 0.0
            if d < 1 and (value == 0 or value > 1e-280):
                out["kstwo"].append([d, n, value])
        for d in (0.4 / n, 0.9 / n, 1.7 / n, 0.3, 0.5, 0.7, 1 - 0.5 / n):
            value = float(stats.kstwo.sf(d, n))
            if value > 1e-280:
                out["kstwo"].append([float(d), n, value])
    return out


if __name__ == "__main__":
    golden = {
        "histograms": histograms(),
        "samples": samples(),
        "quantiles": quantiles(),
        "functions": functions(),
    }
    with open("statistics.json", "w") as file:
        json.dump(golden, file, separators=(",", ":"), allow_nan=False)
        file.write("\n")
