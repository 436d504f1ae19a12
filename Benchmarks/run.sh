#!/usr/bin/env bash
# Prints, from one run, what the engine costs per event beside a plain JSON parser in Python on the same lines, as CPU time. Ratios travel
# between machines; times do not.
set -euo pipefail
holdfast=${1:?usage: run.sh PATH-TO-HOLDFAST}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 "$here/replay.py" "$holdfast" "$work" | tee "$here/results.txt"
