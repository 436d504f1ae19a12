#!/usr/bin/env python3
"""Judges what the event decoder made of a corpus: `ProveDecoder SEED COUNT | judge.py COUNT`.

The stream's format is described in Prove/Recorder.swift. For grammar and for doubles the trusted parser is Python's `json`; a second
opinion on both comes from `orjson`, where it is installed. What an event means is in `meaning.py`, written from the documentation.

Where `json` differs from RFC 8259:
  - `NaN`, `Infinity` and `-Infinity`, which it reads: `parse_constant` raises.
  - bytes, whose encoding it guesses: it is given text that was decoded as strict UTF-8, and refuses a byte order mark then.
  - lone surrogate escapes, which it keeps: `meaning.clean` makes them U+FFFD, as the decoder is documented to do.
  - whole numbers, which it reads without limit (and refuses beyond 4,300 digits): `parse_int=float`. Numbers are doubles here.
  - nesting, which it bounds by Python's stack: the documented 128 levels are counted here.
Where `orjson` differs: it refuses numbers beyond the doubles and lone surrogate escapes. It is not asked about these.
"""
import itertools
import json
import re
import struct
import sys
import time
from collections import Counter

from meaning import Meaning, Twice, hook

try:
    import orjson
except ImportError:
    orjson = None

MAXIMUM_BYTES = 10 * 1024 * 1024
MAXIMUM_DEPTH = 128
SPACE = b" \t\n\r"
HEAD = struct.Struct("<BqIIIIIII")
REJECTION = struct.Struct("<BIII")
SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
DIFFERENCES_SHOWN = 5


class NotJSON(Exception):
    pass


def refuse_constant(name):
    raise NotJSON(name)


reader = json.JSONDecoder(object_pairs_hook=hook, parse_int=float, parse_constant=refuse_constant)
scan_once = reader.scan_once


def is_deep(value):
    """Whether there are more levels of values than are read; a scalar is one."""
    level = [value]
    for _ in range(MAXIMUM_DEPTH):
        below = []
        for value in level:
            if type(value) is Twice:
                below += (v for _, v in value.pairs)
            elif type(value) is dict:
                below += value.values()
            elif type(value) is list:
                below += value
        level = below
    return bool(level)


def read(text, start):
    """The value that starts at a place of the text and where it ends."""
    try:
        value, end = scan_once(text, start)
    except (StopIteration, ValueError, NotJSON, RecursionError):
        raise NotJSON from None
    if (end - start >= MAXIMUM_DEPTH * 2 and text.count("[", start, end) + text.count("{", start, end) >= MAXIMUM_DEPTH
            and is_deep(value)):
        raise NotJSON
    return value, end


def skip_space(text, at):
    while at < len(text) and text[at] in " \t\n\r":
        at += 1
    return at


class Judge:
    def __init__(self, description):
        self.reasons = {name: i for i, name in enumerate(description["reasons"])}
        self.defaults = description["defaults"]
        self.meaning = Meaning(description["models"])
        self.counts = Counter()

    def second_opinion(self, data, value):
        """`value` is what json made of the bytes, NotJSON where it refused them."""
        if orjson is None:
            return
        try:
            other = orjson.loads(data)
        except orjson.JSONDecodeError as error:
            if value is NotJSON:
                self.counts["orjson refuses too"] += 1
            elif SURROGATE.search(data) or "infinity" in str(error):
                self.counts["orjson not asked"] += 1
            else:
                raise Disagreement(f"orjson refuses what json reads: {error}") from None
            return
        if value is NotJSON:
            # Nesting of more than our 128 levels is sound JSON for orjson.
            if deepest(data) <= MAXIMUM_DEPTH - 1:
                raise Disagreement("orjson reads what json refuses")
            self.counts["orjson not asked"] += 1
            return
        if other == value or same(other, value):
            self.counts["orjson reads the same"] += 1
        else:
            raise Disagreement("orjson and json read different values")

    def message(self, data, defaults, now):
        """Rejections as packed bytes and rows by model."""
        self.rejections = []
        self.meaning.begin(*self.defaults[defaults], now)
        if len(data) > MAXIMUM_BYTES:
            self.reject("too_large", 0, len(data), 0)
        elif not (stripped := data.lstrip(SPACE)):
            self.reject("empty", 0, len(data), 0)
        elif stripped[:1] == b"[":
            self.array(data)
        else:
            self.lines(data)
        return b"".join(self.rejections), b"".join(map(b"".join, self.meaning.rows))

    def reject(self, reason, start, end, index):
        self.counts[f"rejected: {reason}"] += 1
        self.rejections.append(REJECTION.pack(self.reasons[reason], start, end, index))

    def array(self, data):
        try:
            text = data.decode()
            at = skip_space(text, 0)
            values, end = read(text, at)
            if skip_space(text, end) < len(text):
                raise NotJSON
        except (UnicodeDecodeError, NotJSON):
            self.second_opinion(data, NotJSON)
            return self.reject("malformed_json", 0, len(data), 0)
        self.second_opinion(data, values)
        if not values:
            return self.reject("empty", 0, len(data), 0)
        self.counts["arrays"] += 1
        at += 1
        for index, value in enumerate(values):
            start = skip_space(text, at)
            end = scan_once(text, start)[1]
            if reason := self.meaning.event(value, text, start):
                self.reject(reason, len(text[:start].encode()), len(text[:end].encode()), index)
            at = skip_space(text, end) + 1

    def lines(self, data):
        at = index = 0
        while True:
            rest = data[at:].lstrip(SPACE)
            if not rest:
                return
            at = len(data) - len(rest)
            try:
                # No value reaches beyond bytes that are not UTF-8.
                text = rest.decode()
            except UnicodeDecodeError as error:
                text = rest[: error.start].decode()
            try:
                value, end = read(text, 0)
                bytes_end = end if text.isascii() else len(text[:end].encode())
                line_end = rest.find(b"\n", bytes_end)
                if rest[bytes_end : None if line_end < 0 else line_end].strip(SPACE):
                    raise NotJSON
            except NotJSON:
                # The line alone is no JSON either, or it would have been read.
                line = rest.split(b"\n", 1)[0]
                self.second_opinion(line, NotJSON)
                self.reject("malformed_json", at, at + len(line), index)
                at += len(line)
            else:
                self.second_opinion(rest[:bytes_end], value)
                if reason := self.meaning.event(value, text, 0):
                    self.reject(reason, at, at + bytes_end, index)
                at = len(data) if line_end < 0 else at + line_end
            index += 1


