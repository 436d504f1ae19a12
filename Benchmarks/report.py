"""The table of what was to be reached, the growth tables, and results.json."""

import json
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measure import NotMeasured, ToolMissing


@dataclass(frozen=True)
class Goal:
    """A line of the table: a figure that is to be at most, or for `faster` at least, so much. Without a limit it only informs."""

    against: str
    limit: float | None = None
    faster: bool = False
    form: str = "{:.2f}×"

    @property
    def reach(self) -> str:
        return "" if self.limit is None else ("≥ " if self.faster else "≤ ") + self.form.format(self.limit)

    def met(self, value: float) -> bool | None:
        return None if self.limit is None else value >= self.limit if self.faster else value <= self.limit


# In the order of the design's table; then what it does not set a goal for.
GOALS = {
    "kafka_json": Goal("raw librdkafka batch consume, process CPU per message, JSON", 2.8),
    "kafka_json_tuned": Goal("the same, the raw consumer with the heap set as the service sets its own"),
    "kafka_avro": Goal("raw librdkafka batch consume, process CPU per message, Avro", 1.9),
    "kafka_avro_tuned": Goal("the same, the raw consumer with the heap set as the service sets its own"),
    "instructions": Goal("engine alone, instructions per event", 6000, form="{:,.0f}"),
    "whylogs": Goal("whylogs, all traffic + 3 segmentations, rows already parsed", 200, True, "{:.0f}×"),
    "kll": Goal("DataSketches C++ KLL(200), state update only", 12, True, "{:.1f}×"),
    "threads": Goal("1 → 2 threads, CPU per event", 1.10),
    "processes": Goal("1 → 2 processes that share nothing but the machine, CPU per event"),
    # Under one in a thousand events: the tables of a process grow now and then, the path of an event allocates nothing.
    "allocations": Goal("allocations per event on the steady path", 0.001, form="{:.3f}"),
    "hot_bytes": Goal("hot state per (segment value, open pane), 20 features", 11_000, form="{:,.0f} B"),
    "growth_features": Goal("time per event, growth with features, worst step against linear", 1.10),
    "growth_feature_bytes": Goal("hot state, growth with features, worst step against linear", 1.10),
    "growth_segments": Goal("time per event, growth with segments, worst step against linear", 1.10),
    "growth_segment_bytes": Goal("all hot state, growth with segments, worst step against linear", 1.10),
    "join": Goal("predictions joined with labels of ten days later, CPU per pair (150,000 a second)", 1e9 / 150_000, form="{:,.0f} ns"),
    "join_resident": Goal("the same, resident memory at most", 300, form="{:,.0f} MB"),
    "whylogs_parsing": Goal("whylogs with its rows parsed by orjson", None, True, "{:.0f}×"),
    "whylogs_marginal": Goal("whylogs without the fixed cost of a data frame", None, True, "{:.0f}×"),
    "consumer": Goal("orjson + numpy consumer, all traffic + 3 segmentations", None, True, "{:.1f}×"),
}


@dataclass
class Report:
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    tables: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, Any] = field(default_factory=dict)
    nanoseconds: dict[str, float] = field(default_factory=dict)
    failed: bool = False
    """Something that is here did not work, as against something that is not here."""

    def put(self, key: str, value: float, spread: tuple[float, float] | None = None) -> None:
        row: dict[str, Any] = {"value": _short(value), "met": GOALS[key].met(value)}
        if spread:
            row["spread"] = [_short(x) for x in spread]
        self.rows[key] = row

    def miss(self, keys: tuple[str, ...], error: NotMeasured) -> None:
        self.failed |= not isinstance(error, ToolMissing)
        for key in keys:
            self.rows.setdefault(key, {"not_measured": str(error)})

    def print(self) -> None:
        lines = [("against", "reach", "measured", "met?")]
        for key, goal in GOALS.items():
            if (row := self.rows.get(key)) is None:
                continue
            if "not_measured" in row:
                lines.append((goal.against, goal.reach, "not measured", ""))
                continue
            measured = goal.form.format(row["value"]) + (" faster" if goal.faster else "")
            if "spread" in row:
                measured += " ({} … {})".format(*(goal.form.format(x) for x in row["spread"]))
            lines.append((goal.against, goal.reach, measured, {True: "yes", False: "MISSED", None: ""}[row["met"]]))
        show(lines)
        missed = [GOALS[k].against for k, row in self.rows.items() if row.get("met") is False]
        absent = [f"{GOALS[k].against}: {row['not_measured']}" for k, row in self.rows.items() if "not_measured" in row]
        print(f"\n{len(missed)} MISSED, {len(absent)} not measured")
        print("".join([f"  MISSED: {name}\n" for name in missed] + [f"  not measured: {why}\n" for why in absent]), end="")

    def write(self, path: Path) -> None:
        rows = {k: {"against": g.against, "reach": g.reach} | self.rows[k] for k, g in GOALS.items() if k in self.rows}
        machine = {"processor": _processor(), "system": platform.platform(), "nanoseconds_per_event": self.nanoseconds}
        made = {
            "about": "Ratios, instructions, allocations and bytes travel between machines. What stands under this_machine does not.",
            "rows": rows,
            "tables": self.tables,
            "versions": self.versions,
            "this_machine": machine,
        }
        path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n")


def show(lines: Sequence[tuple[str, ...]]) -> None:
    """Columns by their widest cell: the first to the left, figures (cells that start with a digit) to the right."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]) - 1)]
    for n, line in enumerate(lines):
        cells = [c.rjust(w) if i and c[:1].isdigit() else c.ljust(w) for i, (c, w) in enumerate(zip(line, widths))]
        print("  ".join([*cells, line[-1]]).rstrip())
        if n == 0:
            print("  ".join("─" * w for w in [*widths, max(len(line[-1]) for line in lines)]))


def note(text: str) -> None:
    """Progress, kept apart from the tables."""
    print(text, file=sys.stderr, flush=True)


def _short(value: float) -> float:
    return float(f"{value:.4g}") if abs(value) < 10_000 else round(value)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
