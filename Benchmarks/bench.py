#!/usr/bin/env python3
"""Measures Holdfast against what it is to be measured against, prints the tables and writes results.json. See README.md.

A missed goal is printed as MISSED and is no failure of this program, nor is a peer or tool that the machine lacks: its place says so.
A measurement that breaks is one: the exit code is then 1.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import measure
from corpus import Shape
from measure import NotMeasured
from report import Report, note
from sections import SECTIONS, STYLE_EVENTS, Bench

HERE = Path(__file__).resolve().parent


def versions(b: Bench) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        found |= measure.run(b.peer("versions"))[0]
    except NotMeasured as error:
        note(f"peers: {error}")
    tools = {"valgrind": ["valgrind", "--version"], "librdkafka": ["pkg-config", "--modversion", "rdkafka"]}
    for name, command in tools.items():
        try:
            found[name] = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            continue
    commit = b.folder / "holdfast.commit"
    return found | ({"holdfast": commit.read_text().strip()} if commit.exists() else {})


def check_avro(b: Bench) -> None:
    """The Avro corpus is written by hand, so fastavro has to read the same events from it as the JSON corpus has."""
    c = b.corpus(Shape(), STYLE_EVENTS, "clean", "avro")
    try:
        command = b.peer("check-avro", c.events("avro"), c.events("clean"), c.folder / "event.avsc")
    except NotMeasured as error:
        return note(f"the Avro corpus is not checked: {error}")
    try:
        measure.run(command)
    except NotMeasured as error:
        sys.exit(f"the Avro corpus is wrong: {error}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the release build's holdfast, HoldfastBench and TestBroker are")
    parser.add_argument("--only", help=f"some of {','.join(SECTIONS)}; results.json then stays as it is")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side (whylogs: at most 3)")
    parser.add_argument("--work", type=Path, default=HERE / ".build-corpora", help="folder of the generated events, kept")
    parser.add_argument("--output", type=Path, help="results file, default results.json beside this program")
    options = parser.parse_args()
    only = options.only.split(",") if options.only else list(SECTIONS)
    if unknown := [name for name in only if name not in SECTIONS]:
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    if options.rounds < 1:
        parser.error("--rounds is at least 1")
    for name in ("holdfast", "HoldfastBench"):
        if not (options.folder / name).exists():
            parser.error(f"{options.folder / name} is not built; run `make bench`")
    options.work.mkdir(parents=True, exist_ok=True)

    report = Report()
    b = Bench(options.folder.resolve(), options.work.resolve(), options.rounds, report)
    report.versions = versions(b)
    check_avro(b)
    for name, (section, keys) in SECTIONS.items():
        if name not in only:
            continue
        note(f"{name} …")
        start = time.monotonic()
        try:
            section(b)
        except NotMeasured as error:
            report.miss(keys, error)
            if not keys:
                print(f"\n{name}: not measured: {error}")
        note(f"  {time.monotonic() - start:.0f} s")

    print("\nRatios of medians of CPU time; in brackets the least and greatest of a single turn:")
    report.print()
    if options.only and not options.output:
        print("results.json is left alone: this was not the whole run")
    else:
        report.write(options.output or HERE / "results.json")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
