#!/usr/bin/env python3
"""Fails when decoding and counting an event costs over 10% more instructions than gate.json says, as valgrind counts them.

Needs no package of Python's. usage: gate.py FOLDER-OF-THE-RELEASE-BUILD [--update]
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import measure
from corpus import Shape, make
from measure import NotMeasured, ToolMissing
from report import Report, note, show
from sections import COUNTED, Bench, count_work

GATED = ("clean", "shuffled", "avro")
ALLOWED = 1.10
# Few segment values keep the reference small, which valgrind reads slowly and no event reads at all.
SHAPE, REFERENCE = Shape(values=8), 2_000
FIGURES = Path(__file__).resolve().parent / "gate.json"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--update", action="store_true", help="write what is measured to gate.json, for a change that is meant")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        b = Bench(options.folder.resolve(), Path(work), 1, Report())
        try:
            measure.stripped(b.program, b.work)
            c = make(b.work, SHAPE, COUNTED, GATED, b.folder / "holdfast", REFERENCE)
            counted = {style: round(n) for style, n in count_work(b, c, GATED, measure.instructions).items()}
        except ToolMissing as error:
            note(f"bench-gate is skipped: {error}")
            return 0
        except NotMeasured as error:
            note(f"bench-gate could not measure: {error}")
            return 1
    if options.update:
        FIGURES.write_text(json.dumps({"instructions_per_event": counted}, indent=1) + "\n")
        print(f"gate.json now says {counted}")
        return 0
    if not FIGURES.exists():
        print("gate.json is missing; write it with `make bench-gate UPDATE=--update`", file=sys.stderr)
        return 1
    known: dict[str, int] = json.loads(FIGURES.read_text())["instructions_per_event"]
    lines = [("corpus", "committed", "measured", "change", "")]
    failed = False
    for style in GATED:
        change = counted[style] / known[style] if known.get(style) else float("inf")
        failed |= change > ALLOWED
        verdict = "TOO MANY" if change > ALLOWED else "fewer by over 10%: commit them" if change < 2 - ALLOWED else "ok"
        lines.append((style, f"{known.get(style, 0):,}", f"{counted[style]:,}", f"{change - 1:+.1%}", verdict))
    show(lines)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
