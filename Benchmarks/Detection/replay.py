"""The product over a stream: reference, replay with a rule pack, and its alerts as the scorer reads them."""

import json
import subprocess
import time
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from measure import NotMeasured
from rows import seconds
from score import Alert, primary, relation

CONFIG = """state: ./state
models:
  - name: {model}
    task: binary
    positive: "1"
    threshold: {threshold}
    reference: reference.json
    segments: {segments}
    window: {{pane: 1h, size: 1d, every: {every}, lateness: 10m}}
    labels: {{horizon: 30d}}
rules: [{pack}]
"""


@dataclass
class Firing:
    """One alert's time of firing: an end of None is one that never resolved."""

    alert: Alert
    name: str
    version: str | None
    resolved: float | None
    """The end of the window in which it resolved, which for performance is long before the labels were in."""


@dataclass
class Replay:
    firings: list[Firing]
    other: list[str]
    """Alerts about the rules themselves, such as RuleLimitExceeded."""
    snapshots: Path
    seconds: float

    @property
    def alerts(self) -> list[Alert]:
        return [f.alert for f in self.firings]


def replay(program: Path, pack: Path, folder: Path, out: Path, every: str = "1d") -> Replay:
    """Runs the stream of `folder`, its reference learned once for all packs."""
    manifest = json.loads((folder / "manifest.json").read_text())
    out.mkdir(parents=True, exist_ok=True)
    dims = manifest["dimensions"]
    crosses = [[d] for d in dims] + [list(pair) for pair in combinations(dims, 2)]
    segments = json.dumps([c[0] if len(c) == 1 else c for c in crosses])
    flags = [flag for c in crosses for flag in ("--segment", ",".join(c))]
    reference = out / "reference.json"
    run([program, "reference", "build", "--model", manifest["model"], *flags, folder / "reference.jsonl.gz", "-o", reference])
    config = CONFIG.format(model=manifest["model"], threshold=manifest["threshold"], segments=segments, every=every, pack=pack)
    (out / "holdfast.yaml").write_text(config)
    start = time.monotonic()
    run([program, "replay", "--config", out / "holdfast.yaml", "--order", "file", "--out", out, folder / "events.jsonl.gz"])
    taken = time.monotonic() - start
    firings, other = read(out / "alerts.jsonl")
    return Replay(firings, other, out / "snapshots.jsonl", taken)


def run(command: list[Any]) -> None:
    done = subprocess.run([str(c) for c in command], check=False, capture_output=True, text=True, timeout=1800)
    if done.returncode != 0:
        said = (done.stderr.strip() or "nothing on stderr").splitlines()[-1]
        raise NotMeasured(f"{Path(command[0]).name} {command[1]} ended with {done.returncode}: {said}")


def read(path: Path) -> tuple[list[Firing], list[str]]:
    """The firing transitions of alerts.jsonl, each with the transition that ended it."""
    firings: list[Firing] = []
    open_: dict[str, Firing] = {}
    other: list[str] = []
    for line in path.read_text().splitlines():
        o = json.loads(line)
        column, context = o["labels"].get("column"), o.get("context") or {}
        window = context.get("window") or {}
        if column is None:
            other += [o["labels"]["alertname"]] if o["status"] == "firing" else []
            continue
        if o["status"] == "resolved":
            if (firing := open_.pop(o["fingerprint"], None)) is not None:
                firing.resolved = seconds(window.get("end") or o["at"])
        elif o["status"] == "firing" and o["fingerprint"] not in open_:
            end = seconds(window.get("end") or o["at"])
            start = seconds(window["start"]) if "start" in window else end - 86400
            alert = Alert(seconds(o["at"]), start, end, target(column), o.get("segment") or {}, severity(context))
            firing = Firing(alert, o["labels"]["alertname"], o["labels"].get("version"), None)
            firings.append(firing)
            open_[o["fingerprint"]] = firing
    return firings, other


def target(column: str) -> str:
    if column == "prediction":
        return "score"
    return column if column in ("performance", "volume", "schema") else f"feature:{column}"


def severity(context: dict[str, Any]) -> float:
    evidence = context.get("evidence") or {}
    if evidence.get("ln_threshold"):
        return evidence["ln_e"] / evidence["ln_threshold"]
    value, threshold = context.get("value"), context.get("threshold")
    return abs(value / threshold) if value is not None and threshold else 0.0


def outliving(manifest: dict[str, Any], firings: list[Firing], window: float, last: float) -> list[tuple[Firing, str, float]]:
    """Alerts that belong to a fault and go on for over two windows after the last window it touches, with the hours too many.

    A fault that ends in the middle of a window is still in that window's counts, so its evidence ends with the window."""
    made = []
    for firing in firings:
        a = firing.alert
        for f in manifest["faults"]:
            start, end = seconds(f["start"]), seconds(f["end"])
            if relation(a.segment, f["segment"]) is None or a.target not in primary(f) | set(f.get("secondary", [])):
                continue
            if not (a.start < end and a.end > start):
                continue
            gone = -(-end // window) * window
            until = last if firing.resolved is None else firing.resolved
            if until > gone + 2 * window:
                made.append((firing, f["id"], (until - gone) / 3600 - 2 * window / 3600))
            break
    return made
