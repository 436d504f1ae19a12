"""What an event means: contracts.md section 2, the doc comments and the tests of the decoder, written down a second time.

Where these are silent the decoder as it is was taken as right, so here the judge finds changes and not mistakes: which of several reasons
an event is refused for, that fractions of a microsecond are cut, where an exponent starts in a number's category, and the choices below.
"""
import json
import math
import re
import struct
import unicodedata
from collections import Counter
from datetime import date

# Where the documentation is silent, or two of its sentences meet, the reading that is judged by.
#
# `"ts":1,"ts":null`: nulls count as absent, so they replace nothing. (In `features` the last one counts, null or not.)
NULL_REPLACES_A_PART = False
# `"model":7,"model":"fraud"`: an impossible type spoils the event though a possible one follows.
LAST_PART_EXCUSES_THE_FIRST = False
# `"segments":{"country":"BR","country":null}`: only values that name a segment replace one.
UNUSABLE_REPLACES_A_SEGMENT = False
# `"scores":{"cat":0.9,"dog":0.7,"cat":0.1}`: the highest of all members counts, not the highest of the last of each name.
SCORES_COUNT_THE_LAST = False
# `"scores":{"cat":1},"scores":5`: scores that are no object replace nothing.
UNUSABLE_REPLACES_SCORES = False
# 1e999 as a category or segment: the text `inf`, where the text "inf" itself is an invalid category.
INFINITE_IS_INVALID_CATEGORY = False

LIMIT = 1_000
LONGEST = 512
OTHER = "(other)"
YEARS = (-62_167_219_200_000_000, 253_402_300_799_999_999)
FUTURE = 600_000_000
ABSENT, NULL, MISSING, INVALID, WRONG_TYPE = range(1, 6)
HOLES = {hole: struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_0000 | hole))[0] for hole in range(1, 6)}
HOLE_NAMES = {ABSENT: "absent", NULL: "null", MISSING: "missing", INVALID: "invalid", WRONG_TYPE: "wrong type"}
NON_FINITE = {"nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"}
NOTHING = object()
NO_TEXT = b"\xff\xff\xff\xff"
SURROGATES = re.compile("[\ud800-\udfff]")
DATE_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))")


class Twice(dict):
    """An object with a key given twice: the last ones by key, and all in order."""


def hook(pairs):
    value = dict(pairs)
    if len(value) != len(pairs):
        value = Twice(value)
        value.pairs = pairs
    return value


class Raw(str):
    """A number's own text."""


raw_reader = json.JSONDecoder(object_pairs_hook=hook, parse_int=Raw, parse_float=Raw)
OBJECTS = (dict, Twice)
NUMBERS = (float, Raw)
PARTS = {
    "type": (str,), "model": (str,), "version": (str, *NUMBERS), "id": (str, *NUMBERS), "features": OBJECTS, "segments": OBJECTS,
    "ts": (str, bool, list, *NUMBERS, *OBJECTS), "prediction": (str, *NUMBERS, *OBJECTS),
    "label": (str, bool, list, *NUMBERS, *OBJECTS),
}


def pairs_of(value):
    return value.pairs if type(value) is Twice else value.items()


def clean(text):
    """Lone surrogates become U+FFFD."""
    return text if text.isascii() else SURROGATES.sub("\ufffd", text)


def name_form(text):
    """A name as it is written down: composed, so that two spellings of one text are one name."""
    return text if text.isascii() else unicodedata.normalize("NFC", clean(text))


def canonical(number):
    """A number as a category: whole ones without a fraction, others as the shortest decimal; exponents from 2^53 on."""
    if number.is_integer() and abs(number) < 2**53:
        return str(int(number))
    text = repr(number)
    if abs(number) <= 2**53 or "e" in text or not math.isfinite(number):
        return text
    digits = text[:-2].rstrip("0")
    sign, digits = ("-", digits[1:]) if digits[0] == "-" else ("", digits)
    return f"{sign}{digits[0]}.{digits[1:] or '0'}e+{len(text[:-2].lstrip('-')) - 1:02}"


def rfc3339(text):
    found = DATE_TIME.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second = map(int, found.group(1, 2, 3, 4, 5, 6))
    if hour > 23 or minute > 59 or second > 60:
        return None
    try:
        # Python knows no year 0; the calendar repeats every 400 years of 146,097 days.
        days = date(year or 400, month, day).toordinal() - 719_163 - (0 if year else 146_097)
    except ValueError:
        return None
    micros = int((found.group(7) or "")[:6].ljust(6, "0"))
    offset = 0
    if found.group(8):
        hours, minutes = int(found.group(9)), int(found.group(10))
        if hours > 23 or minutes > 59:
            return None
        offset = (hours * 60 + minutes) * (-1 if found.group(8) == "-" else 1)
    time = ((days * 24 + hour) * 60 + minute - offset) * 60_000_000 + second * 1_000_000 + micros
    return time if YEARS[0] <= time <= YEARS[1] else None


