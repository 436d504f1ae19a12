"""Seeded event files for the benchmarks, made with the standard library alone. The same seed gives the same bytes.

An event is that of the design: 641 bytes of compact JSON, 15 numeric and 5 categorical features, a score, 3 segment dimensions of 50
Zipf values each. Every style but `dirty` and `precise` writes the same events, so that styles can be compared.
"""

import hashlib
import json
import random
import shutil
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measure import NotMeasured

Event = dict[str, Any]

MODEL = "fraud"
DIMENSIONS = ("country", "device", "tier")
STYLES = ("clean", "python", "shuffled", "dirty", "precise", "avro")
# On a border of panes of five minutes; long past, so that no clock calls an event early.
START = 1_750_000_200
# Event time moves on by a second after so many events: a pane of five minutes holds 60,000.
EVENTS_PER_SECOND = 200
SCHEMA_ID = 1

# Heavy tails, integers, zero-inflation and bounded rates, with few decimals, as serving fleets log them.
NUMERIC: dict[str, Callable[[random.Random], float]] = {
    "amount": lambda r: round(r.lognormvariate(3, 1), 2),
    "account_balance": lambda r: round(r.lognormvariate(7, 1.2), 2),
    "customer_age_years": lambda r: 18 + int(60 * r.random()),
    "credit_limit": lambda r: 500 * int(1 + 40 * r.random() ** 2),
    "payments_last_24h": lambda r: max(0, int(r.expovariate(0.5)) - 1),
    "distance_km": lambda r: round(r.expovariate(0.05), 3),
    "hours_since_last_login": lambda r: round(r.expovariate(0.1), 2),
    "session_length_seconds": lambda r: round(r.gammavariate(2, 60), 1),
    "ip_risk": lambda r: round(r.betavariate(1, 6), 4),
    "device_age_days": lambda r: int(r.expovariate(0.004)),
    "mean_amount_last_30d": lambda r: round(r.lognormvariate(3.2, 0.6), 2),
    "basket_items": lambda r: 1 + int(r.expovariate(0.6)),
    "discount_rate": lambda r: 0 if r.random() < 0.7 else round(0.5 * r.random(), 3),
    "checkout_latency_ms": lambda r: round(r.lognormvariate(3.5, 0.4), 1),
    "local_temperature": lambda r: round(r.gauss(12, 8), 3),
}
CATEGORICAL: dict[str, tuple[str, ...]] = {
    "channel": ("web", "app", "pos", "phone", "partner"),
    "currency": ("EUR", "USD", "GBP", "BRL", "JPY", "CHF", "SEK", "PLN", "INR", "MXN"),
    "card_type": ("debit", "credit", "prepaid", "virtual"),
    "merchant_group": ("grocery", "travel", "fuel", "gaming", "fashion", "health", "rent", "books", "toys", "other"),
    "browser_family": ("chrome", "safari", "firefox", "edge", "opera", "samsung", "none"),
}


