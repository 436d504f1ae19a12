"""The measurements, each on its own. Both sides of a ratio take the same messages and run in turns."""

import functools
import shutil
import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import corpus
import measure
from broker import broker, registry
from corpus import STYLES, Corpus, Shape
from measure import NotMeasured, Said, ToolMissing, alternate, cost
from report import Report, note, show

# Messages of a topic: 2 MB in each of the 128 partitions, well within the broker's 5.
TOPIC_EVENTS, PARTITIONS = 400_000, 128
STYLE_EVENTS = 100_000
# One data frame of whylogs. It costs seconds however small it is, so a large one is the kindest; the smaller one shows that cost.
FRAME, SMALL_FRAME = 200_000, 40_000
# After HoldfastBench's warm-up of 20,000, and before the first pane of 60,000 ends: the steady path. Both end with a whole batch of 8,128,
# for what is not counted yet would be missing.
FEWER, MORE, COUNTED = 3 * 8_128 - 20_000, 5 * 8_128 - 20_000, 45_000
GROWTH_EVENTS, GROWTH_REFERENCE = 40_000, 10_000
# Predictions, each with a label ten days later.
JOINED = 1_000_000
# What the service tells of its own CPU time, and what the clocks of librdkafka's threads tell.
PROFILE = {
    "librdkafka_ns": "librdkafka's threads: fetching",
    "consume_ns": "worker: taking messages from librdkafka",
    "decode_ns": "worker: decoding, and giving messages back",
    "count_ns": "worker: bins, counters, sums",
    "pack_ns": "worker: packing counts for a step",
    "step_ns": "step: merging, ledger",
}
REST = "the rest: in the service its pages, in the raw consumer its loop"
FEATURES, VALUES = (5, 10, 20, 50, 100, 200), (0, 5, 50, 500)


@dataclass
class Bench:
    folder: Path
    """Where the release build's programs are."""
    work: Path
    rounds: int
    report: Report

    @property
    def program(self) -> Path:
        return self.folder / "HoldfastBench"

    def corpus(self, shape: Shape, count: int, *styles: str, reference: int = 20_000) -> Corpus:
        note(f"  corpus of {count:,} events, {shape.features} features, {shape.values} values: {', '.join(styles)}")
        return corpus.make(self.work, shape, count, styles, self.folder / "holdfast", reference)

    @functools.cached_property
    def main(self) -> Corpus:
        return self.corpus(Shape(), TOPIC_EVENTS, "clean", "avro")

    def ours(self, mode: str, c: Corpus, style: str, *more: str) -> list[str]:
        return [str(self.program), mode, *c.arguments(style), *more]

    def peer(self, *arguments: object) -> list[str]:
        here = Path(__file__).parent
        python = here / ".venv/bin/python"
        if not python.exists():
            raise ToolMissing("no peers are installed; run `make setup-bench`")
        return [str(python), str(here / "peers.py"), *map(str, arguments)]

    def against(self, count: int, theirs: Callable[[], list[float]], rounds: int | None = None) -> measure.Pair:
        """The whole engine on the first `count` clean events, and a peer on the same."""
        command = self.ours("engine", self.main, "clean", "--rounds", "3", "--events-max", str(count))
        return alternate(rounds or self.rounds, lambda: cost(command, "cpu_ns", count), theirs)


def engine(b: Bench) -> None:
    c = b.corpus(Shape(), STYLE_EVENTS, *STYLES)
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(b.rounds):
        for style in STYLES:
            for mode in ("decode", "engine"):
                times.setdefault((style, mode), []).extend(cost(b.ours(mode, c, style, "--rounds", "2"), "cpu_ns", STYLE_EVENTS))
    medians = {key: statistics.median(figures) for key, figures in times.items()}
    base = medians["clean", "engine"]
    lines = [("corpus", "bytes", "decode ns", "engine ns", "of clean")]
    for style in STYLES:
        decode, whole = medians[style, "decode"], medians[style, "engine"]
        size = c.events(style).stat().st_size / STYLE_EVENTS - (4 if style == "avro" else 1)
        lines.append((style, f"{size:.0f}", f"{decode:.0f}", f"{whole:.0f}", f"{whole / base:.2f}×"))
        b.report.nanoseconds |= {f"decode_{style}": round(decode, 1), f"engine_{style}": round(whole, 1)}
    print("\nEngine alone, CPU time per event (this machine's):")
    show(lines)
    b.report.tables["engine_time_of_clean"] = {s: round(medians[s, "engine"] / base, 3) for s in STYLES}


