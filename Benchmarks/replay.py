#!/usr/bin/env python3
"""CPU time per event of `holdfast replay` (decode, bin, count for all traffic and three segmentations, windows, statistics) beside
`json.loads` of the same lines in Python, alternating, medians of five. usage: replay.py HOLDFAST FOLDER"""
import json, os, random, resource, statistics, subprocess, sys, time

holdfast, folder = sys.argv[1], sys.argv[2]
rng = random.Random(1)
N = 200_000
ROUNDS = 5


def event(i, t):
    features = {f"n{k}": round(rng.lognormvariate(0, 1), 3) for k in range(15)}
    features.update({f"c{k}": rng.choice("abcdefgh") for k in range(5)})
    segments = {name: f"{name}{min(49, int(rng.paretovariate(1)) - 1)}" for name in ("country", "device", "tier")}
    ts = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(t)) + ".250Z"
    return {"model": "bench", "version": "1", "id": f"e{i}", "ts": ts, "features": features,
            "prediction": {"score": round(rng.random(), 4)}, "segments": segments}


start = 1_750_000_000
events = os.path.join(folder, "events.jsonl")
reference = os.path.join(folder, "reference.jsonl")
with open(reference, "w") as f:
    for i in range(20_000):
        f.write(json.dumps(event(i, start - 20_000 + i), separators=(",", ":")) + "\n")
with open(events, "w") as f:
    for i in range(N):
        f.write(json.dumps(event(i, start + i // 50), separators=(",", ":")) + "\n")
profile = os.path.join(folder, "bench.json")
subprocess.run([holdfast, "reference", "build", reference, "-o", profile], check=True, stderr=subprocess.DEVNULL)
config = os.path.join(folder, "holdfast.yaml")
with open(config, "w") as f:
    f.write(f"models:\n  - {{name: bench, reference: {profile}, window: {{pane: 5m, size: 1h, every: 1h, lateness: 10m}}}}\n")


def cpu(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


parse = [sys.executable, "-c", "import json,sys\nfor line in open(sys.argv[1]): json.loads(line)", events]
empty = [sys.executable, "-c", "pass"]
ours, theirs = [], []
for _ in range(ROUNDS):
    ours.append(cpu([holdfast, "replay", "--config", config, "--order", "file", events]))
    theirs.append(cpu(parse) - cpu(empty))
a, b = statistics.median(ours) / N * 1e9, statistics.median(theirs) / N * 1e9
size = os.path.getsize(events) / N
print(f"{N} events of {size:.0f} bytes, 20 features, all traffic and 3 segmentations of 50 values, medians of {ROUNDS}")
print(f"holdfast replay, whole engine   {a:8.0f} ns CPU per event")
print(f"python json.loads alone         {b:8.0f} ns CPU per event")
print(f"ratio                           {a / b:8.2f}")
