"""Streams with known faults: planned, injected, delivered late and twice as a broker would, and written with their truth."""

import gzip
import hashlib
import json
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np

import faults
from faults import KINDS, Fault, Scene, Unfit
from made import Made
from real import Real
from rows import DAY, HOUR, Rows, World, precise, stamp

HERE = Path(__file__).resolve().parent
START = datetime(2025, 3, 3, tzinfo=timezone.utc).timestamp()
REFERENCE_DAYS, QUIET_DAYS = 28, 7
CONTROLS = ("volume_surge", "label_stall", "mix_change", "benign_deploy")
WINDOW = DAY


@dataclass(frozen=True)
class Stream:
    name: str
    world: str
    """`made`, or the folder of a real stream."""
    number: int
    plan: tuple[str, ...]
    rows_per_day: float = 1500


@dataclass
class Draft:
    """A stream being made: its rows, and what was done to them."""

    rows: Rows
    world: World
    rng: np.random.Generator
    faults: list[Fault] = field(default_factory=list)
    controls: list[dict[str, Any]] = field(default_factory=list)
    stalls: list[tuple[float, float]] = field(default_factory=list)


def plans(seed: int, quick: bool) -> list[Stream]:
    """Every kind three times (once and a bit in the quick form), dealt to the streams in a seeded order, controls among them."""
    rng = np.random.default_rng([seed, 1])
    worlds = [("made", n) for n in range(1, 7)] + [("bench_pay_dev", 1), ("bench_pay_dev", 2), ("hotel", 1), ("flights", 1), ("elec2", 1)]
    if quick:
        worlds = [("made", 1), ("made", 2), ("bench_pay_dev", 1), ("hotel", 1)]
    kinds = [str(k) for _ in range(1 if quick else 3) for k in rng.permutation(list(KINDS))]
    made = []
    for i, (world, number) in enumerate(worlds):
        plan = kinds[i :: len(worlds)] + [CONTROLS[i % 4], CONTROLS[(i + 1) % 4]]
        plan = tuple(str(k) for k in rng.permutation(plan))
        made.append(Stream(f"{world}-{number}", world, number, plan, 1500 if world != "flights" else 2500))
    return [*made, Stream("made-calm", "made", 7, ()), Stream("bench_pay_dev-calm", "bench_pay_dev", 3, ())]


def make(stream: Stream, shared: Path, seed: int, folder: Path) -> None:
    number = int(hashlib.sha256(f"{stream.name} {seed}".encode()).hexdigest()[:12], 16)
    rng = np.random.default_rng(number)
    world: World = (
        Made(stream.name, number) if stream.world == "made" else Real(shared, stream.world, number, stream.rows_per_day)
    )
    items, end = schedule(stream, rng)
    reference = world.sample(world.times(START - REFERENCE_DAYS * DAY, START, rng), rng)
    m = Draft(world.sample(world.times(START, end, rng), rng), world, rng)
    for kind, start, hours in items:
        if kind in CONTROLS:
            control(m, kind, start, hours)
        elif (fault := inject(m, kind, start, hours, reference)) is not None:
            m.faults.append(fault)
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    write(m, stream, reference, end, seed, folder)


def schedule(stream: Stream, rng: np.random.Generator) -> tuple[list[tuple[str, float, float]], float]:
    """One thing at a time, whole hours, with days of quiet between; late labels have the last week to themselves."""
    at, items = START + QUIET_DAYS * DAY, []
    for kind in stream.plan:
        low, high = KINDS[kind].hours if kind in KINDS else (48.0, 72.0)
        if kind == "volume_surge":
            low = high = 24.0
        hours = float(round(rng.uniform(low, high)))
        start = at // DAY * DAY + float(rng.integers(0, 24)) * HOUR
        items.append((kind, start, hours))
        at = start + hours * HOUR + rng.uniform(3.5, 5.5) * DAY
    at = max(at, START + 60 * DAY) if not stream.plan else at + 5 * DAY
    return items, np.ceil(at / DAY) * DAY