def epoch(number):
    """Seconds below 10^11, else milliseconds; halves are rounded away from zero."""
    micros = number * (1e6 if abs(number) < 1e11 else 1e3)
    if not math.isfinite(micros):
        return None
    whole = math.floor(abs(micros))
    whole += abs(micros) - whole >= 0.5
    time = int(-whole if micros < 0 else whole)
    return time if YEARS[0] <= time <= YEARS[1] else None


class Names:
    """The values of a dimension, or a model's versions: the first thousand beyond those that are known keep their names, later ones and whole texts share `(other)`.

    Values that an event names and then replaces may or may not have taken a place. Where it depends on them, both are right, and what
    was seen then must stay so."""

    def __init__(self, known, limited_beyond_known=True):
        known = [name_form(name) for name in known]
        self.kept = set(known)
        # What all others share takes no place.
        self.known = set(known) | {OTHER}
        self.others = set()
        self.named = set(known)
        self.full = False
        # What the reference knows has a place of its own; an event without a version has the first of the versions.
        self.limit = LIMIT + (len(known) if limited_beyond_known else 0)

    def resolve(self, name):
        """The name, or None where the decoder may choose."""
        if name in self.kept:
            return name
        if name == "*" or len(name.encode("utf-8", "replace")) > LONGEST:
            self.keep(OTHER)
            return OTHER
        if name in self.others:
            return OTHER
        if self.full:
            if name in self.named:
                return None
            self.others.add(name)
            return OTHER
        free = len(self.named - {OTHER}) < self.limit
        self.named.add(name)
        if not free:
            return None
        self.keep(name)
        return name

    def know(self, name):
        """A place beyond the limit, whether it had one or not."""
        if name not in self.known:
            self.known.add(name)
            self.limit += 1
        self.keep(name)

    def keep(self, name):
        self.kept.add(name)
        self.named.add(name)
        self.full = self.full or len(self.kept - {OTHER}) >= self.limit

    def mention(self, name):
        if not self.full:
            self.named.add(OTHER if name == "*" or len(name.encode("utf-8", "replace")) > LONGEST else name)

    def settle(self, name, chosen):
        """Whether the decoder's choice is one of the two."""
        if chosen == name and not self.full:
            self.keep(name)
            return True
        if chosen == name and name in self.named and name not in self.others:
            self.kept.add(name)
            return True
        if chosen == OTHER:
            self.full = True
            self.others.add(name)
            return True
        return False


class Model:
    def __init__(self, number, schema):
        self.number = number
        columns = schema["columns"]
        self.numeric = [c["name"] for c in columns if "codes" not in c]
        self.categorical = [
            (c["name"], {unicodedata.normalize("NFC", k): v for k, v in c["codes"].items()}, c["unseen"])
            for c in columns if "codes" in c]
        self.dimensions = schema["dimensions"]
        known = schema["known"] + [[]] * len(self.dimensions)
        self.values = [Names(v) for _, v in zip(self.dimensions, known)]
        self.versions = Names([""])
        self.features = {c["name"] for c in columns if c["name"] != "prediction"} | set(schema["ignored"]) | set(self.dimensions)
        self.pack = struct.Struct(f"<Bq{len(self.numeric)}d{len(self.categorical)}H").pack
        self.bits = struct.Struct(f"<Bq{len(self.numeric)}Q{len(self.categorical)}H")


