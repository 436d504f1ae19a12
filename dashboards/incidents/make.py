#!/usr/bin/env python3
"""Writes README.md and the pictures of this folder: incidents of a stream as the default rules tell them.

    python3 dashboards/incidents/make.py --data ../shared/data/bench_pay_dev --holdfast .build/release/holdfast

The stream (made up: 45 days of payment risk, faults put into single segments) is no part of the repository. `commands.sh`,
which this runs, is all that is needed for another stream.
"""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
RULES = HERE.parent.parent / "rules" / "default.yaml"

# File, title, what happened, and which alert tells of it: rule, column, segment.
INCIDENTS = [
    ("unit-change", "Cents instead of dollars",
     "From 10:00 on 13 January, `amount` of US web traffic is sent in cents. The first daily window holds ten clean hours.",
     ("FeatureDrift", "amount", {"country": "US", "device": "web"})),
    ("null-jump", "A field that is no longer filled",
     "From 20 January, `card_age_months` of German traffic is mostly missing.",
     ("NullRateJump", "card_age_months", {"country": "DE"})),
    ("respelled", "A category in a new spelling",
     "From noon on 14 February, the category `electronics` of Mexican traffic is spelled differently. The first window is half clean.",
     ("NewCategories", "merchant_cat", {"country": "MX"})),
    ("concept", "What leads to fraud has changed",
     "From 26 January to 1 February the labels of `tier=vip` follow another rule. Features, scores and the share of fraud are as ever, "
     "so only labels can tell, and they take five days to come: the alert is of 4 February, and says since when.",
     ("PerformanceDrop", "performance", {"tier": "vip"})),
]

INTRODUCTION = """# Four incidents, as a receiver gets them

A made-up stream of payment-risk scores (45 days, 78,897 events, daily windows) with faults put into single segments, judged by
[`rules/default.yaml`](../../rules/default.yaml) as it is. In these 45 days it fires {count} times; these are four of them. Each alert is
one entry of `alerts[]` of a delivery (long lists stand on one line; nothing else is changed). Alerts and pictures are made by

```sh
{commands}
```

`make.py` writes this page with these commands. The stream is no part of the repository; another one takes its place by its name.
"""


def scalars(value):
    items = value.values() if isinstance(value, dict) else value
    return not any(isinstance(item, (dict, list)) for item in items)


def pretty(value, depth=0):
    """JSON with what is short, or a list of numbers, on one line."""
    if isinstance(value, (dict, list)) and value:
        line = json.dumps(value, ensure_ascii=False)
        if len(line) + 2 * depth < 118 or (isinstance(value, list) and scalars(value)):
            return line
        space = "  " * (depth + 1)
        if isinstance(value, dict):
            body = [f"{space}{json.dumps(k, ensure_ascii=False)}: {pretty(v, depth + 1)}" for k, v in value.items()]
            return "{\n" + ",\n".join(body) + "\n" + "  " * depth + "}"
        return "[\n" + ",\n".join(space + pretty(v, depth + 1) for v in value) + "\n" + "  " * depth + "]"
    return json.dumps(value, ensure_ascii=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder with reference, predictions and labels (.jsonl.gz)")
    parser.add_argument("--holdfast", required=True, help="the program")
    options = parser.parse_args()
    program = str(pathlib.Path(options.holdfast).resolve())
    script = (HERE / "commands.sh").read_text()
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ, "DATA": str(pathlib.Path(options.data).resolve()), "RULES": str(RULES),
            "PATH": f"{pathlib.Path(program).parent}:{os.environ['PATH']}",
        }
        subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment, check=True)
        fired = [a for a in map(json.loads, open(f"{folder}/out/alerts.jsonl")) if a["status"] == "firing"]
        shown = "\n".join(line for line in script.splitlines() if not line.startswith("# Run"))
        text = INTRODUCTION.format(count=len(fired), commands=shown.strip())
        for name, title, story, (rule, column, segment) in INCIDENTS:
            alert = next(
                a for a in fired
                if a["labels"]["alertname"] == rule and a["labels"]["column"] == column and a["segment"] == segment)
            subprocess.run(
                [program, "explain", alert["fingerprint"], "--state", f"{folder}/state", "--at", alert["at"], "--picture",
                 str(HERE / f"{name}.svg")], check=True, stdout=subprocess.DEVNULL)
            body = {key: alert[key] for key in ("status", "labels", "annotations", "startsAt", "fingerprint", "context")}
            text += f"\n## {title}\n\n{story}\n\n> {alert['context']['likely']}\n\n![{title}]({name}.svg)\n\n"
            text += f"```json\n{pretty(body)}\n```\n"
        (HERE / "README.md").write_text(text)


if __name__ == "__main__":
    main()