def count_work(b: Bench, c: Corpus, styles: tuple[str, ...], total: Callable[[list[str]], int]) -> dict[str, float]:
    """What one event adds for each style. Counts do not depend on what else runs, so two run at once."""
    program = measure.stripped(b.program, b.work)

    def one(style: str) -> float:
        return measure.per_event(total, [str(program), "fixed", *c.arguments(style)], FEWER, MORE)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(styles, pool.map(one, styles)))


def instructions(b: Bench) -> None:
    c = b.corpus(Shape(), COUNTED, *STYLES)
    counted = count_work(b, c, STYLES, measure.instructions)
    b.report.put("instructions", counted["clean"])
    b.report.tables["instructions_per_event"] = {s: round(n) for s, n in counted.items()}
    print("\nInstructions per event, decode and count, within a pane (callgrind):")
    show([("corpus", "instructions", "of clean")] + [(s, f"{n:,.0f}", f"{n / counted['clean']:.2f}×") for s, n in counted.items()])


def allocations(b: Bench) -> None:
    styles = ("clean", "shuffled", "dirty", "avro")
    c = b.corpus(Shape(), COUNTED, *styles)
    counted = count_work(b, c, styles, measure.allocations)
    b.report.put("allocations", counted["clean"])
    b.report.tables["allocations_per_event"] = {s: round(n, 4) for s, n in counted.items()}
    print("\nAllocations per event (memcheck; of the dirty events one in 150 is refused, with its reason in words):")
    show([("corpus", "allocations")] + [(s, f"{n:.4f}") for s, n in counted.items()])


def kafka(b: Bench) -> None:
    topics = {"bench-json": PARTITIONS, "bench-avro": PARTITIONS}
    with broker(b.folder / "TestBroker", topics) as address, registry(b.main.schema, corpus.SCHEMA_ID) as url:
        for style, form, extra in (("clean", "json", []), ("avro", "avro", ["--format", "avro", "--registry", url])):
            try:
                _kafka(b, style, form, ["--brokers", address, "--topic", f"bench-{form}"], extra)
            except NotMeasured as error:
                b.report.miss((f"kafka_{form}", f"kafka_{form}_tuned"), error)


def _kafka(b: Bench, style: str, form: str, place: list[str], extra: list[str]) -> None:
    note(f"  producing {TOPIC_EVENTS:,} {form} messages")
    file = ["--events", str(b.main.events(style)), "--format", form]
    measure.run([str(b.program), "produce", *place, "--partitions", str(PARTITIONS), *file])

    command = [str(b.program), "kafka", *place, "--count", str(TOPIC_EVENTS), "--config", str(b.main.config), *extra]
    profiles: list[dict[str, float]] = []
    raw_profiles: list[dict[str, float]] = []
    tuned: list[float] = []

    def consume(into: list[dict[str, float]], *mode: str) -> list[float]:
        # What an earlier run counted must not be there: it would be passed over.
        shutil.rmtree(b.main.state, ignore_errors=True)
        said: list[Said] = []
        figures = cost([*command, "--mode", *mode], "cpu_ns_per_event", TOPIC_EVENTS, said)
        into.append({k: said[0][k] for k in ("cpu_ns_per_event", *PROFILE) if k in said[0]})
        return figures

    def raw() -> list[float]:
        tuned.extend(consume([], "raw", "--keeps-freed-memory"))
        return consume(raw_profiles, "raw")

    pair = alternate(b.rounds, lambda: consume(profiles, "engine"), raw)
    own = measure.Pair(pair.ours, tuned)
    b.report.put(f"kafka_{form}", pair.ratio(), pair.spread())
    b.report.put(f"kafka_{form}_tuned", own.ratio(), own.spread())
    b.report.nanoseconds |= {
        f"kafka_{form}": round(pair.medians[0], 1),
        f"kafka_{form}_raw": round(pair.medians[1], 1),
        f"kafka_{form}_raw_tuned": round(own.medians[1], 1),
    }
    _show_profile(b, form, profiles, raw_profiles)


def _show_profile(b: Bench, form: str, ours: list[dict[str, float]], raw: list[dict[str, float]]) -> None:
    """Where the time went in the very runs of the ratio: so a goal that is missed comes with the reason."""

    def column(runs: list[dict[str, float]]) -> dict[str, float]:
        medians = {key: statistics.median(run.get(key, 0) for run in runs) for key in ("cpu_ns_per_event", *PROFILE)}
        medians["rest"] = statistics.median(run["cpu_ns_per_event"] - sum(run.get(k, 0) for k in PROFILE) for run in runs)
        return medians

    service, consumer = column(ours), column(raw)
    lines = [(f"{form}, ns per event", "service", "of it", "raw consumer")]
    for key, name in [*PROFILE.items(), ("rest", REST), ("cpu_ns_per_event", "all")]:
        theirs = f"{consumer[key]:.0f}" if consumer[key] or key == "rest" else ""
        lines.append((name, f"{service[key]:.0f}", f"{service[key] / service['cpu_ns_per_event']:.0%}", theirs))
    print(f"\nWhere the CPU time of the Kafka line goes, {form} (medians of {len(ours)} runs, each line's own):")
    show(lines)
    b.report.tables[f"kafka_{form}_profile"] = {
        key: {"of_service": round(service[key] / service["cpu_ns_per_event"], 3)} for key in (*PROFILE, "rest")
    }


