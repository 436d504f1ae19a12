"""Alerts held against a manifest, by the rules bench_pay_dev is scored by.

* Alerts of one target and segment whose windows touch or are at most one window apart are an episode.
* An episode matches a fault if their times overlap, its target is the fault's own (primary) or one it shows itself in besides (secondary),
  and the segments do not contradict: the same (exact), fewer keys (parent), more (child), or others that overlap (echo).
* Exact, parent and child are true, an echo counts neither way, the rest is false.
* A fault is found if a true episode has its primary target. Those called optional are left out of recall.
* Exact on top: the most severe alert on the fault's own target names exactly its segment.
"""

from dataclasses import dataclass, field
from typing import Any

from rows import seconds, stamp

PRIMARY = {"concept_drift": {"performance"}, "bad_release": {"score", "performance"}, "volume_drop": {"volume"}}
Segment = dict[str, str]


@dataclass
class Alert:
    at: float
    start: float
    end: float
    target: str
    segment: Segment
    severity: float

    def line(self) -> dict[str, Any]:
        """As score_alerts.py reads it."""
        return {
            "ts": stamp(self.at), "window_start": stamp(self.start), "window_end": stamp(self.end),
            "target": self.target, "segment": self.segment, "severity": self.severity,
        }  # fmt: skip


@dataclass
class Found:
    """What became of one fault."""

    fault: dict[str, Any]
    hits: list[tuple[float, float, str]] = field(default_factory=list)
    """When, how severe, and the relation of its segment, of each alert on a primary target."""

    @property
    def true(self) -> list[tuple[float, float, str]]:
        return [h for h in self.hits if h[2] != "echo"]

    @property
    def delay_hours(self) -> float:
        return (min(h[0] for h in self.true) - seconds(self.fault["start"])) / 3600

    @property
    def exact_on_top(self) -> bool:
        return max(self.hits, key=lambda h: (h[1], h[2] == "exact"))[2] == "exact"

    @property
    def counts(self) -> bool:
        return self.fault["difficulty"] != "optional"


@dataclass
class Score:
    true: int = 0
    echo: int = 0
    days: float = 0
    false: list[tuple[str, Segment, float, float]] = field(default_factory=list)
    """Target, segment, start and end of each false episode."""
    found: list[Found] = field(default_factory=list)

    def add(self, other: "Score") -> None:
        self.true, self.echo, self.days = self.true + other.true, self.echo + other.echo, self.days + other.days
        self.false, self.found = self.false + other.false, self.found + other.found

    @property
    def precision(self) -> float:
        return self.true / max(1, self.true + len(self.false))

    @property
    def recall(self) -> float:
        due = [f for f in self.found if f.counts]
        return sum(bool(f.true) for f in due) / max(1, len(due))

    @property
    def exact_on_top(self) -> float:
        hit = [f for f in self.found if f.counts and f.true]
        return sum(f.exact_on_top for f in hit) / max(1, len(hit))

    @property
    def median_delay(self) -> float | None:
        delays = sorted(f.delay_hours for f in self.found if f.counts and f.true)
        return delays[len(delays) // 2] if delays else None


def primary(fault: dict[str, Any]) -> set[str]:
    return {f"feature:{name}" for name in fault["features"]} or PRIMARY[fault["type"]]


def relation(alert: Segment, fault: Segment) -> str | None:
    if any(fault.get(k, v) != v for k, v in alert.items()):
        return None
    a, f = set(alert.items()), set(fault.items())
    return "exact" if a == f else "parent" if a < f else "child" if a > f else "echo"


def episodes(alerts: list[Alert]) -> list[list[Alert]]:
    made: dict[tuple[str, tuple[tuple[str, str], ...]], list[list[Alert]]] = {}
    for a in sorted(alerts, key=lambda a: a.start):
        of = made.setdefault((a.target, tuple(sorted(a.segment.items()))), [])
        if of and a.start <= max(x.end for x in of[-1]) + (a.end - a.start):
            of[-1].append(a)
        else:
            of.append([a])
    return [episode for of in made.values() for episode in of]


def score(manifest: dict[str, Any], alerts: list[Alert]) -> Score:
    made = Score(days=(seconds(manifest["period"][1]) - seconds(manifest["period"][0])) / 86400)
    made.found = [Found(f) for f in manifest["faults"]]
    for episode in episodes(alerts):
        target, segment = episode[0].target, episode[0].segment
        relations = set()
        for found in made.found:
            f = found.fault
            how = relation(segment, f["segment"])
            hit = [a for a in episode if a.start < seconds(f["end"]) and a.end > seconds(f["start"])]
            if how is None or not hit or target not in primary(f) | set(f.get("secondary", [])):
                continue
            relations.add("echo" if how == "echo" else "true")
            if target in primary(f):
                found.hits += [(a.at, a.severity, how) for a in hit]
        if "true" in relations:
            made.true += 1
        elif relations:
            made.echo += 1
        else:
            made.false.append((target, segment, episode[0].start, max(a.end for a in episode)))
    return made
