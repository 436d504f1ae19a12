"""Streams whose changes are documented: bench_pay_dev's faults, and the days on which car_loan, elec2 and concept_rt change."""

import argparse
import csv
import gzip
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import NotMeasured
from replay import Firing, Replay, outliving, replay
from report import note, show
from rows import DAY, seconds, stamp
from score import score
from shown import Figures, findings


@dataclass(frozen=True)
class Change:
    at: str
    what: str
    targets: tuple[str, ...]


# As the READMEs of the streams say. What else moves there is natural and counts neither way, but nothing may fire before the first change.
CHANGES = {
    "car_loan": [
        Change("2019-03-31T03:00:00Z", "features of half the rows shift", ("feature:car_value", "feature:loan_length", "feature:repaid_loan_on_prev_car")),
        Change("2019-03-31T03:00:00Z", "and with them the scores", ("score",)),
        Change("2019-03-31T03:00:00Z", "accuracy .944 → .915", ("performance",)),
    ],
    "elec2": [Change("1997-05-04T14:00:00Z", "three constant features start to move", ("feature:vicprice", "feature:vicdemand", "feature:transfer"))],
    "concept_rt": [
        Change("2025-01-16T00:00:00Z", "the label rule changes, AUROC .90 → .46", ("performance",)),
        Change("2025-02-05T00:00:00Z", "again, .46 → .74", ("performance",)),
        Change("2025-02-25T00:00:00Z", "and again, .74 → .57", ("performance",)),
    ],
}  # fmt: skip


def replayed(options: argparse.Namespace, name: str) -> tuple[dict[str, Any], Replay] | None:
    """A stream's manifest and its replay; nothing where the stream is not on this machine."""
    source = options.data / name
    if not source.is_dir():
        note(f"  {name} is left out: {source} is not on this machine")
        return None
    folder = prepared(source, options.work / "known" / name)
    done = replay(options.folder / "holdfast", options.pack, folder, options.work / "replays" / name)
    if not options.keep:
        done.snapshots.unlink()
    return json.loads((folder / "manifest.json").read_text()), done


def known(options: argparse.Namespace, pool: Executor) -> Callable[[Figures], None]:
    wanted = set(options.streams.split(",")) if options.streams else {"bench_pay_dev", *CHANGES}
    begun = [(name, pool.submit(replayed, options, name)) for name in ["bench_pay_dev", *CHANGES] if name in wanted]
    return lambda figures: told(begun, figures)


def told(begun: list[tuple[str, Future[tuple[dict[str, Any], Replay] | None]]], figures: Figures) -> None:
    rows = []
    for name, future in begun:
        if (made := future.result()) is None:
            continue
        manifest, done = made
        note(f"  {name} {done.seconds:.0f} s, {len(done.firings)} alerts")
        if name == "bench_pay_dev":
            practice(manifest, done.firings, done.other, figures)
        else:
            rows += [(name, *row) for row in changes(name, done.firings)]
            figures.findings += [f"{name}: {line(f)}" for f in done.firings[:200]]
    if rows:
        print("\nDocumented changes:")
        show([("stream", "change", "when", "first alert", "delay", "segments that named it"), *rows])
        figures.tables["documented changes"] = rows


def line(f: Firing) -> str:
    until = "never resolved" if f.resolved is None else f"resolved {stamp(f.resolved)}"
    return f"{f.name} {f.alert.target} {f.alert.segment} fired {stamp(f.alert.at)}, {until}"