def sketches(b: Bench) -> None:
    """A state update of ours counts every column; of theirs the numeric ones only, for a quantile sketch holds nothing else."""
    command = b.ours("update", b.main, "clean", "--rounds", "3", "--events-max", str(STYLE_EVENTS))
    counts: dict[str, float] = {}

    def ours() -> list[float]:
        said, _ = measure.run(command)
        counts["holdfast"] = float(said.get("values_per_event") or said["values"] / STYLE_EVENTS)
        return [x * counts["holdfast"] for x in said["cpu_ns_per_value"]]

    def theirs() -> list[float]:
        said, _ = measure.run(b.peer("kll", b.main.events("clean"), STYLE_EVENTS))
        counts["kll"] = said["values_per_event"]
        return [x * counts["kll"] for x in said["cpu_ns_per_value"]]

    pair = alternate(b.rounds, ours, theirs)
    b.report.put("kll", pair.ratio(invert=True), pair.spread(invert=True))
    b.report.tables["updates_per_event"] = counts
    us, them = pair.medians
    b.report.nanoseconds |= {"update": round(us, 1), "update_kll": round(them, 1)}


def whylogs(b: Bench) -> None:
    whole: list[dict[str, Any]] = []
    marginal: list[float] = []

    def theirs() -> list[float]:
        large = measure.run(b.peer("whylogs", b.main.events("clean"), FRAME))[0]
        small = measure.run(b.peer("whylogs", b.main.events("clean"), SMALL_FRAME))[0]
        whole.append(large)
        marginal.append((large["cpu_ns"] * FRAME - small["cpu_ns"] * SMALL_FRAME) / (FRAME - SMALL_FRAME))
        return [large["cpu_ns"]]

    pair = b.against(FRAME, theirs, min(b.rounds, 3))
    ours, them = pair.medians
    b.report.put("whylogs", pair.ratio(invert=True), pair.spread(invert=True))
    b.report.put("whylogs_parsing", statistics.median(w["cpu_ns_with_parsing"] for w in whole) / ours)
    b.report.put("whylogs_marginal", statistics.median(marginal) / ours)
    b.report.nanoseconds |= {"whylogs": round(them), "engine_beside_whylogs": round(ours, 1)}


def consumer(b: Bench) -> None:
    command = b.peer("consumer", b.main.events("clean"), b.main.folder / "reference.jsonl", FRAME)
    pair = b.against(FRAME, lambda: cost(command, "cpu_ns", FRAME))
    b.report.put("consumer", pair.ratio(invert=True), pair.spread(invert=True))
    b.report.nanoseconds["consumer"] = round(pair.medians[1])


