"""Writes compare-NAME.json: what another tool says of the fixtures, for `holdfast compare` to agree with.

Run it in this folder, each name in an environment that has the packages:

    python3 generate_compare.py scipy       # numpy 2.4, scipy 1.17
    python3 generate_compare.py evidently   # evidently 0.7.23, pandas < 3
    python3 generate_compare.py nannyml     # nannyml 0.13.1
    python3 generate_compare.py tfdv        # tensorflow-data-validation 1.16.1 (its validator library alone is loaded)
"""

import csv
import json
import math
import sys

NUMERIC = ["lead_time", "adr", "children", "stays_in_week_nights", "prediction"]
CATEGORICAL = ["agent", "meal", "reserved_room_type", "hotel"]


def columns():
    """Every fixture column as (name, is numeric, reference, current), without nulls."""
    tables = [list(csv.DictReader(open(f"hotel-{side}.csv"))) for side in ("reference", "current")]
    for name in NUMERIC + CATEGORICAL:
        sides = [[row[name] for row in table if row[name] != ""] for table in tables]
        if name in NUMERIC:
            # As pandas reads the file: whole numbers without nulls are integers.
            whole = all("." not in v for s in sides for v in s) and all(row[name] != "" for t in tables for row in t)
            sides = [[int(v) if whole else float(v) for v in side] for side in sides]
        yield name, name in NUMERIC, *sides
    # Large enough for nannyml to bin, and wider than the reference on both sides.
    reference = [((i * 7919) % 10007) / 100 for i in range(12000)]
    current = [((i * 104729) % 12011) / 100 - 5 for i in range(3000)]
    yield "large", True, reference, current


def scipy_says(is_numeric, x, y):
    import numpy as np
    from scipy import stats
    from scipy.spatial.distance import jensenshannon

    if is_numeric:
        edges = np.unique(np.quantile(x, np.arange(1, 10) / 10))
        p, q = (np.bincount(np.searchsorted(edges, v, side="left"), minlength=len(edges) + 1) for v in (x, y))
    else:
        keys = sorted(set(x))
        p = np.array([x.count(k) for k in keys] + [0])
        q = np.array([y.count(k) for k in keys] + [sum(v not in set(keys) for v in y)])
    n, m, bins = len(y), len(x), len(p)
    smooth_p, smooth_q = (p + 0.5) / (m + bins / 2), (q + 0.5) / (n + bins / 2)
    out = {
        "psi": np.sum((smooth_q - smooth_p) * np.log(smooth_q / smooth_p)),
        "kl": stats.entropy(smooth_q, smooth_p),
        "kl_reversed": stats.entropy(smooth_p, smooth_q),
        "js_distance": jensenshannon(p / m, q / n, base=2),
        "js_divergence": jensenshannon(p / m, q / n) ** 2,
        "hellinger": math.sqrt(max(0, 1 - np.sum(np.sqrt(p / m * q / n)))),
        "tvd": np.abs(p / m - q / n).sum() / 2,
        "l_infinity": np.abs(p / m - q / n).max(),
    }
    if is_numeric:
        exact = len(x) * len(y) <= 4_000_000 and len(set(x) | set(y)) == n + m
        ks = stats.ks_2samp(x, y, method="exact" if exact else "asymp")
        sd = np.std(x, ddof=1)
        out |= {
            "ks": ks.statistic,
            "ks_p": ks.pvalue,
            "wasserstein": stats.wasserstein_distance(x, y),
            "wasserstein_normed": stats.wasserstein_distance(x, y) / sd,
            "cramer_von_mises": stats.cramervonmises_2samp(x, y, method="asymptotic").statistic,
            "anderson_darling": stats.anderson_ksamp([x, y], variant="midrank").statistic,
            "energy": stats.energy_distance(x, y),
            "mean": np.mean(y),
            "sd": np.std(y, ddof=1),
        } | {f"p{k:02}": np.quantile(y, k / 100) for k in (1, 5, 10, 25, 50, 75, 90, 95, 99)}
        p, q = p[p + q > 0], q[p + q > 0]
        out["chi2"], out["chi2_p"] = stats.chi2_contingency([p, q], correction=False)[:2]
    return out


def evidently_says(is_numeric, x, y):
    import pandas as pd
    from evidently.legacy.calculations import stattests
    from evidently.legacy.core import ColumnType

    kind = ColumnType.Numerical if is_numeric else ColumnType.Categorical

    def test(stat_test):
        return stat_test(pd.Series(x), pd.Series(y), kind, None).drift_score

    out = {
        "psi": test(stattests.psi_stat_test),
        "kl_reversed": test(stattests.kl_div_stat_test),
        "js_distance": test(stattests.jensenshannon_stat_test),
        "hellinger": test(stattests.hellinger_stat_test),
    }
    if is_numeric:
        out["wasserstein_normed"] = test(stattests.wasserstein_stat_test)
        # Ours is asymptotic for more pairs than this.
        if len(x) * len(y) <= 4_000_000:
            out["ks_p"] = test(stattests.ks_stat_test)
    else:
        out["chi2_p"] = test(stattests.chi_stat_test)
    return out