def inject(m: Draft, kind: str, start: float, hours: float, reference: Rows) -> Fault | None:
    spec = KINDS[kind]
    daily = faults.rows_per_day(m.rows)
    quiet = m.rows.take(np.flatnonzero(m.rows.time < START + QUIET_DAYS * DAY))
    end = start + hours * HOUR
    levels = faults.segments(m.world)
    order = [levels[i] for i in m.rng.choice(3, 3, replace=False, p=np.maximum(spec.levels, 1e-9) / sum(np.maximum(spec.levels, 1e-9)))]
    for segment in (level[i] for level in order for i in m.rng.permutation(len(level))[:40]):
        share = faults.inside(quiet, m.world, segment, 0, np.inf).mean() if segment else 1.0
        # A segment that is nearly all of its parent is the parent: nobody could tell which of the two is meant.
        parents = [faults.inside(quiet, m.world, {k: v}, 0, np.inf).mean() for k, v in segment.items()] if len(segment) > 1 else [1.0]
        if share * daily < spec.rows or (segment and share > 0.75 * min(parents)):
            continue
        mask = faults.inside(m.rows, m.world, segment, start, end)
        if mask.sum() < 40:
            continue
        fault = Fault(kind, segment, start, end)
        before = m.rows.take(np.flatnonzero(mask))
        try:
            KINDS[kind].make(Scene(m.world, m.rng, m.rows, mask, fault))
        except Unfit:
            continue
        if fault.features:
            after = m.rows.take(np.flatnonzero(mask))
            m.rows.logit[mask] = m.world.rescored(before, after)
        index = np.flatnonzero(mask)
        if kind == "volume_drop":
            left = np.ones(len(m.rows), bool)
            left[index[m.rng.random(len(index)) < 0.8]] = False
            fault.measured["events_in_fault"] = int(mask.sum() - (~left).sum())
            m.rows = m.rows.take(np.flatnonzero(left))
        else:
            ref = reference.take(np.flatnonzero(faults.inside(reference, m.world, segment, 0, np.inf)))
            faults.judge_effect(fault, ref, m.rows.take(index), WINDOW)
        return fault
    return None


def control(m: Draft, kind: str, start: float, hours: float) -> None:
    """What a monitor must keep silent about."""
    end, segment, said = start + hours * HOUR, {}, ""
    match kind:
        case "volume_surge":
            more = m.world.sample(m.world.times(start, end, m.rng, factor=2.0), m.rng)
            said = "three times the traffic for a day, same distribution"
        case "mix_change":
            dim = str(m.rng.choice(list(m.world.dims)))
            shares = np.bincount(m.rows.segments[dim], minlength=len(m.world.dims[dim])) / len(m.rows)
            value = int(np.argmin(abs(shares - 0.25)))
            segment = {dim: m.world.dims[dim][value]}
            more = m.world.sample(m.world.times(start, end, m.rng), m.rng)
            more = more.take(np.flatnonzero(more.segments[dim] == value))
            said = "this segment has twice its traffic, the same distribution within"
        case "benign_deploy":
            m.rows.version[(m.rows.time >= start) & (m.rows.version == 0)] = 2
            said = f"version {m.world.versions[2]} takes over and scores exactly as the one before"
            more = None
        case _:
            m.stalls.append((start, end))
            said = "no labels arrive, then all at once; performance itself is unchanged"
            more = None
    if more is not None:
        more.version[:] = m.rows.version[np.minimum(np.searchsorted(m.rows.time, more.time), len(m.rows) - 1)]
        m.rows = Rows.joined([m.rows, more])
    m.controls.append({
        "id": f"N{len(m.controls) + 1}", "type": kind, "features": [], "segment": segment,
        "start": stamp(start), "end": stamp(end), "description": said,
    })  # fmt: skip


def events(rows: Rows, world: World, prefix: str, labelled: bool) -> list[bytes]:
    """The rows as JSON lines, in their order."""

    def numbers(values: np.ndarray, decimals: int) -> list[Any]:
        rounded = np.round(values, decimals).tolist()
        return [None if x != x else int(x) if x == int(x) else x for x in rounded]

    columns = {n: numbers(v, world.decimals[n]) for n, v in rows.numeric.items()}
    for name, codes in rows.categorical.items():
        words = [*world.vocabulary[name], None]
        columns[name] = [words[c] for c in codes.tolist()]
    segments = {d: [world.dims[d][c] for c in codes.tolist()] for d, codes in rows.segments.items()}
    score, label, version, time = rows.score.tolist(), rows.label.tolist(), rows.version.tolist(), rows.time.tolist()
    made = []
    for i in range(len(rows)):
        o = {
            "model": world.model, "version": world.versions[version[i]], "id": f"{prefix}{i:07d}", "ts": precise(time[i]),
            "features": {n: v[i] for n, v in columns.items()},
            "prediction": {"score": score[i], "label": int(score[i] > world.threshold)},
            "segments": {d: v[i] for d, v in segments.items()},
        }  # fmt: skip
        if labelled:
            o["label"] = int(label[i])
        made.append(json.dumps(o, ensure_ascii=False, separators=(",", ":")).encode())
    return made


