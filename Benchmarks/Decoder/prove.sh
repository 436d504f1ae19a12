#!/usr/bin/env bash
# Decodes MESSAGES made-up messages and has Python judge what came of them: prove.sh [MESSAGES] [SEED]. Two corpora of half the size,
# SEED and the next, are judged side by side. Ends non-zero at a difference.
set -euo pipefail
messages=${1:-1000000}
seed=${2:-1}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
scratch=${PROVE_SCRATCH:-$root/.build-release}
python=$root/Benchmarks/.venv/bin/python

if ! [ -x "$python" ]; then python3 -m venv "$root/Benchmarks/.venv"; fi
"$python" -c 'import orjson' 2>/dev/null || "$python" -m pip install --quiet orjson
cd "$root"
"${SWIFT:-swift}" build -c release --product ProveDecoder --scratch-path "$scratch" \
    --explicit-target-dependency-import-check error

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
judge() {
    "$scratch/release/ProveDecoder" "$1" "$2" | "$python" "$here/judge.py" "$2" >"$work/$1" 2>&1
}
half=$((messages / 2))
judge "$seed" "$half" &
first=$!
judge $((seed + 1)) $((messages - half)) &
second=$!
status=0
wait "$first" || status=1
wait "$second" || status=1
for corpus in "$seed" $((seed + 1)); do
    echo "--- corpus $corpus"
    cat "$work/$corpus"
done
exit "$status"
