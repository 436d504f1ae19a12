"""Streams without drift, and shifts of a known size, simulated as histograms: alerts a month, and hours until a shift is alerted."""

import argparse
from collections.abc import Callable
from concurrent.futures import Executor, Future

import measure
from report import note, show
from shown import Figures

SETTINGS = ("iid", "wobble", "season", "slow")
POOLED, SEASONAL = "e-detector, pooled reference", "e-detector, hour and weekend reference"
SHAPES = ("tilt", "any")
# The last is a feature over all traffic: 50 segments of 250 rows.
ROWS = ((12_500, "feature level", 3), (250, "250 rows/h", 8), (45, "45 rows/h", 40))


def months_of(program: str, setting: str, months: int, seed: int) -> measure.Said:
    said, _ = measure.run([program, "null", "--setting", setting, "--months", str(months), "--seed", str(seed)], timeout=7200)
    note(f"  {setting}")
    return said


def delay(program: str, rows: int, shape: str, times: int, seed: int) -> measure.Said:
    said, _ = measure.run([
        program, "shifts", "--rows", str(rows), "--times", str(times), "--shape", shape, "--seed", str(seed), "--wait", "200",
    ])  # fmt: skip
    return said


def null(options: argparse.Namespace, pool: Executor) -> Callable[[Figures], None]:
    program = str(options.folder / "DetectionBench")
    months, times = (1, 200) if options.quick else (6, 1000)
    # The longest first, so that the last to end is a short one.
    quiet = {setting: pool.submit(months_of, program, setting, months, options.seed) for setting in reversed(SETTINGS)}
    shifts = {
        (rows, shape): pool.submit(delay, program, rows, shape, times, options.seed) for rows, _, _ in ROWS for shape in SHAPES
    }

    def told(figures: Figures) -> None:
        without({setting: quiet[setting].result() for setting in SETTINGS}, months, figures)
        delays(shifts, times, figures)

    return told


def without(made: dict[str, measure.Said], months: int, figures: Figures) -> None:
    methods = list(dict.fromkeys(k for said in made.values() for k in said if k not in ("setting", "months")))
    lines = [("alerts a model and month", *(said["setting"] for said in made.values()))]
    for method in methods:
        lines.append((method, *(f"{said[method]:,.1f}" if method in said else "–" for said in made.values())))
    print(f"\nNo drift: 20 features × 50 segments, hourly, {months} month{'s' if months > 1 else ''}, 30 to 1,000 rows an hour in a segment:")
    show(lines)
    for said in made.values():
        # As the product chooses: by hour and weekend where the reference differs by them.
        name = SEASONAL if SEASONAL in said else POOLED
        figures.goal(f"no drift, {said['setting']}: alerts a model and month", said[name], most=1)
    figures.tables["no drift"] = {said["setting"]: dict(said) for said in made.values()}


def delays(shifts: dict[tuple[int, str], Future[measure.Said]], times: int, figures: Figures) -> None:
    lines = [("PSI 0.25 from now on", "to one side: median", "p95", "never", "any shape: median", "p95", "never")]
    for rows, name, most in ROWS:
        cells = []
        for shape in SHAPES:
            said = shifts[rows, shape].result()
            cells += [hours(said["median"]), hours(said["p95"]), f"{said['missed']:.0f} of {times}"]
            p95 = float("inf") if said["p95"] is None else said["p95"]
            figures.goal(f"PSI 0.25, {name}, {'to one side' if shape == 'tilt' else 'any shape'}: hours, p95", p95, most=most)
        lines.append((name, *cells))
    print("\nHours until a shift is alerted, by the detector that watches 1,000 streams:")
    show(lines)
    figures.tables["delays"] = lines


def hours(value: float | None) -> str:
    return "never" if value is None else f"{value:.0f} h"