@dataclass(frozen=True)
class Shape:
    """How many features an event has (three quarters numeric) and how many values each segment dimension (0: no segments)."""

    features: int = 20
    values: int = 50

    @property
    def name(self) -> str:
        return f"f{self.features}-s{self.values}"

    @property
    def numeric(self) -> list[str]:
        return _names(list(NUMERIC), self.features - self.features // 4)

    @property
    def categorical(self) -> list[str]:
        return _names(list(CATEGORICAL), self.features // 4)


def _names(known: list[str], count: int) -> list[str]:
    return [known[i % len(known)] + (f"_{i // len(known) + 1}" if i >= len(known) else "") for i in range(count)]


def _zipf(values: list[str], slots: int = 4096) -> list[str]:
    """A table to draw from evenly, in which the k-th value has a share of about 1/k."""
    total = sum(1 / (k + 1) for k in range(len(values)))
    return [v for k, v in enumerate(values) for _ in range(max(1, round(slots / (k + 1) / total)))]


def events(shape: Shape, count: int, seed: int) -> Iterator[Event]:
    rng = random.Random(seed)
    draw = [(n, NUMERIC[k]) for n, k in zip(shape.numeric, _cycle(list(NUMERIC), len(shape.numeric)))]
    pick = [(n, _zipf(list(CATEGORICAL[k]))) for n, k in zip(shape.categorical, _cycle(list(CATEGORICAL), len(shape.categorical)))]
    places = [(d, _zipf([f"{d[:2]}{k:02}" for k in range(shape.values)])) for d in DIMENSIONS if shape.values]
    stamp, second = "", -1
    for i in range(count):
        if i // EVENTS_PER_SECOND != second:
            second = i // EVENTS_PER_SECOND
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(START + second))
        features: Event = {name: value(rng) for name, value in draw}
        for name, table in pick:
            features[name] = table[int(rng.random() * len(table))]
        event: Event = {
            "model": MODEL,
            "version": "14",
            "id": f"{rng.getrandbits(64):016x}",
            "ts": f"{stamp}.{i % EVENTS_PER_SECOND * 1000 // EVENTS_PER_SECOND:03}Z",
            "features": features,
            "prediction": {"score": round(rng.betavariate(2, 5), 4)},
        }
        if places:
            event["segments"] = {name: table[int(rng.random() * len(table))] for name, table in places}
        yield event


def _cycle(keys: list[str], count: int) -> list[str]:
    return [keys[i % len(keys)] for i in range(count)]


def compact(event: Event) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()


def shuffled(event: Event, rng: random.Random) -> bytes:
    def mix(map: Event) -> Event:
        keys = list(map)
        rng.shuffle(keys)
        return {k: mix(map[k]) if isinstance(map[k], dict) else map[k] for k in keys}

    return compact(mix(event))


def precise(event: Event, rng: random.Random) -> bytes:
    """Every number with as many digits as a double needs."""
    features = {k: v if isinstance(v, str) else v + rng.random() for k, v in event["features"].items()}
    return compact(event | {"features": features, "prediction": {"score": rng.random()}})


def dirty(event: Event, rng: random.Random) -> bytes:
    """A tenth of the features missing, a tenth null, unknown keys, nested unknown values, escapes, and one event in 150 bad."""
    features: Event = {}
    for key, value in event["features"].items():
        fate = rng.random()
        if fate >= 0.1:
            features[key] = None if fate < 0.2 else value
    if rng.random() < 0.1:
        features["browser_family"] = 'caf\u00e9 "au lait"\n'
    if rng.random() < 0.2:
        features["unheard_of"] = rng.random()
    made = event | {"features": features}
    if rng.random() < 0.2:
        made["trace"] = {"spans": [{"id": 7, "tags": ["a\\b", "\u2028"]}, {}], "sampled": True}
    fate = rng.random()
    if fate < 0.002:
        del made["ts"]
    line = compact(made)
    if 0.002 <= fate < 0.005:
        line = line[: len(line) // 2]
    elif 0.005 <= fate < 0.0067:
        line = line.replace(b'"prediction"', b'"prognosis"')
    return line


def avro_schema(shape: Shape) -> Event:
    def record(name: str, fields: list[tuple[str, Any]]) -> Event:
        return {"type": "record", "name": name, "fields": [{"name": n, "type": t} for n, t in fields]}

    features = [(n, "double") for n in shape.numeric] + [(n, "string") for n in shape.categorical]
    fields: list[tuple[str, Any]] = [
        ("model", "string"),
        ("version", "string"),
        ("id", "string"),
        ("ts", {"type": "long", "logicalType": "timestamp-millis"}),
        ("features", record("Features", features)),
        ("prediction", record("Prediction", [("score", "double")])),
    ]
    if shape.values:
        fields.append(("segments", record("Segments", [(d, "string") for d in DIMENSIONS])))
    return record("PredictionEvent", fields)


def avro(event: Event, milliseconds: int) -> bytes:
    """The event as `avro_schema` says, behind Confluent's five bytes (Avro specification 1.11, binary encoding)."""
    parts = [struct.pack(">bI", 0, SCHEMA_ID)]

    def long(value: int) -> bytes:
        rest, out = (value << 1) ^ (value >> 63), bytearray()
        while rest > 0x7F:
            out.append(rest & 0x7F | 0x80)
            rest >>= 7
        out.append(rest)
        return bytes(out)

    def put(value: Any) -> None:
        if isinstance(value, str):
            text = value.encode()
            parts.extend((long(len(text)), text))
        elif isinstance(value, dict):
            for item in value.values():
                put(item)
        else:
            parts.append(struct.pack("<d", value))

    for key, value in event.items():
        if key == "ts":
            parts.append(long(milliseconds))
        else:
            put(value)
    return b"".join(parts)


def write(path: Path, style: str, shape: Shape, count: int, seed: int = 1) -> None:
    """JSON lines; for avro each message after its length (32 bits, little-endian)."""
    rng = random.Random(f"{style} {seed}")
    with open(path, "wb") as file:
        for i, event in enumerate(events(shape, count, seed)):
            if style == "avro":
                message = avro(event, START * 1000 + i * 1000 // EVENTS_PER_SECOND)
                file.write(struct.pack("<I", len(message)) + message)
                continue
            if style == "clean":
                line = compact(event)
            elif style == "python":
                line = json.dumps(event).encode()
            else:
                line = {"shuffled": shuffled, "dirty": dirty, "precise": precise}[style](event, rng)
            file.write(line + b"\n")


@dataclass(frozen=True)
class Corpus:
    """A folder with a model's configuration, its reference, and event files of one shape."""

    folder: Path
    shape: Shape
    count: int

    @property
    def config(self) -> Path:
        return self.folder / "holdfast.yaml"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def events(self, style: str) -> Path:
        return self.folder / (f"{style}.bin" if style == "avro" else f"{style}.jsonl")

    def arguments(self, style: str) -> list[str]:
        """What HoldfastBench is told of this corpus."""
        more = ["--format", "avro", "--schema", str(self.folder / "event.avsc")] if style == "avro" else []
        return ["--config", str(self.config), "--events", str(self.events(style)), *more]

    @property
    def schema(self) -> str:
        return (self.folder / "event.avsc").read_text()


def make(work: Path, shape: Shape, count: int, styles: tuple[str, ...], holdfast: Path, reference: int = 20_000) -> Corpus:
    """Writes what is not there yet. A change of this file makes everything anew."""
    mark = f"{count} {reference} {hash_of(Path(__file__))}"
    corpus = Corpus(work / f"{shape.name}-{count}", shape, count)
    stamp = corpus.folder / "made-by"
    if not stamp.exists() or stamp.read_text() != mark:
        shutil.rmtree(corpus.folder, ignore_errors=True)
        corpus.folder.mkdir(parents=True)
        stamp.write_text(mark)
    for style in styles:
        path = corpus.events(style)
        if not path.exists():
            write(path.with_suffix(".part"), style, shape, count)
            path.with_suffix(".part").rename(path)
    (corpus.folder / "event.avsc").write_text(json.dumps(avro_schema(shape)))
    rows = corpus.folder / "reference.jsonl"
    if not rows.exists():
        write(rows, "clean", shape, reference, seed=2)
    target = corpus.folder / "reference.json"
    # The program's own work, made again when the program is: its format may have changed.
    if not target.exists() or target.stat().st_mtime < holdfast.stat().st_mtime:
        segments = [word for d in DIMENSIONS if shape.values for word in ("--segment", d)]
        command = [str(holdfast), "reference", "build", "--model", MODEL, *segments, str(rows), "-o", str(target)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise NotMeasured(f"holdfast reference build ended with {done.returncode}: {done.stderr.strip()}")
    corpus.config.write_text(
        f"state: {corpus.state}\nmodels:\n"
        f"  - {{name: {MODEL}, reference: {target}, window: {{pane: 5m, size: 1h, every: 5m, lateness: 10m}}}}\n"
    )
    return corpus


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