class Disagreement(Exception):
    pass


def deepest(data):
    """The deepest nesting of brackets outside strings."""
    level = most = 0
    for mark in re.sub(rb'"(?:[^"\\]|\\.)*"', b"", data):
        if mark in b"[{":
            level += 1
            most = max(most, level)
        elif mark in b"]}":
            level -= 1
    return most


def same(a, b):
    """Equality after whole numbers became doubles."""
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(same(v, b[k]) for k, v in a.items())
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if type(a) is int:
        return type(b) is float and float(a) == b
    return type(a) is type(b) and a == b


def report(judge, counters, got, cut, rejections, wanted):
    """The counters, rejections and cells that differ."""
    meaning, reasons = judge.meaning, list(judge.reasons)
    if [meaning.unknown, *meaning.kinds] != counters:
        print(f"  expected unknown keys {meaning.unknown}, kinds {meaning.kinds}")
        print(f"  got      unknown keys {counters[0]}, kinds {counters[1:]}")
    if rejections != got[:cut]:
        for side, refused in (("expected", rejections), ("got     ", got[:cut])):
            for reason, start, end, index in REJECTION.iter_unpack(refused):
                print(f"  {side} rejection {reasons[reason]}, bytes {start}..<{end}, event {index}")
    for number, (a, b) in enumerate(itertools.zip_longest(meaning.readable(wanted), meaning.readable(got[cut:]))):
        if a is None or b is None:
            print(f"  {'unexpected' if a is None else 'missing'} row {number}: {a or b}")
            continue
        for name in a:
            if a[name] != b.get(name):
                print(f"  row {number}, {name}: expected {a[name]}, got {b.get(name)}")


def take(stream, count):
    data = stream.read(count)
    if len(data) < count:
        sys.exit("the stream ends within a frame: the decoder crashed")
    return data


def main():
    expected = int(sys.argv[1])
    stream = sys.stdin.buffer
    description = json.loads(take(stream, int.from_bytes(take(stream, 4), "little")))
    judge = Judge(description)
    meaning = judge.meaning
    counts = judge.counts
    started, cpu = time.time(), time.process_time()
    shown = seen = 0
    while length := stream.read(4):
        frame = take(stream, int.from_bytes(length, "little"))
        defaults, clock, size, rejected, rows, *counters = HEAD.unpack_from(frame)
        data = frame[HEAD.size : HEAD.size + size]
        got = frame[HEAD.size + size :]
        number, seen = seen, seen + 1
        opinion = None
        try:
            rejections, wanted = judge.message(data, defaults, None if clock == -(1 << 63) else clock)
            counts_agree = [meaning.unknown, *meaning.kinds] == counters
            if got == rejections + wanted and counts_agree:
                continue
            if counts_agree and got.startswith(rejections) and meaning.agrees(got[len(rejections) :]):
                continue
        except Disagreement as error:
            opinion = str(error)
        shown += 1
        print(f"\nDIFFERENCE in message {number}, defaults {judge.defaults[defaults]}, clock {clock}")
        print(f"  message  {data[:6000]!r}{' …' if size > 6000 else ''}")
        if opinion:
            print(f"  {opinion}")
        else:
            report(judge, counters, got, rejected * REJECTION.size, rejections, wanted)
        if shown == DIFFERENCES_SHOWN:
            print(f"\nstopped after {shown} differences in {seen} messages")
            sys.exit(1)
    counts.update(meaning.counts)
    print(f"{seen} messages, {time.time() - started:.0f} s, {seen / max(time.process_time() - cpu, 1e-9):.0f} a CPU second")
    for name in sorted(counts):
        print(f"  {counts[name]:>12,} {name}")
    if seen != expected:
        sys.exit(f"{expected} messages were announced: the decoder crashed")
    if shown:
        sys.exit(f"{shown} differences")
    print("no difference")


main()