class Meaning:
    def __init__(self, schemas):
        self.models = {s["model"]: Model(i, s) for i, s in enumerate(schemas)}
        self.by_number = list(self.models.values())
        self.counts = Counter()

    def begin(self, default_model, default_version, now):
        self.default_model, self.default_version = default_model, default_version
        self.latest = None if now is None else now + FUTURE
        self.rows = [[] for _ in self.by_number]
        self.open = []
        self.unknown = 0
        self.kinds = [0, 0, 0]

    def parts(self, value):
        """The event's parts without nulls, None where one has an impossible type."""
        found, bad = {}, set()
        for key, part in pairs_of(value):
            allowed = PARTS.get(key)
            if allowed is None:
                continue
            if part is None:
                if NULL_REPLACES_A_PART:
                    found.pop(key, None)
                    bad.discard(key)
            elif type(part) in allowed:
                found[key] = part
                if LAST_PART_EXCUSES_THE_FIRST:
                    bad.discard(key)
            else:
                bad.add(key)
        return None if bad else found

    def event(self, value, text, start):
        """Why the event is refused, or None after its row was written."""
        if not isinstance(value, dict):
            return "not_an_object"
        parts = self.parts(value)
        if parts is None:
            return "bad_field"
        get = parts.get
        kind = get("type")
        if kind is None:
            kind = "label" if "label" in parts and "prediction" not in parts else "prediction"
        elif kind not in ("prediction", "label", "features"):
            return "unknown_type"
        name = get("model", self.default_model)
        if name is None:
            return "no_model"
        model = self.models.get(name)
        if model is None:
            return "unknown_model"
        ts = get("ts")
        if ts is None:
            return "no_timestamp"
        time = rfc3339(ts) if type(ts) is str else epoch(ts) if type(ts) is float else None
        if time is None:
            return "bad_timestamp"
        if self.latest is not None and time > self.latest:
            return "future_timestamp"
        features = get("features")
        if kind == "label":
            if "label" not in parts:
                return "bad_label"
            if "id" not in parts:
                return "no_id"
            self.kinds[1] += 1
            self.counts["events: label"] += 1
            return None
        if kind == "features":
            if features is None:
                return "bad_field"
            self.kinds[2] += 1
        else:
            if features is None and "prediction" not in parts:
                return "no_prediction"
            self.kinds[0] += 1
        self.counts[f"events: {kind}"] += 1
        version = get("version")
        if type(version) is float:
            version = self.parts(raw_reader.raw_decode(text, start)[0]).get("version")
        self.row(model, time, version, features, get("segments"), get("prediction", NOTHING), kind == "prediction")
        return None

    def row(self, model, time, version, features, segments, prediction, predicts):
        if features is None:
            features, lacking = {}, ABSENT
        else:
            lacking = MISSING
            if not features.keys() <= model.features:
                self.unknown += sum(k not in model.features for k, _ in pairs_of(features))
                self.counts["rows with unknown features"] += 1
        numbers = []
        for name in model.numeric:
            if name == "prediction":
                cell = self.output(prediction, False) if predicts else NOTHING
                numbers.append(self.number(cell, MISSING if predicts else ABSENT))
                continue
            cell = features.get(name, NOTHING)
            if type(cell) is float and cell - cell == 0:
                # Zero has no sign.
                numbers.append(cell + 0.0)
            else:
                numbers.append(self.number(cell, lacking))
        codes = []
        for name, table, unseen in model.categorical:
            if name == "prediction":
                cell = self.output(prediction, True) if predicts else NOTHING
                codes.append(self.code(cell, table, unseen, MISSING if predicts else ABSENT))
                continue
            cell = features.get(name, NOTHING)
            code = table.get(cell) if type(cell) is str else None
            codes.append(self.code(cell, table, unseen, lacking) if code is None else code)
        if type(version) is Raw:
            names = [(model.versions, str(version))]
        elif version is not None:
            names = [(model.versions, name_form(version))]
        else:
            if self.default_version is not None:
                # What the configuration names has a place beyond the limit.
                model.versions.know(self.default_version)
            names = [(model.versions, self.default_version or "")]
        for dimension, values in zip(model.dimensions, model.values):
            names.append((values, self.segment(dimension, values, features, segments)))
        fixed = model.pack(model.number, time, *numbers, *codes)
        texts = [fixed]
        for table, name in names:
            if name is None:
                texts.append(NO_TEXT)
                continue
            resolved = table.resolve(name)
            if resolved is None:
                self.open.append((model.number, len(self.rows[model.number])))
                resolved = "?"
            data = resolved.encode()
            texts.append(len(data).to_bytes(4, "little") + data)
        self.rows[model.number].append(b"".join(texts))
        if self.open:
            self.choices = getattr(self, "choices", {})
            self.choices[(model.number, len(self.rows[model.number]) - 1)] = (fixed, names)

    def hole(self, hole):
        self.counts[f"cells: {HOLE_NAMES[hole]}"] += 1
        return hole

    def number(self, cell, lacking):
        kind = type(cell)
        if kind is float:
            if math.isfinite(cell):
                return cell + 0.0
            return HOLES[self.hole(INVALID)]
        if cell is NOTHING:
            return HOLES[self.hole(lacking)]
        if cell is None:
            return HOLES[self.hole(NULL)]
        if kind is str:
            return HOLES[self.hole(INVALID if names_non_finite(cell) else WRONG_TYPE)]
        return HOLES[self.hole(WRONG_TYPE)]

    def code(self, cell, table, unseen, lacking):
        kind = type(cell)
        if kind is str:
            code = table.get(unicodedata.normalize("NFC", clean(cell)))
            if code is not None:
                return code
            if names_non_finite(cell):
                return 65_535 - self.hole(INVALID)
            self.counts["cells: unseen category"] += 1
            return unseen
        if kind is float:
            if INFINITE_IS_INVALID_CATEGORY and math.isinf(cell):
                return 65_535 - self.hole(INVALID)
            return table.get(canonical(cell), unseen)
        if kind is bool:
            return table.get("true" if cell else "false", unseen)
        if cell is NOTHING:
            return 65_535 - self.hole(lacking)
        return 65_535 - self.hole(NULL if cell is None else WRONG_TYPE)

    def output(self, prediction, is_class):
        if not isinstance(prediction, dict):
            return prediction
        if not is_class:
            return prediction.get("score", prediction.get("value", NOTHING))
        if "label" in prediction:
            return prediction["label"]
        scores = prediction.get("scores")
        if type(prediction) is Twice and not UNUSABLE_REPLACES_SCORES:
            scores = ([v for k, v in prediction.pairs if k == "scores" and isinstance(v, dict)] or [None])[-1]
        if not isinstance(scores, dict):
            return NOTHING
        best = None
        for name, score in scores.items() if SCORES_COUNT_THE_LAST else pairs_of(scores):
            if type(score) is float and (best is None or score > best[0]):
                best = (score, name)
        return NOTHING if best is None else best[1]

    def segment(self, dimension, values, features, segments):
        own = None
        if segments is not None and dimension in segments:
            if type(segments) is Twice:
                usable = [n for n in (segment_name(v) for k, v in segments.pairs if k == dimension)]
                for name in filter(None.__ne__, usable):
                    values.mention(name)
                if not UNUSABLE_REPLACES_A_SEGMENT:
                    usable = [n for n in usable if n is not None]
                own = usable[-1] if usable else None
            else:
                own = segment_name(segments[dimension])
        if dimension not in features:
            return own
        if type(features) is Twice:
            for key, cell in features.pairs:
                if key == dimension and (name := segment_name(cell)) is not None:
                    values.mention(name)
        name = segment_name(features[dimension])
        if own is None:
            return name
        if name is not None:
            values.mention(name)
        return own

    def agrees(self, data):
        """Whether rows that differ from the expected ones do so only where a choice was open."""
        if not self.open:
            return False
        found = self.parse(data)
        if len(found) != sum(map(len, self.rows)):
            return False
        place = 0
        for model, rows in enumerate(self.rows):
            for i, row in enumerate(rows):
                fixed, names, raw = found[place]
                place += 1
                if raw == row:
                    continue
                wanted = self.choices.get((model, i))
                if wanted is None or wanted[0] != fixed or len(wanted[1]) != len(names):
                    return False
                for (table, name), chosen in zip(wanted[1], names):
                    if name is None or chosen is None:
                        if name is not chosen:
                            return False
                        continue
                    resolved = table.resolve(name)
                    if resolved != chosen and (resolved is not None or not table.settle(name, chosen)):
                        return False
        self.counts["messages with a value between its place and (other)"] += 1
        return True

    def parse(self, data):
        """Rows as (fixed part, names, all bytes)."""
        rows, at = [], 0
        while at < len(data):
            model = self.by_number[data[at]]
            start, at = at, at + model.bits.size
            fixed, names = data[start:at], []
            for _ in range(1 + len(model.dimensions)):
                length, at = data[at : at + 4], at + 4
                if length == NO_TEXT:
                    names.append(None)
                else:
                    size = int.from_bytes(length, "little")
                    names.append(data[at : at + size].decode())
                    at += size
            rows.append((fixed, names, data[start:at]))
        return rows

    def readable(self, data):
        for fixed, names, _ in self.parse(data):
            model = self.by_number[fixed[0]]
            number, time, *cells = model.bits.unpack(fixed)
            row = {"the model": number, "the time": time, "the version": names[0]}
            row.update((f"segment {dimension!r}", name) for dimension, name in zip(model.dimensions, names[1:]))
            for name, bits in zip(model.numeric, cells):
                value = struct.unpack("<d", struct.pack("<Q", bits))[0]
                row[f"column {name!r}"] = HOLE_NAMES.get(bits & 7, f"{bits:016x}") if value != value else f"{value!r} ({bits:016x})"
            for (name, *_), code in zip(model.categorical, cells[len(model.numeric) :]):
                row[f"column {name!r}"] = HOLE_NAMES.get(65_535 - code, f"code {code}")
            yield row


def names_non_finite(text):
    return text.lower() in NON_FINITE


def segment_name(value):
    kind = type(value)
    if kind is str:
        return name_form(value)
    if kind is float:
        return canonical(value)
    return ("true" if value else "false") if kind is bool else None