def practice(manifest: dict[str, Any], firings: list[Firing], other: list[str], figures: Figures) -> None:
    made = score(manifest, [f.alert for f in firings])
    over = outliving(manifest, firings, DAY, seconds(manifest["period"][1]))
    print("\nbench_pay_dev, in the order of arrival.csv.gz:")
    lines = [("fault", "kind", "delay", "prototype", "exact on top")]
    for f, limit in zip(made.found, (14, 24, 216, 72, 12)):
        delay = f"{f.delay_hours:.0f} h" if f.true else "missed"
        lines.append((f.fault["id"], f.fault["type"], delay, f"{limit} h", str(f.exact_on_top) if f.true else ""))
        figures.goal(f"bench_pay_dev {f.fault['id']}: hours to the alert", f.delay_hours if f.true else float("inf"), most=limit)
    show(lines)
    figures.goal("bench_pay_dev: precision", made.precision, least=1)
    figures.goal("bench_pay_dev: recall", made.recall, least=1)
    figures.goal("bench_pay_dev: exact segment on top", made.exact_on_top, least=1)
    figures.goal("bench_pay_dev: false episodes", len(made.false), most=0)
    figures.goal("bench_pay_dev: alerts that outlive their fault", len(over), most=0)
    figures.tables["bench_pay_dev"] = lines[1:]
    figures.findings += findings("bench_pay_dev", manifest, made, over, other)


def changes(name: str, firings: list[Firing]) -> Iterator[tuple[str, ...]]:
    """For each documented change the first alert it raised; one that was firing already says so."""
    for change in CHANGES[name]:
        at = seconds(change.at)
        of = [f for f in firings if f.alert.target in change.targets]
        before = [f for f in of if f.alert.end <= at]
        held = [f for f in before if f.resolved is None or f.resolved > at]
        after = sorted((f for f in of if f.alert.end > at), key=lambda f: f.alert.at)
        if after:
            same = {json.dumps(f.alert.segment) for f in after if f.alert.at == after[0].alert.at}
            named = ", ".join(" & ".join(json.loads(s).values()) or "all traffic" for s in sorted(same))
            delay = (after[0].alert.at - at) / 3600
            first, said = stamp(after[0].alert.at), f"{delay:.0f} h" if delay < 96 else f"{delay / 24:.1f} d"
        else:
            first, said, named = ("fires since " + stamp(held[0].alert.at), "", "") if held else ("none", "missed", "")
        yield change.what, change.at, first, said, named
    first = min(seconds(c.at) for c in CHANGES[name])
    early = [f for f in firings if f.alert.end <= first]
    yield "alerts before the change", "", str(len(early)), "", ", ".join(sorted({f.alert.target for f in early})[:6])
    if name == "concept_rt":
        wrong = [f for f in firings if f.alert.target != "performance"]
        yield "alerts on features or scores, which never move", "", str(len(wrong)), "", ""


def prepared(source: Path, folder: Path) -> Path:
    """The stream as `replay` wants it: one file in order of arrival, the labels among the events."""
    if (folder / "manifest.json").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    schema = json.loads((source / "schema.json").read_text())
    arrived: list[tuple[float, bytes]] = []
    with gzip.open(source / "predictions.jsonl.gz", "rb") as lines:
        by_id = {(o := json.loads(raw))["id"]: (seconds(o["ts"]), raw) for raw in lines}
    if (source / "arrival.csv.gz").exists():
        with gzip.open(source / "arrival.csv.gz", "rt") as file:
            arrived += [(seconds(r["arrival_ts"]), by_id[r["id"]][1]) for r in csv.DictReader(file)]
    else:
        arrived += by_id.values()
    with gzip.open(source / "labels.jsonl.gz", "rb") as lines:
        for o in map(json.loads, lines):
            event = {"type": "label", "model": schema["model"], **o}
            arrived.append((seconds(o["ts"]), json.dumps(event, ensure_ascii=False).encode() + b"\n"))
    arrived.sort(key=lambda pair: pair[0])
    with gzip.open(folder / "events.jsonl.gz", "wb", compresslevel=1) as file:
        file.writelines(raw for _, raw in arrived)
    (folder / "reference.jsonl.gz").write_bytes((source / "reference.jsonl.gz").read_bytes())
    manifest = {"faults": [], "period": [stamp(arrived[0][0]), stamp(arrived[-1][0])], "negative_controls": []}
    if (source / "manifest.json").exists():
        manifest |= json.loads((source / "manifest.json").read_text())
    manifest |= {"model": schema["model"], "threshold": schema["threshold"], "dimensions": schema["segments"]}
    if manifest["threshold"] is None:
        raise NotMeasured(f"{source / 'schema.json'} has no threshold")
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return folder
