"""Running programs and counting what they cost: CPU time, instructions, allocations."""

import json
import os
import re
import resource
import shutil
import statistics
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class NotMeasured(Exception):
    """Why a figure is missing from this run: a program failed, or said what cannot be."""


class ToolMissing(NotMeasured):
    """The machine lacks a peer or a tool that is no part of the project: nothing failed, something is left out."""


class Said(dict[str, Any]):
    """What a program printed; asking it for what it did not print says which program that was."""

    program = ""

    def __missing__(self, key: str) -> Any:
        raise NotMeasured(f"{self.program} printed no {key}")


def run(command: list[str], timeout: float = 900) -> tuple[Said, float]:
    """The last line a program prints, read as JSON, and the CPU seconds of the whole process as the kernel counted them."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # whylogs would send usage statistics home; no peer is to gain or lose by threads we do not count on.
    environment = os.environ | {"WHYLOGS_NO_ANALYTICS": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=timeout, env=environment)
    except OSError as error:
        raise NotMeasured(f"{Path(command[0]).name}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise NotMeasured(f"{Path(command[0]).name} took over {timeout:.0f} s") from error
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    lines = (done.stderr.strip() or "nothing on stderr").splitlines()
    said = next((line for line in lines if line.lower().startswith(("error", "fatal"))), lines[-1])
    if done.returncode != 0 and said.startswith("ModuleNotFoundError"):
        raise ToolMissing(f"{said.removeprefix('ModuleNotFoundError: ')}; run `make setup-bench`")
    if done.returncode != 0:
        raise NotMeasured(f"{' '.join(command[:2])} ended with {done.returncode}: {said}")
    try:
        made = Said(json.loads(done.stdout.strip().splitlines()[-1]))
    except (IndexError, TypeError, ValueError) as error:
        raise NotMeasured(f"{' '.join(command[:2])} printed no JSON line: {said}") from error
    made.program = " ".join(command[:2])
    return made, cpu


def cost(command: list[str], field: str, events: int, into: list[Said] | None = None) -> list[float]:
    """Nanoseconds per event, one figure per round, of a program that measures itself, held against what the kernel says of it.

    What it said besides is appended to `into`.
    """
    said, cpu = run(command)
    if into is not None:
        into.append(said)
    count = int(said["events"])
    if count != events:
        raise NotMeasured(f"{said.program} took {count} events where {events} were meant")
    rounds = said[field] if isinstance(said[field], list) else [said[field]]
    if field.startswith("cpu") and sum(rounds) * count > cpu * 1e9 * 1.05 + 2e7:
        raise NotMeasured(f"{said.program} says it used more CPU time than the kernel gave it")
    return [float(x) for x in rounds]


@dataclass
class Pair:
    """Figures of two programs that ran in turns: `ours` before `theirs` in each round."""

    ours: list[float]
    theirs: list[float]

    @property
    def medians(self) -> tuple[float, float]:
        return statistics.median(self.ours), statistics.median(self.theirs)

    def ratio(self, invert: bool = False) -> float:
        ours, theirs = self.medians
        return theirs / ours if invert else ours / theirs

    def spread(self, invert: bool = False) -> tuple[float, float]:
        """The least and the greatest ratio of any single round: what the machine's noise can do to the figure."""
        each = [t / o if invert else o / t for o, t in zip(self.ours, self.theirs)]
        return min(each), max(each)


def alternate(rounds: int, ours: Callable[[], list[float]], theirs: Callable[[], list[float]]) -> Pair:
    """Both in turns, so that a machine that slows down slows both; a round is the median of the figures it printed."""
    pair = Pair([], [])
    for _ in range(rounds):
        pair.ours.append(statistics.median(ours()))
        pair.theirs.append(statistics.median(theirs()))
    return pair


def stripped(binary: Path, folder: Path) -> Path:
    """A copy without debug information, which valgrind cannot read where it is DWARF 5."""
    if not shutil.which("valgrind"):
        raise ToolMissing("valgrind is not installed")
    if not shutil.which("objcopy"):
        raise ToolMissing("objcopy (binutils) is not installed")
    if not binary.exists():
        raise NotMeasured(f"{binary} is not built")
    copy = folder / f"{binary.name}.stripped"
    done = subprocess.run(["objcopy", "--strip-debug", str(binary), str(copy)], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise NotMeasured(f"objcopy: {done.stderr.strip()}")
    return copy


def _valgrind(options: list[str], total: str, command: list[str]) -> int:
    # Swift seeds its hashes anew in each process; with this set the counts repeat.
    environment = os.environ | {"SWIFT_DETERMINISTIC_HASHING": "1"}
    whole = ["valgrind", *options, *command]
    done = subprocess.run(whole, check=False, capture_output=True, text=True, timeout=900, env=environment)
    found = re.search(total, done.stderr)
    if done.returncode != 0 or not found:
        lines = (done.stderr.strip() or "nothing on stderr").splitlines()
        said = next((line for line in lines if "INTERNAL ERROR" in line), lines[-1])
        # Valgrind writes into the mask that libdispatch keeps in read-only memory. A main that is not async never waits there.
        hint = " (an async main waits in sigsuspend, which ends valgrind)" if "sigsuspend" in done.stderr else ""
        raise NotMeasured(f"valgrind {options[0]} ended with {done.returncode}: {said}{hint}")
    return int(found[1].replace(",", ""))


def instructions(command: list[str]) -> int:
    return _valgrind(["--tool=callgrind", "--callgrind-out-file=/dev/null"], r"Collected\s*:\s*([\d,]+)", command)


def allocations(command: list[str]) -> int:
    return _valgrind(["--tool=memcheck", "--leak-check=no", "--undef-value-errors=no"], r"total heap usage: ([\d,]+) allocs", command)


def per_event(total: Callable[[list[str]], int], command: list[str], fewer: int, more: int) -> float:
    """What one event adds: the difference of two runs that differ in nothing but their number of events."""
    few, many = (total([*command, "--count", str(n)]) for n in (fewer, more))
    return (many - few) / (more - fewer)
