"""What a data scientist does with MLflow's own client, against the address given as the only argument.

Prints one line of JSON with what the test-suite looks at; any difference from what MLflow's server does is an exception.
"""

import hashlib
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from concurrent import futures

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

mlflow.set_tracking_uri(sys.argv[1])
client = MlflowClient()
seen = {}


def refused(code, call):
    try:
        call()
    except MlflowException as error:
        assert error.error_code == code, (error.error_code, code, error)
        return str(error)
    raise AssertionError(f"not refused with {code}")


def train():
    """Autolog with a grid search; the model by its run, registered, by alias."""
    mlflow.set_experiment("fraud")
    mlflow.sklearn.autolog(log_datasets=True)
    x, y = make_classification(n_samples=200, n_features=5, random_state=7)
    with mlflow.start_run(run_name="grid") as run:
        search = GridSearchCV(LogisticRegression(max_iter=200), {"C": [0.1, 1.0, 10.0]}, cv=2)
        search.fit(x, y)
    mlflow.sklearn.autolog(disable=True)
    children = mlflow.search_runs(
        experiment_names=["fraud"], filter_string=f"tags.mlflow.parentRunId = '{run.info.run_id}'"
    )
    seen["children"] = len(children)
    logged = client.get_run(run.info.run_id)
    assert logged.data.metrics and logged.data.params["cv"] == "2" and logged.inputs.dataset_inputs
    assert logged.outputs.model_outputs, "the run names no model it made"

    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(
            search.best_estimator_, name="model", registered_model_name="fraud-model", input_example=x[:2]
        )
    version = client.get_model_version("fraud-model", "1")
    assert version.source.startswith("models:/m-") and version.run_id == run.info.run_id
    seen["digest"] = version.tags.get("holdfast.digest.sha256", "")
    client.set_registered_model_alias("fraud-model", "champion", 1)
    assert client.get_model_version_by_alias("fraud-model", "champion").version == "1"
    for uri in ["models:/fraud-model@champion", "models:/fraud-model/1", info.model_uri, f"runs:/{run.info.run_id}/model"]:
        model = mlflow.sklearn.load_model(uri)
        assert (model.predict(x) == search.best_estimator_.predict(x)).all(), uri
    assert mlflow.pyfunc.load_model("models:/fraud-model@champion").predict(x[:3]).shape == (3,)
    # What a version consists of stays.
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "MLmodel")
        with open(path, "w") as file:
            file.write("changed")
        try:
            client.log_model_artifact(info.model_id, path)
        except Exception as error:
            assert "cannot be changed" in str(error) or "400" in str(error), error
        else:
            raise AssertionError("an artifact of a finished model was changed")
    return run, x, y


def registry():
    """The registry by its client: what is odd about MLflow's answers is part of it."""
    refused("RESOURCE_ALREADY_EXISTS", lambda: client.create_registered_model("fraud-model"))
    refused("RESOURCE_DOES_NOT_EXIST", lambda: client.get_registered_model("nobody"))
    refused("INVALID_PARAMETER_VALUE", lambda: client.get_model_version_by_alias("fraud-model", "nobody"))
    refused("RESOURCE_DOES_NOT_EXIST", lambda: client.get_model_version("fraud-model", "77"))
    refused("INVALID_PARAMETER_VALUE", lambda: client.set_registered_model_alias("fraud-model", "v1", 1))
    client.update_registered_model("fraud-model", description="finds fraud")
    client.set_registered_model_tag("fraud-model", "team", "risk")
    model = client.get_registered_model("fraud-model")
    assert model.description == "finds fraud" and model.tags == {"team": "risk"} and model.aliases == {"champion": "1"}
    second = client.create_model_version("fraud-model", "s3://bucket/fraud/2", tags={"origin": "elsewhere"})
    assert second.version == "2" and second.status == "READY"
    client.set_model_version_tag("fraud-model", "2", "checked", "yes")
    client.update_model_version("fraud-model", "2", description="second")
    client.transition_model_version_stage("fraud-model", "2", "Production")
    assert client.get_latest_versions("fraud-model", ["Production"])[0].version == "2"
    found = client.search_model_versions("name = 'fraud-model' AND tags.checked = 'yes'")
    assert [v.version for v in found] == ["2"]
    assert [v.version for v in client.search_model_versions("name='fraud-model'", order_by=["version_number ASC"])] == ["1", "2"]
    client.set_registered_model_alias("fraud-model", "shadow", 2)
    client.delete_model_version("fraud-model", "2")
    assert "shadow" not in client.get_registered_model("fraud-model").aliases
    third = client.create_model_version("fraud-model", "s3://bucket/fraud/3")
    assert third.version == "3", "numbers are never used again"
    client.rename_registered_model("fraud-model", "fraud-scorer")
    assert [m.name for m in client.search_registered_models("name LIKE 'fraud%'")] == ["fraud-scorer"]
    client.create_registered_model("short-lived")
    client.delete_registered_model("short-lived")
    client.create_registered_model("short-lived")