def nannyml_says(is_numeric, x, y):
    import pandas as pd
    from nannyml.chunk import DefaultChunker
    from nannyml.drift.univariate.methods import FeatureType, MethodFactory
    from nannyml.thresholds import ConstantThreshold

    kind = FeatureType.CONTINUOUS if is_numeric else FeatureType.CATEGORICAL

    def method(key):
        made = MethodFactory.create(
            key, kind, chunker=DefaultChunker(), threshold=ConstantThreshold(lower=0, upper=1)
        )
        return made._fit(pd.Series(x))._calculate(pd.Series(y)), made

    out = {"js_distance": method("jensen_shannon")[0], "hellinger": method("hellinger")[0]}
    if is_numeric:
        out["ks"] = method("kolmogorov_smirnov")[0]
        out["wasserstein"] = method("wasserstein")[0]
    else:
        out["l_infinity"] = method("l_infinity")[0]
        out["chi2"], made = method("chi2")
        out["chi2_p"] = made._p_value
    return out


def tfdv_says(is_numeric, x, y):
    return {} if is_numeric else tfdv_distances(False, None, tally(x), tally(y))


def tally(values):
    return {k: values.count(k) for k in set(values)}


def tfdv_distances(is_numeric, edges, x, y):
    """The drift measurements of TFDV's own validator for statistics as its generator would have written them."""
    import importlib.util
    import sysconfig

    from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

    folder = sysconfig.get_path("purelib") + "/tensorflow_data_validation/pywrap/"
    name = "tensorflow_data_validation_extension"
    spec = importlib.util.spec_from_file_location(name, folder + name + ".so")
    library = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(library)

    def statistics(counts):
        dataset = statistics_pb2.DatasetFeatureStatistics(num_examples=int(sum(counts.values())))
        feature = dataset.features.add(name="column")
        if is_numeric:
            feature.type = statistics_pb2.FeatureNameStatistics.FLOAT
            common = feature.num_stats.common_stats
            histogram = feature.num_stats.histograms.add(type=statistics_pb2.Histogram.STANDARD)
            for i, count in counts.items():
                histogram.buckets.add(low_value=edges[i], high_value=edges[i + 1], sample_count=count)
        else:
            feature.type = statistics_pb2.FeatureNameStatistics.STRING
            common = feature.string_stats.common_stats
            for label, count in counts.items():
                feature.string_stats.rank_histogram.buckets.add(label=label, sample_count=count)
            feature.string_stats.unique = len(counts)
        common.num_non_missing = int(sum(counts.values()))
        common.min_num_values = common.max_num_values = 1
        return dataset

    out = {}
    for metric, comparator in (("js", "jensen_shannon_divergence"), ("l_infinity", "infinity_norm")):
        if is_numeric and metric == "l_infinity":
            continue
        schema = schema_pb2.Schema()
        kind = schema_pb2.FLOAT if is_numeric else schema_pb2.BYTES
        feature = schema.feature.add(name="column", type=kind)
        getattr(feature.drift_comparator, comparator).threshold = 0.0
        reference, current = statistics(x).SerializeToString(), statistics(y).SerializeToString()
        answer = library.validation.ValidateFeatureStatistics(
            current, schema.SerializeToString(), b"", reference, b"", b"", b"", b"", False
        )
        anomalies = anomalies_pb2.Anomalies.FromString(answer)
        measured = anomalies.drift_skew_info[0].drift_measurements
        out[metric] = measured[0].value
    return out


def main(tool):
    says = {"scipy": scipy_says, "evidently": evidently_says, "nannyml": nannyml_says, "tfdv": tfdv_says}[tool]
    result = {}
    for name, is_numeric, x, y in columns():
        numbers = {k: float(v) for k, v in says(is_numeric, x, y).items()}
        result[name] = {k: v if math.isfinite(v) else None for k, v in numbers.items()}
    if tool == "tfdv":
        counts = [dict(enumerate(c)) for c in ([10, 20, 0, 30, 5], [4, 30, 2, 9, 0])]
        result["counts"] = tfdv_distances(True, [0, 1, 2, 3, 4, 5], *counts)
    with open(f"compare-{tool}.json", "w") as file:
        json.dump(result, file, indent=1, sort_keys=True)
        file.write("\n")


main(sys.argv[1])
