"""Injected faults: every stream replayed and scored, and the tables of it."""

import argparse
import importlib.util
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import simple
import streams
from measure import NotMeasured
from replay import Firing, outliving, replay
from report import note, show
from rows import seconds, stamp
from score import Alert, Found, Score, score

OURS = "default rule pack"


@dataclass(frozen=True)
class Goal:
    name: str
    limit: float
    least: bool
    """Whether the figure is to be at least the limit, or at most."""

    def met(self, value: float) -> bool:
        return value >= self.limit if self.least else value <= self.limit


@dataclass
class Figures:
    """What was measured: goals with their figures, tables for people, and all of it for detection.json."""

    goals: list[tuple[Goal, float]] = field(default_factory=list)
    tables: dict[str, Any] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    def goal(self, name: str, value: float, least: float | None = None, most: float | None = None) -> None:
        self.goals.append((Goal(name, least if least is not None else most or 0.0, least is not None), value))

    def print_goals(self) -> None:
        if not self.goals:
            return
        print()
        lines = [("goal", "reach", "measured", "met?")]
        for goal, value in self.goals:
            reach = f"{'≥' if goal.least else '≤'} {goal.limit:g}"
            lines.append((goal.name, reach, f"{value:.3g}", "yes" if goal.met(value) else "MISSED"))
        show(lines)
        print(f"\n{sum(not g.met(v) for g, v in self.goals)} MISSED")

    def json(self) -> dict[str, Any]:
        goals = [{"goal": g.name, "at least" if g.least else "at most": g.limit, "measured": v if v < float("inf") else None, "met": g.met(v)} for g, v in self.goals]
        return {"goals": goals, "tables": self.tables}


@dataclass
class Replayed:
    """What became of one stream."""

    scores: dict[str, Score]
    over: list[tuple[Firing, str, float]]
    others: int
    findings: list[str]
    seconds: float


def replayed(options: argparse.Namespace, name: str) -> Replayed | None:
    """One stream, made if need be, replayed and scored; nothing where its real rows are not on this machine."""
    stream = next(s for s in streams.plans(options.seed, options.quick) if s.name == name)
    folder = streams.cached(stream, options.data, options.seed, options.work)
    if folder is None:
        note(f"  {name} is left out: {options.data / stream.world} is not on this machine")
        return None
    manifest = json.loads((folder / "manifest.json").read_text())
    done = replay(options.folder / "holdfast", options.pack, folder, options.work / "replays" / name, options.every)
    ours = score(manifest, done.alerts)
    agree(options.data / "score_alerts.py", manifest, done.alerts, ours)
    scores = {OURS: ours}
    for detector, alerts in simple.detectors(done.snapshots).items():
        scores[detector] = score(manifest, alerts)
    if not options.keep:
        done.snapshots.unlink()
    over = outliving(manifest, done.firings, streams.WINDOW, seconds(manifest["period"][1]))
    return Replayed(scores, over, len(done.other), findings(name, manifest, ours, over, done.other), done.seconds)


def injected(options: argparse.Namespace, pool: Executor) -> Callable[[Figures], None]:
    named = set(options.streams.split(",")) if options.streams else None
    names = [s.name for s in streams.plans(options.seed, options.quick) if named is None or s.name in named]
    begun = [(name, pool.submit(replayed, options, name)) for name in names]
    return lambda figures: told(((name, made.result()) for name, made in begun), figures)


def told(made: Iterator[tuple[str, Replayed | None]], figures: Figures) -> None:
    totals = {name: Score() for name in (OURS, *simple.NAMES)}
    outlived: list[tuple[str, Firing, str, float]] = []
    rows, others = [], 0
    for stream, done in made:
        if done is None:
            continue
        for detector, made_score in done.scores.items():
            totals[detector].add(made_score)
        ours = done.scores[OURS]
        outlived += [(stream, *o) for o in done.over]
        others += done.others
        figures.findings += done.findings
        found = sum(bool(f.true) for f in ours.found if f.counts)
        due = sum(f.counts for f in ours.found)
        top = f"{ours.exact_on_top:.2f}" if found else ""
        rows.append((stream, f"{found}/{due}", str(len(ours.false)), top, str(len(done.over)), f"{done.seconds:.0f} s"))
        note(f"  {' '.join(rows[-1])}")
    if not rows:
        raise NotMeasured("no stream is there to replay")
    print("\nInjected faults, by stream:")
    show([("stream", "found", "false", "exact on top", "outlived", "replay"), *rows])
    print("\nBy kind of fault:")
    show(kinds(totals[OURS].found))
    print("\nAgainst the simple detectors, on the same windows and segments:")
    show(compared(totals))
    t = totals[OURS]
    figures.goal("injected faults: precision", t.precision, least=0.95)
    figures.goal("injected faults: recall", t.recall, least=0.9)
    figures.goal("injected faults: exact segment on top", t.exact_on_top, least=0.95)
    figures.goal("injected faults: alerts that outlive their fault by over two windows", len(outlived), most=0)
    figures.tables["faults"] = {
        "by stream": rows, "by kind": kinds(t.found)[1:], "detectors": compared(totals)[1:],
        "outlived": [(s, f.name, fault, round(h, 1)) for s, f, fault, h in outlived], "alerts about rules": others,
    }  # fmt: skip