def threads(b: Bench) -> None:
    def on(count: int) -> Callable[[], list[float]]:
        command = b.ours("engine", b.main, "clean", "--rounds", "3", "--threads", str(count))
        return lambda: cost(command, "cpu_ns", TOPIC_EVENTS)

    half = b.ours("engine", b.main, "clean", "--rounds", "3", "--events-max", str(TOPIC_EVENTS // 2))

    def apart() -> list[float]:
        # Two processes share nothing but the machine: what they cost more than one, its cores take from each other.
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda _: cost(half, "cpu_ns", TOPIC_EVENTS // 2), range(2)))
        return [statistics.mean(figures) for figures in zip(*both)]

    one: list[float] = []
    processes: list[float] = []

    def alone() -> list[float]:
        processes.append(statistics.median(apart()))
        one.append(statistics.median(on(1)()))
        return [one[-1]]

    pair = alternate(b.rounds, on(2), alone)
    control = measure.Pair(processes, one)
    b.report.put("threads", pair.ratio(), pair.spread())
    b.report.put("processes", control.ratio(), control.spread())


def memory(b: Bench) -> None:
    c = b.corpus(Shape(), COUNTED, "clean")
    said, _ = measure.run(b.ours("memory", c, "clean"))
    b.report.put("hot_bytes", said["hot_bytes_per_state"])
    b.report.tables["memory"] = {"states": said["states"], "hot_bytes_per_state": said["hot_bytes_per_state"]}


def growth(b: Bench) -> None:
    _grow(b, "features", [(f, Shape(features=f)) for f in FEATURES], "growth_features", "growth_feature_bytes")
    # Linear in what is counted: all traffic and the values of three dimensions.
    shapes = [(1 + len(corpus.DIMENSIONS) * v, Shape(values=v)) for v in VALUES]
    _grow(b, "segments", shapes, "growth_segments", "growth_segment_bytes")


def _grow(b: Bench, what: str, shapes: list[tuple[int, Shape]], time_key: str, bytes_key: str) -> None:
    made = [(size, b.corpus(s, GROWTH_EVENTS, "clean", reference=GROWTH_REFERENCE)) for size, s in shapes]
    times: list[list[float]] = [[] for _ in made]
    for _ in range(b.rounds):
        for figures, (_, c) in zip(times, made):
            figures += cost(b.ours("engine", c, "clean", "--rounds", "2"), "cpu_ns", GROWTH_EVENTS)
    held = [measure.run(b.ours("memory", c, "clean"))[0] for _, c in made]
    rows: list[dict[str, float]] = []
    for (size, _), figures, said in zip(made, times, held):
        total = said["states"] * said["hot_bytes_per_state"]
        row = {what: size, "ns": statistics.median(figures), "states": said["states"], "bytes": said["hot_bytes_per_state"]}
        # Of features the state of one segment value grows; of segments the number of states.
        row["grown"] = row["bytes"] if what == "features" else total
        if rows:
            linear = size / rows[-1][what]
            row |= {"time_of_linear": row["ns"] / rows[-1]["ns"] / linear, "bytes_of_linear": row["grown"] / rows[-1]["grown"] / linear}
        rows.append(row)
    b.report.put(time_key, max(row["time_of_linear"] for row in rows[1:]))
    b.report.put(bytes_key, max(row["bytes_of_linear"] for row in rows[1:]))
    b.report.nanoseconds |= {f"engine_{what}_{row[what]}": round(row["ns"], 1) for row in rows}
    b.report.tables[f"growth_{what}"] = [
        {k: round(v, 3) for k, v in row.items() if k not in ("ns", "grown")} | {"time_of_first": round(row["ns"] / rows[0]["ns"], 3)}
        for row in rows
    ]
    fixed = "50 values a dimension" if what == "features" else "20 features; all traffic and 3 dimensions"
    print(f"\nGrowth with {what} ({fixed}), of linear from the line before:")
    show(
        [(what, "ns/event", "of linear", "states", "hot B/state", "hot MB", "of linear")]
        + [
            (
                str(row[what]),
                f"{row['ns']:.0f}",
                f"{row['time_of_linear']:.2f}×" if "time_of_linear" in row else "",
                f"{row['states']:.0f}",
                f"{row['bytes']:,.0f}",
                f"{row['states'] * row['bytes'] / 1e6:.2f}",
                f"{row['bytes_of_linear']:.2f}×" if "bytes_of_linear" in row else "",
            )
            for row in rows
        ]
    )


def join(b: Bench) -> None:
    times, peaks = [], []
    for _ in range(min(b.rounds, 3)):
        said, cpu = measure.run([str(b.program), "join", "--pairs", str(JOINED)])
        times += said["cpu_ns"]
        if sum(said["cpu_ns"]) * JOINED > cpu * 1e9:
            raise NotMeasured(f"{said.program} says it used more CPU time than the kernel gave it")
        peaks.append(said["resident_peak_bytes"])
    b.report.put("join", statistics.median(times), (min(times), max(times)))
    b.report.put("join_resident", max(peaks) / 1e6)
    b.report.nanoseconds["join"] = round(statistics.median(times), 1)


# Name, measurement, and the lines of the table it fills.
SECTIONS: dict[str, tuple[Callable[[Bench], None], tuple[str, ...]]] = {
    "engine": (engine, ()),
    "kafka": (kafka, ("kafka_json", "kafka_json_tuned", "kafka_avro", "kafka_avro_tuned")),
    "instructions": (instructions, ("instructions",)),
    "whylogs": (whylogs, ("whylogs", "whylogs_parsing", "whylogs_marginal")),
    "sketches": (sketches, ("kll",)),
    "threads": (threads, ("threads", "processes")),
    "allocations": (allocations, ("allocations",)),
    "memory": (memory, ("hot_bytes",)),
    "growth": (growth, ("growth_features", "growth_feature_bytes", "growth_segments", "growth_segment_bytes")),
    "consumer": (consumer, ("consumer",)),
    "join": (join, ("join", "join_resident")),
}
