"""Trains a good and a bad version of a model with autolog and registers both by MLflow's own client, then scores traffic.

Arguments: the server's address, the folder that files go to. Writes `training.jsonl` (what the reference is learned from),
`model.jsonl` and `data.jsonl` (traffic that both versions score, in which the bad version fails, or the data changes).
"""

import json
import os
import sys
from datetime import datetime, timedelta, timezone

import mlflow
import numpy as np
from mlflow import MlflowClient
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

address, folder = sys.argv[1:3]
mlflow.set_tracking_uri(address)
mlflow.set_experiment("payments")
mlflow.sklearn.autolog(log_datasets=False)
client = MlflowClient()
random = np.random.default_rng(7)


def rows(count, scale=1.0):
    amounts = random.gamma(2.0, 40.0, count) * scale
    hours = random.uniform(0, 24, count)
    fraud = random.uniform(size=count) < 1 / (1 + np.exp(-(amounts - 150) / 30))
    return np.column_stack([amounts, hours]), fraud.astype(int)


def train(x, y):
    with mlflow.start_run():
        model = LogisticRegression(max_iter=500).fit(x, y)
        info = mlflow.sklearn.log_model(model, name="model")
    held_out, truth = rows(2000)
    quality = average_precision_score(truth, model.predict_proba(held_out)[:, 1])
    version = mlflow.register_model(info.model_uri, "pay")
    client.set_model_version_tag("pay", version.version, "holdfast.metric.aupr", f"{quality:.6f}")


def write(name, start, x, versions):
    """Each row is scored by a version as a fleet does that loads it from the registry."""
    scores = {}
    for version, feed in versions.items():
        model = mlflow.sklearn.load_model(f"models:/pay/{version}")
        scores[version] = model.predict_proba(feed(x))[:, 1]
    with open(os.path.join(folder, name), "w") as file:
        for i, (amount, hour) in enumerate(x):
            version = list(versions)[i % len(versions)]
            at = start + timedelta(seconds=10 * i)
            event = {
                "model": "pay", "version": version, "id": f"{name}-{i}", "ts": at.isoformat().replace("+00:00", "Z"),
                "features": {"amount": float(amount), "hour": float(hour)},
                "prediction": {"score": float(scores[version][i])},
            }
            file.write(json.dumps(event) + "\n")


def same(x):
    return x


def cents(x):
    """The bad version's own feature code gives cents where the model was trained on units."""
    return x * [100.0, 1.0]


start = datetime(2025, 3, 1, tzinfo=timezone.utc)
x, y = rows(4000)
train(x, y)
train(*rows(4000))
write("training.jsonl", start - timedelta(seconds=40000), x, {"1": same})


def traffic(name, changed, versions):
    half = 3000
    before, _ = rows(half)
    write("calm", start, before, {"1": same, "2": same})
    write("late", start + timedelta(seconds=10 * half), changed, versions)
    with open(os.path.join(folder, name), "w") as file:
        for part in ["calm", "late"]:
            with open(os.path.join(folder, part)) as lines:
                file.writelines(line.replace(f'"{part}-', f'"{name}-{part}-') for line in lines)


traffic("model.jsonl", rows(3000)[0], {"1": same, "2": cents})
traffic("data.jsonl", rows(3000, scale=5.0)[0], {"1": same, "2": same})