def arrivals(m: Draft, lines: list[bytes]) -> list[tuple[float, bytes]]:
    """Events and labels in the order in which a topic would deliver them: 2% late, some by hours, one in 250 twice."""
    rng, rows = m.rng, m.rows
    late = np.where(rng.random(len(rows)) < 0.02, rng.lognormal(np.log(1200), 1.5, len(rows)), rng.exponential(2, len(rows)))
    arrived = rows.time + np.minimum(late, 26 * HOUR)
    made = list(zip(arrived.tolist(), lines))
    for i in np.flatnonzero(rng.random(len(rows)) < 0.004):
        made.append((float(arrived[i] + rng.exponential(600)), lines[i]))
    positive, least, more = m.world.delays
    delay = np.where(
        rows.label, rng.lognormal(np.log(positive), 0.7, len(rows)), least + rng.exponential(more, len(rows))
    )  # fmt: skip
    known = rows.time + np.minimum(delay, 25) * DAY
    for start, end in m.stalls:
        held = (known >= start) & (known < end)
        known[held] = end + rng.random(held.sum()) * HOUR
    stop, labelled = rows.time[-1], rng.random(len(rows)) >= 0.03
    for i in np.flatnonzero(labelled & (known < stop)):
        o = {"type": "label", "model": m.world.model, "id": f"p{i:07d}", "ts": precise(known[i]), "label": int(rows.label[i])}
        made.append((float(known[i]), json.dumps(o, separators=(",", ":")).encode()))
    made.sort(key=lambda pair: pair[0])
    return made


def write(m: Draft, stream: Stream, reference: Rows, end: float, seed: int, folder: Path) -> None:
    with gzip.open(folder / "reference.jsonl.gz", "wb", compresslevel=1) as file:
        file.writelines(line + b"\n" for line in events(reference, m.world, "r", labelled=True))
    with gzip.open(folder / "events.jsonl.gz", "wb", compresslevel=1) as file:
        file.writelines(line + b"\n" for _, line in arrivals(m, events(m.rows, m.world, "p", labelled=False)))
    truth = []
    for i, f in enumerate(m.faults):
        truth.append({
            "id": f"F{i + 1}", "type": f.type, "kind": f.kind, "features": f.features, "segment": f.segment,
            "start": stamp(f.start), "end": stamp(f.end), "secondary": ["score", "performance"] if f.features else [],
            "difficulty": f.difficulty, "description": f.description, "measured": f.measured,
        })  # fmt: skip
    manifest = {
        "stream": stream.name, "seed": seed, "base": stream.world, "model": m.world.model, "threshold": m.world.threshold,
        "period": [stamp(START), stamp(end)], "dimensions": list(m.world.dims), "rows": {"reference": len(reference), "predictions": len(m.rows)},
        "columns": {n: "numeric" for n in m.rows.numeric} | {n: "categorical" for n in m.rows.categorical},
        "faults": truth, "negative_controls": m.controls,
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")


def code() -> str:
    """What the streams depend on besides their seed: a cached stream of another generator is made anew."""
    files = ["rows.py", "made.py", "real.py", "faults.py", "streams.py"]
    return hashlib.sha256(b"".join((HERE / f).read_bytes() for f in files)).hexdigest()[:12]


def cached(stream: Stream, shared: Path, seed: int, work: Path) -> Path | None:
    """The stream's folder, made if need be; nothing where its real rows are not on this machine."""
    if stream.world != "made" and not (shared / stream.world).is_dir():
        return None
    folder = work / f"{seed}-{code()}" / stream.name
    if not (folder / "manifest.json").exists():
        make(stream, shared, seed, folder)
    return folder