def tracking():
    """Metrics with history, batches, search, deletion."""
    experiment = client.create_experiment("search", tags={"purpose": "test"})
    refused("RESOURCE_ALREADY_EXISTS", lambda: client.create_experiment("search"))
    runs = []
    for i in range(6):
        run = client.create_run(experiment, run_name=f"run-{i}")
        runs.append(run.info.run_id)
        client.log_metric(run.info.run_id, "auc", 0.5 + i / 10, step=1)
        client.log_metric(run.info.run_id, "auc", 0.1, step=0)
        client.log_param(run.info.run_id, "depth", i % 2)
        client.set_tag(run.info.run_id, "parity", "even" if i % 2 == 0 else "odd")
    client.log_metric(runs[0], "loss", float("nan"))
    client.log_metric(runs[1], "loss", float("inf"))
    assert np.isnan(client.get_run(runs[0]).data.metrics["loss"])
    assert client.get_run(runs[5]).data.metrics["auc"] == 1.0, "the last step counts"
    history = client.get_metric_history(runs[5], "auc")
    assert sorted(m.step for m in history) == [0, 1]
    refused("INVALID_PARAMETER_VALUE", lambda: client.log_param(runs[0], "depth", 5))
    found = client.search_runs([experiment], "metrics.auc >= 0.7 AND tags.parity = 'even'", order_by=["metrics.auc DESC"])
    assert [r.info.run_id for r in found] == [runs[4], runs[2]]
    paged, token = [], None
    while True:
        page = client.search_runs([experiment], order_by=["metrics.auc ASC"], max_results=4, page_token=token)
        paged += [r.info.run_id for r in page]
        token = page.token
        if not token:
            break
    assert paged == runs
    assert len(client.search_runs([experiment], "attributes.run_name LIKE 'run-%' AND params.depth = '1'")) == 3
    assert len(client.search_runs([experiment], f"attributes.run_id IN ('{runs[0]}', '{runs[1]}')")) == 2
    refused("INVALID_PARAMETER_VALUE", lambda: client.search_runs([experiment], "metrics.auc >"))
    client.delete_run(runs[0])
    assert len(client.search_runs([experiment])) == 5
    client.restore_run(runs[0])
    client.set_terminated(runs[0], "FAILED")
    assert client.get_run(runs[0]).info.status == "FAILED"
    client.delete_experiment(experiment)
    assert client.get_experiment(experiment).lifecycle_stage == "deleted"
    client.restore_experiment(experiment)
    assert [e.name for e in client.search_experiments(filter_string="tags.purpose = 'test'")] == ["search"]


def artifacts():
    """Text, folders, and 200 MB."""
    with mlflow.start_run() as run:
        mlflow.log_text("hello", "notes/a b.txt")
        mlflow.log_dict({"a": 1}, "notes/deep/config.json")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "large.bin")
            piece = hashlib.sha256(b"piece").digest() * 32768
            with open(path, "wb") as file:
                for _ in range(200):
                    file.write(piece)
            mlflow.log_artifact(path, "large")
    listed = [(f.path, f.is_dir) for f in client.list_artifacts(run.info.run_id, "notes")]
    assert listed == [("notes/a b.txt", False), ("notes/deep", True)], listed
    assert mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/notes/a b.txt") == "hello"
    with tempfile.TemporaryDirectory() as folder:
        path = client.download_artifacts(run.info.run_id, "large/large.bin", folder)
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        expected = hashlib.sha256()
        for _ in range(200):
            expected.update(piece)
        assert digest.digest() == expected.digest()
        seen["large"] = os.path.getsize(path)


def prompts():
    """Prompts are models with a tag, and do not show among models."""
    mlflow.genai.register_prompt(name="greeting", template="Hello {{ name }}")
    mlflow.genai.register_prompt(name="greeting", template="Good day {{ name }}")
    mlflow.genai.set_prompt_alias("greeting", "live", 1)
    assert mlflow.genai.load_prompt("prompts:/greeting@live").template == "Hello {{ name }}"
    assert mlflow.genai.load_prompt("prompts:/greeting/2").template == "Good day {{ name }}"
    assert "greeting" not in [m.name for m in client.search_registered_models()]


def log_many(argument):
    address, experiment, worker = argument
    mlflow.set_tracking_uri(address)
    other = MlflowClient()
    run = other.create_run(experiment, run_name=f"worker-{worker}")
    for step in range(50):
        other.log_metric(run.info.run_id, "loss", 1 / (step + 1), step=step)
    return run.info.run_id


def concurrent():
    """Eight processes at once."""
    experiment = client.create_experiment("concurrent")
    with futures.ProcessPoolExecutor(8, mp_context=multiprocessing.get_context("fork")) as pool:
        ids = list(pool.map(log_many, [(sys.argv[1], experiment, i) for i in range(8)]))
    counts = [len(client.get_metric_history(i, "loss")) for i in ids]
    assert counts == [50] * 8, counts
    seen["processes"] = len(set(ids))


def cli():
    """The command line lists what the client made."""
    command = [sys.executable, "-m", "mlflow"]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": sys.argv[1]}
    listed = subprocess.run(
        [*command, "experiments", "search"], env=environment, capture_output=True, text=True, check=True
    )
    assert "Default" in listed.stdout and "concurrent" in listed.stdout, listed.stdout
    run = client.search_runs([client.get_experiment_by_name("concurrent").experiment_id])[0].info.run_id
    described = subprocess.run(
        [*command, "runs", "describe", "--run-id", run], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(described.stdout)["data"]["metrics"]["loss"] == 1 / 50


if __name__ == "__main__":
    for part in [train, tracking, artifacts, registry, prompts, concurrent, cli]:
        if len(sys.argv) > 2 and part.__name__ not in sys.argv[2:]:
            continue
        print(part.__name__, file=sys.stderr, flush=True)
        part()
    print(json.dumps(seen))
