#!/usr/bin/env python3
"""Measures how well the default rule pack finds what is wrong and keeps quiet about what is not. See README.md.

A goal that is missed is printed as MISSED and is no failure of this program; a measurement that breaks is one: the exit code is then 1.
"""

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from known import known  # noqa: E402
from measure import NotMeasured  # noqa: E402
from null import null  # noqa: E402
from report import note  # noqa: E402
from shown import Figures, injected  # noqa: E402

# A section hands all its work to the processes and gives what waits for it, in its own order, and tells of it.
Section = Callable[[argparse.Namespace, Executor], Callable[[Figures], None]]
SECTIONS: dict[str, Section] = {"faults": injected, "known": known, "null": null}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the release build's holdfast and DetectionBench are")
    parser.add_argument("--quick", action="store_true", help="a third of the faults and a month without drift: a few minutes")
    parser.add_argument("--only", help=f"some of {','.join(SECTIONS)}; detection.json then stays as it is")
    parser.add_argument("--streams", help="names of streams, joined by commas, instead of all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="streams and simulations that run at a time")
    parser.add_argument("--every", default="1d", help="how often the windows of a day slide (faults)")
    parser.add_argument("--pack", type=Path, default=HERE.parents[1] / "rules" / "default.yaml", help="the rule file to measure")
    parser.add_argument("--work", type=Path, default=HERE.parent / ".build-streams", help="folder of the streams, kept")
    parser.add_argument("--shared", type=Path, default=os.environ.get("HOLDFAST_SHARED", HERE.parents[2] / "shared"))
    parser.add_argument("--keep", action="store_true", help="keep what the replays wrote")
    parser.add_argument("--findings", type=Path, help="write every miss and every false alert to this file")
    parser.add_argument("--output", type=Path, default=HERE.parent / "detection.json")
    options = parser.parse_args()
    options.data, options.pack = Path(options.shared) / "data", options.pack.resolve()
    options.folder, options.work = options.folder.resolve(), options.work.resolve()
    only = options.only.split(",") if options.only else list(SECTIONS)
    if unknown := [name for name in only if name not in SECTIONS]:
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    figures, failed = Figures(), False
    with ProcessPoolExecutor(max_workers=max(1, options.jobs)) as pool:
        # All is begun at once, so that no core waits for the last stream of a section.
        begun = {name: SECTIONS[name](options, pool) for name in only}
        for name in only:
            note(f"{name} …")
            start = time.monotonic()
            try:
                begun[name](figures)
            except NotMeasured as error:
                failed = True
                print(f"\n{name}: not measured: {error}")
            note(f"  {time.monotonic() - start:.0f} s")
    figures.print_goals()
    if options.findings:
        options.findings.write_text("\n".join(figures.findings) + "\n")
    if not options.keep:
        shutil.rmtree(options.work / "replays", ignore_errors=True)
    if options.only or options.quick or options.streams:
        print("detection.json is left alone: this was not the whole run")
    else:
        options.output.write_text(json.dumps(figures.json(), indent=1, ensure_ascii=False) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