def agree(path: Path, manifest: dict[str, Any], alerts: list[Alert], ours: Score) -> None:
    """Where the scorer that comes with the shared streams is at hand, it has to say the same."""
    if not path.exists():
        return
    spec = importlib.util.spec_from_file_location("score_alerts", path)
    if spec is None or spec.loader is None:
        return
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    said = theirs.score(manifest, [a.line() for a in alerts])
    made = {"true": ours.true, "echo": ours.echo, "false": len(ours.false)}
    found = {f.fault["id"]: bool(f.true) for f in ours.found}
    if said["episodes"] != made or {k: f["detected"] for k, f in said["faults"].items()} != found:
        raise NotMeasured(f"{path.name} scores the alerts otherwise: {said['episodes']} against {made}")
    if any(f.true and f.exact_on_top != said["faults"][f.fault["id"]]["exact_top"] for f in ours.found):
        raise NotMeasured(f"{path.name} finds other segments on top")


def kinds(found: list[Found]) -> list[tuple[str, ...]]:
    lines = [("kind", "found", "optional", "exact on top", "delay, median", "longest")]
    by: dict[str, list[Found]] = {}
    for f in found:
        by.setdefault(f.fault["kind"], []).append(f)
    for kind, all_ in sorted(by.items()):
        due = [f for f in all_ if f.counts]
        hit = [f for f in due if f.true]
        spare = [f for f in all_ if not f.counts]
        delays = sorted(f.delay_hours for f in hit)
        lines.append((
            kind, f"{len(hit)}/{len(due)}", f"{sum(bool(f.true) for f in spare)}/{len(spare)}" if spare else "",
            f"{sum(f.exact_on_top for f in hit)}/{len(hit)}", f"{delays[len(delays) // 2]:.0f} h" if hit else "", f"{delays[-1]:.0f} h" if hit else "",
        ))  # fmt: skip
    return lines


def compared(totals: dict[str, Score]) -> list[tuple[str, ...]]:
    lines = [("detector", "precision", "recall", "exact on top", "false a day", "delay, median")]
    for name, s in totals.items():
        delay = "" if s.median_delay is None else f"{s.median_delay:.0f} h"
        lines.append((name, f"{s.precision:.3f}", f"{s.recall:.3f}", f"{s.exact_on_top:.3f}", f"{len(s.false) / max(1, s.days):.3f}", delay))
    return lines


def findings(stream: str, manifest: dict[str, Any], s: Score, over: list[tuple[Firing, str, float]], other: list[str]) -> list[str]:
    """Every miss, false alert, wrong segment and late end, in a line each."""

    def size(f: dict[str, Any]) -> str:
        return ", ".join(f"{k} {v}" for k, v in f.get("measured", {}).items() if not isinstance(v, dict))

    def said(f: dict[str, Any]) -> str:
        where = " & ".join(f"{k}={v}" for k, v in f["segment"].items()) or "all traffic"
        return f"{f['id']} {f.get('kind', f['type'])} {','.join(f['features'])} [{where}] {f['start']}…{f['end']} {f['difficulty']} {size(f)}"

    made = []
    for found in s.found:
        if not found.true:
            echoes = len(found.hits)
            made.append(f"{stream}: MISSED {said(found.fault)}: {found.fault['description']}; {echoes} echoes")
        elif not found.exact_on_top:
            seen = sorted({f"{how} {severity:.2f}" for _, severity, how in found.hits}, reverse=True)
            made.append(f"{stream}: NOT EXACT {said(found.fault)}: {', '.join(seen[:5])}")
        elif found.delay_hours > 48:
            made.append(f"{stream}: SLOW {found.delay_hours:.0f} h {said(found.fault)}")
    for target, segment, start, end in s.false:
        near = [
            f"{f.get('kind', f['type'])} {f['start']}…{f['end']} {f['segment']}"
            for f in manifest["faults"] + manifest["negative_controls"]
            if "start" in f and start < seconds(f["end"]) + 3 * 86400 and end > seconds(f["start"])
        ]
        made.append(f"{stream}: FALSE {target} {segment} {stamp(start)}…{stamp(end)} (at or just after: {'; '.join(near) or 'nothing'})")
    for firing, fault, hours in over:
        a: Alert = firing.alert
        end = "never resolved" if firing.resolved is None else f"{hours:.0f} h too long"
        made.append(f"{stream}: OUTLIVED {firing.name} {a.target} {a.segment} fired {stamp(a.at)} for {fault}: {end}")
    return made + [f"{stream}: {name}" for name in other]
